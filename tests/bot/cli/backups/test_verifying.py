"""`countersign backup verify`: a whole copy that is a beginning of the log passes; one that was rewritten, or is another's, does not."""

from __future__ import annotations

import json
from pathlib import Path

from bot.cli.main import app
from bot.decision_log.signer import signer_of
from storage.sqlite.lock import FileLock
from tests import database
from tests.bot.hosting import Host
from tests.bot.tampering import one_word_with_the_tree_rebuilt


def copied(host: Host) -> Path:
    """A copied file; on PostgreSQL a restored dump."""
    target = host.path.parent / "backup.db"
    database.copy(host.path, target)
    return target


async def signed(host: Host) -> None:
    lock = FileLock(host.path.parent / "state")
    await signer_of(host.store.log, host.path.parent / "state", lock).cover()
    lock.close()


async def test_a_whole_copy_passes_and_says_how_many_entries_it_lacks(host: Host) -> None:
    await host.ask()
    await signed(host)
    backup = copied(host)
    named = database.url(backup)
    code, text = await host.type("backup", "verify", named.removeprefix("sqlite:///"), app=app)
    assert (code, "no problems found" in text, "signed after" in text) == (0, True, False), text
    await host.ask(target="dc-core-02")
    await signed(host)
    code, text = await host.type("backup", "verify", named, "--json", app=app)
    told = json.loads(text)
    assert (code, told["findings"], told["behind"] > 0) == (0, [], True), text


async def test_a_copy_in_which_an_entry_was_rewritten_does_not_pass_though_its_hashes_fit(host: Host) -> None:
    await host.ask()
    await host.ask(target="dc-core-02")
    await signed(host)
    backup = copied(host)
    one_word_with_the_tree_rebuilt(backup)
    code, text = await host.type("backup", "verify", database.url(backup), app=app)
    assert (code, "do not restore" in text) == (1, True), text


async def test_a_file_that_is_not_there_is_wrong_use(host: Host) -> None:
    code, text = await host.type("backup", "verify", "nowhere.db", app=app)
    assert (code, "There is no file" in text) == (2, True)
