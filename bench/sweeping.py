"""P5, P6, P8: deadlines as rows, with a hundred thousand pending requests.

P5 times an empty wake-up of the real sweeper. P6 lets a thousand steps fall due in one instant and takes each one's lateness
once it is committed; its peer is APScheduler with its SQLAlchemyJobStore on SQLite, as many jobs in store, each job one
durable transaction of one insert (ours writes state, log, outbox and the next deadline). P8 times the database's opening up to
the end of the first sweep, which is all that a restart does with deadlines: nothing is armed again.
"""

from __future__ import annotations

import asyncio
import pickle
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import create_engine, event

from bench.acting import filings
from bench.bot import BenchError
from bench.crowd import fall_due, multiplied
from bench.rounds import Goal, Result, Size, in_turns
from bot.app import settle
from bot.background.sweeper import Sweeper
from bot.clock import SystemClock
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile
from bot.service.approvals import ApprovalService
from storage.sql_store import SqlStore
from storage.store import SqliteStore

Opened: TypeAlias = tuple[SqlStore, ApprovalService, Sweeper]
_SOON = timedelta(seconds=0.4)
_PEER = "APScheduler, SQLAlchemyJobStore, one durable transaction a job"
_LATE: list[float] = []  # where the peer's jobs note their lateness
_PEERS: dict[str, Any] = {}


