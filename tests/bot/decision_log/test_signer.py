"""The signer over a real database: it covers what was committed, and refuses whatever does not extend its memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.decision_log.keys import LOG_KEY, make_keys, read_key, verify
from bot.decision_log.signer import Signer
from bot.decision_log.signer_memory import MEMORY, recall, remember
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.decision_log.merkle_tree import append, leaf_hash, root
from bot.domain.decision_log.signed_note import Checkpoint, open_checkpoint
from bot.domain.decision_log.verify.log import LogFinding
from storage.log.append import Head
from storage.sqlite.lock import FileLock
from tests.database import connect, copy, open_store, without_triggers
from tests.storage.making import SECOND, HandClock

ORIGIN = "test.example/log"


class Log:
    """A log with its state directory; `restart` is a new process on what the old one left."""

    def __init__(self, folder: Path) -> None:
        self.path, self.state, self.clock = folder / "countersign.db", folder / "state", HandClock()

    async def open(self) -> Log:
        self.store = await open_store(self.path, self.clock, ORIGIN, self.state)
        make_keys(self.state)
        self.key, self.lock = read_key(self.state / LOG_KEY), FileLock(self.state)
        self.signer = Signer(self.store.log, self.state, self.lock)
        return self

    async def close(self) -> None:
        await self.store.close()
        self.lock.close()

    async def stopped(self) -> LogFinding:
        found = await self.signer.cover()
        assert isinstance(found, LogFinding)
        return found

    async def write(self, entries: int = 1) -> None:
        await self.store.commit(Transition(None, None, tuple(LogEvent("log.verified", SYSTEM) for _ in range(entries))))

    async def signed(self) -> Checkpoint:
        note = await self.store.log.last_checkpoint()
        assert note is not None
        return open_checkpoint(note, [self.key.vkey(ORIGIN)], verify)

    async def restart(self) -> None:
        await self.close()
        await self.open()

    def tamper(self, *statements: str) -> None:
        """What somebody with the file does: triggers are no obstacle."""
        with closing(connect(self.path)) as raw:
            without_triggers(raw)
            for statement in statements:
                raw.execute(statement)
            raw.commit()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    opened = await Log(tmp_path).open()
    yield opened
    await opened.close()


async def test_one_signature_covers_every_commit_before_it(log: Log) -> None:
    await log.write()
    await log.write(300)
    await log.signer.cover()
    head = await log.store.log.head()
    assert await log.signed() == Checkpoint(ORIGIN, 302, root(head.edge)) == recall(log.state)


async def test_nothing_new_is_not_signed_again(log: Log) -> None:
    await log.signer.cover()
    before = (log.state / MEMORY).stat().st_mtime_ns
    await log.signer.cover()
    assert (log.state / MEMORY).stat().st_mtime_ns == before


async def test_those_who_wait_while_the_log_grows_share_a_signature(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message that is said writes that it was said: else every one of them would sign for itself."""
    keep, signed, calls = log.store.log.keep_checkpoint, list[int](), list[int]()

    async def keeping(size: int, root: bytes, note: str) -> None:
        await keep(size, root, note)
        signed.append(size)
        await log.write()

    async def call() -> None:
        await log.write()
        before = (await log.store.log.head()).size
        found = await log.signer.cover()
        assert not isinstance(found, LogFinding)
        assert found.size >= before
        calls.append(before)

    monkeypatch.setattr(log.store.log, "keep_checkpoint", keeping)
    await asyncio.gather(*(call() for _ in range(16)))
    assert len(calls) == 16
    assert len(signed) < 8


async def test_who_comes_before_the_log_is_read_shares_that_signature(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    heads, head = list[int](), log.store.log.head

    async def counted() -> Head:
        heads.append(1)
        return await head()

    await log.write()
    monkeypatch.setattr(log.store.log, "head", counted)
    found = await asyncio.gather(*(log.signer.cover() for _ in range(4)))
    assert len(set(map(id, found))) == len(heads) == 1


async def test_a_tail_that_a_killed_process_left_is_signed_at_the_next_call(log: Log) -> None:
    await log.signer.cover()
    await log.write(5)
    await log.restart()
    await log.signer.cover()
    assert (await log.signed()).size == 6


async def test_a_kill_between_memory_and_note_is_made_up_for(log: Log) -> None:
    await log.write()
    head = await log.store.log.head()
    remember(log.state, Checkpoint(ORIGIN, head.size, root(head.edge)))
    await log.signer.cover()
    assert (await log.signed()).size == head.size


async def test_a_log_without_its_memory_is_not_signed(log: Log) -> None:
    await log.signer.cover()
    (log.state / MEMORY).unlink()
    await log.restart()
    found = await log.stopped()
    assert (found.code, "no memory" in found.text) == ("rollback", True)


async def test_yesterdays_file_is_not_signed(log: Log, tmp_path: Path) -> None:
    await log.close()
    copy(log.path, tmp_path / "yesterday.db")
    await log.open()
    await log.write(3)
    await log.signer.cover()
    await log.close()
    copy(tmp_path / "yesterday.db", log.path)
    await log.open()
    found = await log.stopped()
    assert (found.code, found.text) == ("rollback", "4 entries were signed; the log has 1.")


async def test_yesterdays_file_grown_past_the_memory_is_not_signed(log: Log, tmp_path: Path) -> None:
    await log.close()
    copy(log.path, tmp_path / "yesterday.db")
    await log.open()
    await log.write(3)
    await log.signer.cover()
    await log.close()
    copy(tmp_path / "yesterday.db", log.path)
    await log.open()
    log.clock.at += SECOND  # the same entries at the same moment would be the same log
    await log.write(9)
    found = await log.stopped()
    assert found.code == "fork"


async def test_a_rebuilt_tree_is_not_signed(log: Log) -> None:
    await log.write(4)
    await log.signer.cover()
    rows = [bytes(row.data or b"") for row in await log.store.log.rows(0, 10)]
    rows[2] = rows[2].replace(b"log.verified", b"log.exported")
    edge: list[bytes] = []
    for i, data in enumerate(rows):
        edge = append(i, edge, leaf_hash(data))
    log.tamper(
        f"UPDATE log_entry SET data = x'{rows[2].hex()}', leaf = x'{leaf_hash(rows[2]).hex()}' WHERE idx = 2",
        f"UPDATE log_head SET edge = x'{b''.join(edge).hex()}'",
    )
    await log.restart()
    await log.write()
    found = await log.stopped()
    assert found.code == "fork"


async def test_a_stopped_signer_stays_stopped_and_leaves_its_memory_alone(log: Log) -> None:
    await log.write(4)
    await log.signer.cover()
    remembered = recall(log.state)
    log.tamper("DELETE FROM log_entry WHERE idx = 4", "UPDATE log_head SET size = 4, edge = substr(edge, 1, 32)")
    await log.restart()
    await log.stopped()
    assert recall(log.state) == remembered
    assert (await log.signed()).size == 5


async def test_a_damaged_memory_stops(log: Log) -> None:
    (log.state / MEMORY).write_text("nonsense")
    found = await log.stopped()
    assert found.code == "checkpoint"
