"""P11: the decision log. What an entry costs, what checking all of them costs, and what proving one of them costs.

Appending: one entry a transaction through the store, which reads the head, seals, hashes, and moves the head; its floor is
one raw durable insert of the very row, on the caller's own thread. The goal is judged with ten at a time, as P3 has it; one
at a time is reported beside it. Verification is all that `log verify` does with the entries of a database, in one
process a core: bytes, leaves, nodes, canonical form, time, case chains, disclosures. Its floor reads the same bytes in the
same order and hashes them once in one process; the goal is for two cores. A proof is made as the bot serves it, of entries
all over the log.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from time import perf_counter

from bench.bot import BenchError
from bench.longlog import ORIGIN, long_log
from bench.rounds import Goal, Result, Size, in_turns
from bot.clock import SystemClock
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from storage.log.check import check_database
from storage.store import SqliteStore

AT_ONCE = 10
_STRIDE = 618_033_989  # visits entries all over the log, in no order
_RAW, _HASHED = "a raw durable insert of the row", "reading and hashing the same bytes"
_INSERT = "INSERT INTO log_entry (idx, leaf, data, type, case_id, ts_ms) VALUES (?, ?, ?, ?, ?, ?)"


async def measure(size: Size, scratch: Path) -> list[Result]:
    folder = scratch / "proving"
    folder.mkdir()
    return [*await _appending(size, folder), *await _checking(size, folder)]


async def _appending(size: Size, folder: Path) -> list[Result]:
    store = await SqliteStore.open(folder / "append.db", SystemClock(), ORIGIN, folder / "state")
    try:
        await store.commit(_entry())
        with closing(_raw(folder / "append.db", folder / "raw.db")) as raw:
            found = await in_turns(size.rounds, {
                "one": _rate(size.acts, 1, lambda: store.commit(_entry())),
                _RAW: _rate(size.acts, 1, _inserting(raw)),
                "ten": _rate(size.acts, AT_ONCE, lambda: store.commit(_entry())),
            })  # fmt: skip
    finally:
        await store.close()
    one, ten = (
        Goal("P11", "entries a second, one at a time", None),
        Goal("P11", "entries a second, ten at a time", 0.6, at_least=True),
    )
    return [Result(one, "/s", found["one"], _RAW, found[_RAW]), Result(ten, "/s", found["ten"], _RAW, found[_RAW])]


async def _checking(size: Size, folder: Path) -> list[Result]:
    path = await long_log(folder / "long.db", size.entries)
    found = await in_turns(size.storms, {"ours": _checked(path, size.entries), _HASHED: _hashed(path)}, warm_up=0)
    store = await SqliteStore.open(path, SystemClock(), ORIGIN)
    try:
        proofs = await in_turns(size.rounds, {"ours": _proofs(store, size.entries, size.dispatches)})
    finally:
        await store.close()
    what = f"a full check of {size.entries:,} entries"
    return [
        Result(Goal("P11", what, 6.0), "s", found["ours"], _HASHED, found[_HASHED]),
        Result(Goal("P11", f"a proof among {size.entries:,} entries, p99", 10.0), "ms", proofs["ours"]),
    ]


def _entry() -> Transition:
    return Transition(None, None, (LogEvent("policy.rejected", SYSTEM, data={"places": ("responsibility.yaml:12",)}),))


def _raw(ours: Path, path: Path) -> sqlite3.Connection:
    """A file with nothing but the table of entries, its indexes and no trigger, opened by hand."""
    with closing(sqlite3.connect(ours)) as found:
        wanted = "SELECT sql FROM sqlite_master WHERE tbl_name = 'log_entry' AND type <> 'trigger' AND sql IS NOT NULL"
        made = found.execute(wanted).fetchall()
        row = found.execute("SELECT leaf, data, type, case_id, ts_ms FROM log_entry WHERE idx = 1").fetchone()
    raw = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", *(sql for (sql,) in made)):
        raw.execute(statement)
    raw.execute(_INSERT, (0, *row))
    return raw


def _inserting(raw: sqlite3.Connection) -> Callable[[], Awaitable[None]]:
    (row,) = raw.execute("SELECT leaf, data, type, case_id, ts_ms FROM log_entry").fetchall()
    indexes = count(1)

    async def insert() -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(_INSERT, (next(indexes), *row))
        raw.execute("COMMIT")

    return insert


def _rate(times: int, at_once: int, append: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        async def worker() -> None:
            for _ in range(times // at_once):
                await append()

        begun = perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return times // at_once * at_once / (perf_counter() - begun)

    return subject


def _checked(path: Path, entries: int) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        begun = perf_counter()
        checked = check_database(path)
        took = perf_counter() - begun
        if checked.findings or checked.size != entries:
            raise BenchError(f"{checked.size} entries, found: {[str(finding) for finding in checked.findings[:3]]}")
        return took

    return subject


def _hashed(path: Path) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        with closing(sqlite3.connect(path)) as raw:
            begun = perf_counter()
            for (data,) in raw.execute("SELECT data FROM log_entry ORDER BY idx"):
                hashlib.sha256(data).digest()
            return perf_counter() - begun

    return subject


def _proofs(store: SqliteStore, entries: int, times: int) -> Callable[[], Awaitable[float]]:
    chosen = (n * _STRIDE % entries for n in count(1))

    async def subject() -> float:
        took = []
        for _ in range(times):
            begun = perf_counter()
            await store.log.inclusion(next(chosen), entries)
            took.append((perf_counter() - begun) * 1000)
        return sorted(took)[max(0, int(times * 0.99) - 1)]

    return subject
