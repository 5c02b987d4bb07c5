"""P7: a thousand deadlines in one instant on PostgreSQL, with a hundred thousand pending requests, beside pgqueuer.

Ours is P6's storm on a store that holds the lease, so that each transaction checks the token. The peer has as many jobs in its
queue, each job one durable transaction of one insert; it takes batches as large as our groups, and wakes by its own knowledge of
when the next job is due. Both wait for the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job
from pgqueuer.queries import Queries

from bench.acting import filings
from bench.acting_postgres import database, leading, server
from bench.crowd import FAR, multiplied
from bench.rounds import Goal, Result, Size, in_turns
from bench.sweeping import Opened, longest_silence, opened, p99, storm
from bot.clock import SystemClock
from bot.domain.policy.model import Policy
from bot.ports.database import PostgresServer
from storage.postgres.moving import move
from storage.values import ms

_PEER = "pgqueuer, one durable transaction a job"
_BATCH = 100  # jobs that the peer takes at once, as many as ours has acts in a transaction
_PART = 10_000  # jobs that are written at once


async def measure(size: Size, policy: Policy, scratch: Path) -> list[Result]:
    act = next(iter(filings(policy, SystemClock(), 1)))
    path = await multiplied(scratch / "many-for-postgres.db", act, size.pending)
    blocked: list[float] = []
    with server() as url:
        many, jobs = database(url, "bench_many"), database(url, "bench_jobs")
        await asyncio.to_thread(move, path, many, ms(SystemClock().now()))
        await _queued(jobs, size.pending)
        _analysed(many, jobs)
        ours = storm(partial(_leading, many, policy), partial(_fall_due, many), size.due, blocked)
        fell = await in_turns(size.storms, {"ours": ours, _PEER: _peer_storm(jobs, size.due)})
    return [
        Result(Goal("P7", f"{size.due:,} steps due in one instant on PostgreSQL, p99 lateness", 0.25), "ms", fell["ours"],
               _PEER, fell[_PEER]),
        Result(Goal("P7", "the same: event loop blocked at most", None), "ms", blocked[1:]),
    ]  # fmt: skip


async def _leading(place: PostgresServer, policy: Policy) -> Opened:
    return opened(await leading(place), policy)


def _fall_due(place: PostgresServer, first: int, times: int, due_ms: int) -> None:
    ids = [f"R-{i:08d}" for i in range(first, first + times)]
    with psycopg.connect(place.url) as raw:
        raw.execute("UPDATE deadline SET due_ms = %s WHERE case_id = ANY(%s)", (due_ms, ids))
        raw.execute("UPDATE step SET due_ms = %s WHERE case_id = ANY(%s) AND state = 'waiting' AND n = 1", (due_ms, ids))


def _analysed(*places: PostgresServer) -> None:
    for place in places:
        with psycopg.connect(place.url, autocommit=True) as raw:
            raw.execute("VACUUM ANALYZE")


# The peer.


async def _queued(place: PostgresServer, pending: int) -> None:
    """So many jobs in its queue, ten years away."""
    async with await psycopg.AsyncConnection.connect(place.url, autocommit=True) as raw:
        queries = Queries(PsycopgDriver(raw))
        await queries.install()
        await raw.execute("CREATE TABLE fired (n bigint)")
        for first in range(0, pending, _PART):
            await _enqueue(queries, range(first, min(first + _PART, pending)), FAR)


async def _enqueue(queries: Queries, numbers: Sequence[int], away: timedelta) -> None:
    times = len(numbers)
    payloads: list[bytes | None] = [str(number).encode() for number in numbers]
    await queries.enqueue(["fire"] * times, payloads, [0] * times, execute_after=[away] * times)


def _peer_storm(place: PostgresServer, due: int) -> Callable[[], Awaitable[float]]:
    async def subject() -> float:
        late: list[float] = []
        async with (
            await psycopg.AsyncConnection.connect(place.url, autocommit=True) as raw,
            await psycopg.AsyncConnection.connect(place.url, autocommit=True) as work,
        ):
            manager = QueueManager(Queries(PsycopgDriver(raw)))
            away = timedelta(seconds=2 + due / 1000)
            at = SystemClock().now() + away
            await _enqueue(manager.queries, range(due), away)

            @manager.entrypoint("fire")
            async def fire(job: Job) -> None:
                await work.execute("INSERT INTO fired (n) VALUES (%s)", (int(job.payload or b"0"),))
                late.append((SystemClock().now() - at).total_seconds() * 1e3)

            running = asyncio.create_task(manager.run(batch_size=_BATCH))
            await longest_silence(lambda: len(late) >= due)
            manager.shutdown.set()
            await running
        return p99(late, due)

    return subject
