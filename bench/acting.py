"""P3: one act, the owner's yes: state by compare-and-swap, log entries, outbox, next deadline, durable.

The floor runs the very statements of the store on a copy of the file, with the very data: the store is run once on a copy
with a recorder in place of its connection, and each transaction is replayed. Savepoints are left out, since one act a
transaction needs none, and the floor judges, seals and serialises nothing. It waits for the disk exactly as we do.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import aiosqlite

from bench.bot import RUNBOOK, BenchError
from bench.rounds import Goal, Result, Size, in_turns
from bot.clock import SystemClock
from bot.demo.workspace import APPROVER, ASKER
from bot.domain.case.click import Click
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import filing, filing_form
from bot.domain.workflow.asks import engine
from storage.sql_store import SqlStore
from storage.store import SqliteStore

AT_ONCE = 10
_RAW, _LOCKED = "raw sqlite3, the same statements", "aiosqlite behind a lock, the same statements"
_WHOLE = "aiosqlite behind a lock, a whole transaction a hop (private)"
_BEGIN, _COMMIT = "BEGIN IMMEDIATE", "COMMIT"
_OWNER, _REQUESTER = Person("T0HOME", APPROVER), Person("T0HOME", ASKER)

Step = tuple[str, Any, bool]  # the statement, its values (a list for many rows), whether rows come back
Recorded = list[Step]


async def measure(size: Size, policy: Policy, scratch: Path) -> list[Result]:
    folder = scratch / "acting"
    folder.mkdir()
    lots = (size.rounds + 1) * size.acts
    acts = await _prepared(policy, folder / "start.db", 2 * lots)
    recorded = await _recorded(folder, acts)
    alone, crowd = (acts[:lots], recorded[:lots]), (acts[lots:], recorded[lots:])
    async with AsyncExitStack() as stack:
        ours = await _store(_copy(folder, "ours"))
        stack.push_async_callback(ours.close)
        raw = stack.enter_context(closing(_opened(_copy(folder, "raw"))))
        slow = await stack.enter_async_context(aiosqlite.connect(_copy(folder, "slow"), isolation_level=None))
        whole = await stack.enter_async_context(aiosqlite.connect(_copy(folder, "whole"), isolation_level=None))
        for connection in (slow, whole):
            for pragma in _DURABLE:
                await connection.execute(pragma)
        one = await in_turns(size.rounds, {
            "ours": rate(alone[0], size.acts, 1, ours.commit), _RAW: rate(alone[1], size.acts, 1, _replayed(raw)),
        })  # fmt: skip
        for skipped in alone[1]:  # the other two files must have ours
            for connection in (slow, whole):
                await connection._execute(_run, connection._conn, skipped)  # type: ignore[no-untyped-call]
        many = await in_turns(size.rounds, {
            "ours": rate(crowd[0], size.acts, AT_ONCE, ours.commit),
            _LOCKED: rate(crowd[1], size.acts, AT_ONCE, _by_statement(slow), asyncio.Lock()),
            _WHOLE: rate(crowd[1], size.acts, AT_ONCE, _at_once(whole), asyncio.Lock()),
        })  # fmt: skip
        head = await ours.log.head()
    _check(folder, head.size)
    return [
        Result(Goal("P3", "acts a second, one at a time", 0.45, at_least=True), "/s", one["ours"], _RAW, one[_RAW]),
        Result(Goal("P3", "acts a second, ten at a time", 2.2, at_least=True), "/s", many["ours"], _LOCKED, many[_LOCKED]),
        Result(Goal("P3", "acts a second, ten at a time", None), "/s", many["ours"], _WHOLE, many[_WHOLE]),
    ]


_DURABLE = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")


async def _store(path: Path) -> SqliteStore:
    return await SqliteStore.open(path, SystemClock(), state_dir=path.with_suffix(".state"))


async def _prepared(policy: Policy, path: Path, wanted: int) -> list[Transition]:
    """So many requests, each with its cards in Slack, and the owner's yes to each, judged and not yet carried out."""
    store = await _store(path)
    try:
        return await prepared_in(store, policy, wanted)
    finally:
        await store.close()


async def prepared_in(store: SqlStore, policy: Policy, wanted: int) -> list[Transition]:
    """As above, in a store that stays open."""
    clock = SystemClock()
    cases = [await store.commit(act) for act in filings(policy, clock, 1)]
    cases += await asyncio.gather(*(store.commit(act) for act in filings(policy, clock, wanted - 1)))
    ts = 0
    while leased := await store.outbox.lease(clock.now(), clock.now() + timedelta(minutes=1), 500):
        sent = []
        for outgoing in leased:
            ts += 1
            sent.append(store.outbox.sent(outgoing, "D0BENCH", f"{ts}.0", 1, ()))
        await asyncio.gather(*sent)
    return [_yes(policy, case, clock) for case in cases if case is not None]


