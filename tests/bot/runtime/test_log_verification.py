"""`log verify` on what is beside the entries: every stored note, and the signer's memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.decision_log.keys import LOG_KEY, make_keys, read_key, vkeys
from bot.decision_log.signer_memory import MEMORY, remember
from bot.domain.decision_log.merkle_tree import root
from bot.domain.decision_log.signed_note import Checkpoint, sign
from bot.domain.decision_log.verify.log import LogFinding
from bot.runtime.log_verification import TrustBase, verify
from tests.bot.decision_log.test_signer import ORIGIN, Log
from tests.database import place
from tests.storage.making import attacker


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    opened = await Log(tmp_path).open()
    for _ in range(3):
        await opened.write(2)
        await opened.signer.cover()
    yield opened
    await opened.close()


def findings(log: Log, **how: object) -> list[tuple[str, str]]:
    found = verify(place(log.path), TrustBase(None, log.state, **how)).findings  # type: ignore[arg-type]
    return [(finding.code, finding.text) for finding in found]


def codes(log: Log, **how: object) -> list[str]:
    return [code for code, _ in findings(log, **how)]


def test_a_log_with_its_notes_and_memory_has_no_findings(log: Log) -> None:
    assert findings(log) == []


def test_a_note_by_another_key_is_named(log: Log, tmp_path: Path) -> None:
    make_keys(tmp_path / "other")
    other = read_key(tmp_path / "other" / LOG_KEY)
    with attacker(place(log.path)) as raw:
        (blob,) = raw.execute("SELECT root FROM log_checkpoint WHERE size = 5").fetchone()
        forged = sign(Checkpoint(ORIGIN, 5, blob).text, [(other.vkey(ORIGIN), other.sign)])
        raw.execute("UPDATE log_checkpoint SET note = ? WHERE size = 5", (str(forged),))
    assert findings(log) == [
        ("signature", "The stored checkpoint of size 5 carries no good signature of the verifier key.")
    ]


def test_a_note_that_is_none_or_replaces_another_is_named(log: Log) -> None:
    with attacker(place(log.path)) as raw:
        raw.execute("UPDATE log_checkpoint SET note = 'nonsense' WHERE size = 3")
        raw.execute("UPDATE log_checkpoint SET note = (SELECT note FROM log_checkpoint WHERE size = 7) WHERE size = 5")
    assert codes(log) == ["checkpoint", "checkpoint", "checkpoint"]


def test_entries_that_were_signed_and_are_gone_are_a_rollback(log: Log) -> None:
    remember(log.state, Checkpoint(ORIGIN, 9, bytes(32)))
    assert findings(log) == [("rollback", "9 entries were signed; the log has 7.")]


def test_entries_that_are_not_those_that_were_signed_are_a_fork(log: Log) -> None:
    remember(log.state, Checkpoint(ORIGIN, 6, bytes(32)))
    assert findings(log) == [("fork", "The first 6 entries are not those that were signed.")]


def test_without_a_memory_nobody_can_say_what_is_lost(log: Log) -> None:
    (log.state / MEMORY).unlink()
    assert codes(log) == ["rollback"]
    assert codes(log, remembers=False) == []  # another file than the configured one


def test_a_damaged_memory_is_named(log: Log) -> None:
    (log.state / MEMORY).write_text("nonsense")
    assert codes(log) == ["checkpoint", "rollback"]


def test_keys_from_elsewhere_are_the_ones_that_count(log: Log, tmp_path: Path) -> None:
    make_keys(tmp_path / "other")
    elsewhere = vkeys(tmp_path / "other", ORIGIN)
    assert {f.code for f in verify(place(log.path), TrustBase(elsewhere, log.state)).findings} == {"signature"}
    assert verify(place(log.path), TrustBase(vkeys(log.state, ORIGIN), log.state)).findings == ()
    (log.state / LOG_KEY).unlink()
    assert isinstance(verify(place(log.path), TrustBase(None, log.state)).findings[0], LogFinding)


async def test_a_memory_of_the_whole_log_agrees(log: Log) -> None:
    head = await log.store.log.head()
    remember(log.state, Checkpoint(ORIGIN, head.size, root(head.edge)))
    assert findings(log) == []
