"""`log rotate-key`: one log, another key; nobody who knows either key is left without a good signature."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.decision_log.keys import LOG_KEY, NEXT, read_key, verify, vkeys
from bot.domain.decision_log.signed_note import open_checkpoint, read_note, signed_by
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import KeyFileError, NoteError
from bot.runtime.key_rotation import Rotated, rotate
from bot.runtime.log_verification import TrustBase
from bot.runtime.log_verification import verify as verified
from bot.settings import Settings
from tests.bot.decision_log.test_signer import ORIGIN, Log
from tests.database import place, url


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    opened = await Log(tmp_path).open()
    await opened.write(3)
    await opened.signer.cover()
    yield opened
    await opened.close()


@pytest.fixture
def settings(log: Log) -> Settings:
    return Settings(database_url=url(log.path), state_dir=log.state)


async def test_the_checkpoint_of_the_rotation_is_signed_by_both_and_the_next_by_the_new_key(
    log: Log, settings: Settings
) -> None:
    before = log.key.vkey(ORIGIN)
    found = await rotate(settings)
    assert isinstance(found, Rotated)
    newest, oldest = vkeys(log.state, ORIGIN)
    assert (oldest, found.old, found.new) == (before, before.id.hex(), newest.id.hex())
    note = read_note(await log.store.log.last_checkpoint() or "")
    assert signed_by(note, [newest, oldest], verify) == (newest, oldest)
    await log.write()
    await log.signer.cover()  # the running bot's
    with pytest.raises(NoteError):
        open_checkpoint(await log.store.log.last_checkpoint() or "", [oldest], verify)
    assert open_checkpoint(await log.store.log.last_checkpoint() or "", [newest], verify).size > 5
    assert verified(place(log.path), TrustBase(None, log.state)).findings == ()


async def test_the_log_names_both_keys(log: Log, settings: Settings) -> None:
    found = await rotate(settings)
    assert isinstance(found, Rotated)
    (row,) = await log.store.log.rows(4, 1)
    assert row.type == "log.key_rotated"
    assert f'{{"new":"{found.new}","old":"{found.old}"}}'.encode() in (row.data or b"")


async def test_twice_is_three_keys_newest_first(log: Log, settings: Settings) -> None:
    first, second = await rotate(settings), await rotate(settings)
    assert isinstance(first, Rotated)
    assert isinstance(second, Rotated)
    assert [key.id.hex() for key in vkeys(log.state, ORIGIN)] == [second.new, first.new, first.old]
    assert verified(place(log.path), TrustBase(None, log.state)).findings == ()


async def test_a_kill_in_between_leaves_both_signing_and_the_command_goes_on(
    log: Log, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyFileError("The process died here.")

    with monkeypatch.context() as dying:
        dying.setattr("bot.runtime.key_rotation.retire", killed)
        with pytest.raises(KeyFileError):
            await rotate(settings)
    await log.write()
    await log.signer.cover()
    both = [read_key(log.state / name).vkey(ORIGIN) for name in (NEXT, LOG_KEY)]
    assert signed_by(read_note(await log.store.log.last_checkpoint() or ""), both, verify) == tuple(both)
    found = await rotate(settings)
    assert isinstance(found, Rotated)
    assert found.new == both[0].id.hex()
    assert sum(row.type == "log.key_rotated" for row in await log.store.log.rows(0, 100)) == 1


async def test_a_log_that_the_signer_refuses_gets_no_new_key(log: Log, settings: Settings) -> None:
    (log.state / "log.memory").unlink()
    assert isinstance(await rotate(settings), LogFinding)
    assert not (log.state / NEXT).exists()