def filings(policy: Policy, clock: SystemClock, times: int) -> Iterator[Transition]:
    """So many requests, judged and not yet written."""
    for _ in range(times):
        form = filing_form.Form(
            clock.request_id(), _REQUESTER, RUNBOOK, "dc-core-01", "Sync stopped, nobody can sign in", 3600,
            {"ticket": "INC20417"}, None,
        )  # fmt: skip
        act = filing.file(policy, form, filing.Earlier(0, None, None, False), Presence({}), clock.now(), 1.0)
        if act.after is None:
            raise BenchError("The request was refused.")
        yield act


def _yes(policy: Policy, case: Case, clock: SystemClock) -> Transition:
    click = Click(_OWNER, "approve", case.approval.version, {})
    act = engine.answer(case, case.approval, policy, click, Profile(_OWNER, name="Olga"), clock.now())
    if act.after is None:
        raise BenchError("The yes was refused.")
    return act


# Recording.


class Recorder:
    """Stands in the place of the writer's connection and notes what passes."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self.transactions: list[Recorded] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def execute(self, sql: str, values: Mapping[str, object] | tuple[()] = ()) -> sqlite3.Cursor:
        cursor = self._raw.execute(sql, values)
        if sql == _BEGIN:
            self.transactions.append([])
        elif not sql.startswith((_COMMIT, "SAVEPOINT", "RELEASE")):
            self.transactions[-1].append((sql, values, cursor.description is not None))
        return cursor

    def executemany(self, sql: str, rows: Iterable[Mapping[str, object]]) -> sqlite3.Cursor:
        listed = list(rows)
        self.transactions[-1].append((sql, listed, False))
        return self._raw.executemany(sql, listed)


async def _recorded(folder: Path, acts: Sequence[Transition]) -> list[Recorded]:
    store = await _store(_copy(folder, "recorded"))
    try:
        session = store.transactions.writer._session  # type: ignore[union-attr]  # where the statements pass
        recorder = session.raw = Recorder(session.raw)  # type: ignore[union-attr]
        for act in acts:
            await store.commit(act)
    finally:
        await store.close()
    if len(recorder.transactions) != len(acts):
        raise BenchError("An act was not one transaction.")
    return recorder.transactions


def _copy(folder: Path, name: str) -> Path:
    return Path(shutil.copyfile(folder / "start.db", folder / f"{name}.db"))


# Replaying.


def _opened(path: Path) -> sqlite3.Connection:
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in _DURABLE:
        raw.execute(pragma)
    return raw


def _run(raw: sqlite3.Connection, steps: Recorded) -> None:
    raw.execute(_BEGIN)
    for sql, values, answers in steps:
        if isinstance(values, list):
            raw.executemany(sql, values)
        elif answers:
            raw.execute(sql, values).fetchall()
        else:
            raw.execute(sql, values)
    raw.execute(_COMMIT)


def _replayed(raw: sqlite3.Connection) -> Callable[[Recorded], Awaitable[None]]:
    async def one(steps: Recorded) -> None:
        _run(raw, steps)

    return one


def _by_statement(connection: aiosqlite.Connection) -> Callable[[Recorded], Awaitable[None]]:
    """As aiosqlite's interface has it: one await a statement."""

    async def one(steps: Recorded) -> None:
        await connection.execute(_BEGIN)
        for sql, values, answers in steps:
            if isinstance(values, list):
                await connection.executemany(sql, values)
            elif answers:
                await connection.execute_fetchall(sql, values)
            else:
                await connection.execute(sql, values)
        await connection.execute(_COMMIT)

    return one


def _at_once(connection: aiosqlite.Connection) -> Callable[[Recorded], Awaitable[None]]:
    """The whole transaction on aiosqlite's thread in one go, which only its private door gives."""

    async def one(steps: Recorded) -> None:
        await connection._execute(_run, connection._conn, steps)  # type: ignore[no-untyped-call]

    return one


def rate(
    all_of_it: Sequence[Any],
    times: int,
    at_once: int,
    run: Callable[[Any], Awaitable[object]],
    lock: asyncio.Lock | None = None,
) -> Callable[[], Awaitable[float]]:
    """A round: so many a second over the next lot, by so many workers. With a lock, order is kept: the log has one."""
    rest = iter(all_of_it)

    async def subject() -> float:
        lot = iter(list(islice(rest, times)))

        async def worker() -> None:
            if lock is None:
                for item in lot:
                    await run(item)
                return
            while True:
                async with lock:
                    item = next(lot, None)
                    if item is None:
                        return
                    await run(item)

        begun = perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return times / (perf_counter() - begun)

    return subject


def _check(folder: Path, size: int) -> None:
    """All files end with the same log and outbox; else somebody did less."""
    for name in ("ours", "recorded", "slow", "whole"):
        with closing(sqlite3.connect(folder / f"{name}.db")) as found:
            (entries,) = found.execute("SELECT size FROM log_head").fetchone()
            (approved,) = found.execute("SELECT count(*) FROM request WHERE state = 'approved'").fetchone()
            (all_of_them,) = found.execute("SELECT count(*) FROM request").fetchone()
        if entries != size or approved != all_of_them:
            raise BenchError(f"The file of {name} ends with {entries} entries and {approved} approvals, ours with {size}.")