async def measure(size: Size, policy: Policy, scratch: Path) -> list[Result]:
    folder = scratch / "sweeping"
    folder.mkdir()
    acts = iter(list(filings(policy, SystemClock(), 3)))
    many = await multiplied(folder / "many.db", next(acts), size.pending)
    few = await multiplied(folder / "few.db", next(acts), size.pending // 100)
    none = await multiplied(folder / "none.db", next(acts), 0)
    asleep = await in_turns(size.rounds, {"many": _empty(many, policy), "few": _empty(few, policy)})
    ready = await in_turns(size.rounds, {"many": _ready(many, policy), "none": _ready(none, policy)})
    blocked: list[float] = []
    jobs = _jobs(folder / "peer.db", size.pending)
    ours = storm(partial(_opened, many, policy), partial(fall_due, many), size.due, blocked)
    fell = await in_turns(size.storms, {"ours": ours, _PEER: _peer_storm(jobs, size.due)})
    return [
        Result(Goal("P5", f"an empty wake-up with {size.pending:,} pending", 1.5), "µs", asleep["many"],
               f"with {size.pending // 100:,}", asleep["few"]),
        Result(Goal("P6", f"{size.due:,} steps due in one instant, p99 lateness", 300), "ms", fell["ours"]),
        Result(Goal("P6", "the same: event loop blocked at most", 20), "ms", blocked[1:]),
        Result(Goal("P6", "the same beside its peer, p99 lateness", 0.35), "ms", fell["ours"], _PEER, fell[_PEER]),
        Result(Goal("P8", f"restart to ready with {size.pending:,} pending", 1.25), "ms", ready["many"], "an empty store",
               ready["none"]),
    ]  # fmt: skip


class Everybody:
    """A directory that knows everybody and answers at once, as its cache does."""

    async def profile(self, person: Person, max_age: float) -> Profile:
        return Profile(person, name=person.user)

    async def quiet_until(self, person: Person, max_age: float) -> datetime | None:
        return None

    def last_known(self, person: Person) -> Profile | None:
        return None

    async def permalink(self, channel: str, ts: str) -> str:
        return ""

    async def members(self, channel: str) -> Sequence[str]:
        return ()


async def _opened(path: Path, policy: Policy) -> Opened:
    return opened(await SqliteStore.open(path, SystemClock(), state_dir=path.with_suffix(".state")), policy)


def opened(store: SqlStore, policy: Policy) -> Opened:
    """A store with what sweeps it."""
    clock = SystemClock()
    service = ApprovalService(store, Everybody(), clock, 1.0, policy)
    return store, service, Sweeper(service, store.cases, clock)


def _empty(path: Path, policy: Policy) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        store, _, sweeper = await _opened(path, policy)
        for _ in range(20):
            await sweeper.sweep()
        begun = perf_counter()
        for _ in range(200):
            if await sweeper.sweep():
                raise BenchError("Something was due.")
        took = perf_counter() - begun
        await store.close()
        return took / 200 * 1e6

    return subject


def _ready(path: Path, policy: Policy) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        begun = perf_counter()
        store, _, sweeper = await _opened(path, policy)
        await store.free_leases()
        await sweeper.sweep()
        took = perf_counter() - begun
        await store.close()
        return took * 1e3

    return subject


def storm(
    open_: Callable[[], Awaitable[Opened]], falls: Callable[[int, int, int], None], due: int, blocked: list[float]
) -> Callable[[], Awaitable[float]]:
    """A round: the next `due` of them, which `falls` (first, how many, milliseconds since 1970) makes due in one instant, swept by
    the running sweeper. Gives the 99th percentile of their lateness in milliseconds; the loop's longest silence goes to `blocked`.
    """
    place = 1

    async def subject() -> float:
        nonlocal place
        at = SystemClock().now() + _SOON
        falls(place, due, round(at.timestamp() * 1000))
        place += due
        store, service, sweeper = await open_()
        late: list[float] = []

        def committed(act: Transition) -> None:
            if act.before is not None and act.entries:
                late.append((SystemClock().now() - at).total_seconds() * 1e3)

        service.transactions.committed = committed
        settle()  # as `run` does
        stop = asyncio.Event()
        running = asyncio.create_task(sweeper.run(stop))
        blocked.append(await longest_silence(lambda: len(late) >= due))
        stop.set()
        await running
        await store.close()
        return p99(late, due)

    return subject


async def longest_silence(over: Callable[[], bool]) -> float:
    """Waits until `over`; the longest time in milliseconds that the event loop did nothing else. Raises BenchError after a minute."""
    longest, last, end = 0.0, perf_counter(), perf_counter() + 60
    while not over():
        if last > end:
            raise BenchError("The steps did not fire.")
        await asyncio.sleep(0.001)
        longest, last = max(longest, perf_counter() - last), perf_counter()
    return max(0.0, longest * 1e3 - 1)


def p99(late: Sequence[float], due: int) -> float:
    """The 99th percentile. Raises BenchError unless as many fired as were due."""
    if len(late) != due:
        raise BenchError(f"{len(late)} fired, {due} were due.")
    return sorted(late)[int(due * 0.99) - 1]


# The peer.


async def fire(number: int, due: float) -> None:
    """A job: one durable transaction."""
    raw: sqlite3.Connection = _PEERS["raw"]
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT INTO fired (n) VALUES (?)", (number,))
    raw.execute("COMMIT")
    _LATE.append((SystemClock().now().timestamp() - due) * 1e3)


def _engine(path: Path) -> Any:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _jobs(path: Path, pending: int) -> Path:
    """So many jobs in its store, ten years away, written past its interface, which takes one transaction each."""
    scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": SQLAlchemyJobStore(engine=_engine(path))})
    scheduler.start(paused=True)
    far = SystemClock().now() + timedelta(days=3650)
    job = scheduler.add_job(fire, "date", run_date=far, args=[0, 0.0], id="template", misfire_grace_time=None)
    state = job.__getstate__()
    rows = [
        (f"far-{i}", far.timestamp(), pickle.dumps({**state, "id": f"far-{i}"}, pickle.HIGHEST_PROTOCOL))
        for i in range(pending)
    ]
    with closing(sqlite3.connect(path)) as raw:
        raw.executemany("INSERT INTO apscheduler_jobs (id, next_run_time, job_state) VALUES (?, ?, ?)", rows)
        raw.execute("CREATE TABLE fired (n INTEGER)")
        raw.commit()
    scheduler.shutdown(wait=False)
    return path


def _peer_storm(path: Path, due: int) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        used = Path(shutil.copyfile(path, path.with_name("used.db")))
        scheduler = AsyncIOScheduler(
            timezone="UTC", jobstores={"default": SQLAlchemyJobStore(engine=_engine(used))}, executors={"default": AsyncIOExecutor()}
        )  # fmt: skip
        scheduler.start(paused=True)
        at = SystemClock().now() + timedelta(seconds=2 + due / 100)
        for number in range(due):
            scheduler.add_job(fire, "date", run_date=at, args=[number, at.timestamp()], misfire_grace_time=None)
        _LATE.clear()
        with closing(sqlite3.connect(used, isolation_level=None, timeout=5)) as raw:
            raw.execute("PRAGMA synchronous = FULL")
            _PEERS["raw"] = raw
            scheduler.resume()
            if SystemClock().now() >= at:
                raise BenchError("The peer's jobs were due before they stood written.")
            await longest_silence(lambda: len(_LATE) >= due)
            scheduler.shutdown(wait=False)
        for rest in path.parent.glob("used.db*"):
            rest.unlink()
        return p99(_LATE, due)

    return subject
