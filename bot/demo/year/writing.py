"""Writes the year into a database: through the store and its log, sealed and chained as every entry, then signed.

Only the engine is left out: nobody is asked, the entries contain the results. The same seed and size give the same
bytes, apart from the signatures, whose key is new in each folder.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, islice
from pathlib import Path

from bot.clock import SystemClock
from bot.decision_log.signer import signer_of
from bot.demo.year import organisation
from bot.demo.year.draws import Draws, request_id
from bot.demo.year.stories import Story, told
from bot.domain.case.transition import SYSTEM, FileDigest, LogEvent
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.records import StoredPolicy
from storage.sqlite.lock import FileLock
from storage.store import SqliteStore
from storage.transactions import Tx

ORIGIN = "year.example/log"
YEAR, WHOLE = 2025, 60_000  # the year, and the requests of a whole one
_BEGINS, _SECONDS = datetime(YEAR, 1, 1, tzinfo=UTC), 363 * 86_400  # the last days are for what is still open
_LOT = 5_000  # entries in one transaction

Dated = tuple[datetime, LogEvent]


@dataclass(slots=True)
class YearClock(SystemClock):
    """A clock set to the current moment of the simulated year, and constant salts."""

    draws: Draws
    at: datetime = _BEGINS
    ids: Iterator[int] = field(default_factory=count)

    def now(self) -> datetime:
        return self.at

    def salt(self) -> bytes:
        return self.draws.bytes()[:16]


async def write_year(
    database: Path, state_dir: Path, requests: int = WHOLE, seed: str = "year", said: Callable[[int], None] = lambda _: None
) -> int:
    """Writes `requests` and what came of them, and signs. Returns the number of entries. `said` is called with the progress.

    Raises StorageError, SettingsError."""
    os.makedirs(state_dir, mode=0o700, exist_ok=True)
    policy, clock = organisation.policy(), YearClock(Draws(f"{seed} salts"))
    store, lock = await SqliteStore.open(database, clock, ORIGIN, state_dir), FileLock(state_dir)
    try:
        listed = tuple({"path": file.path, "sha256": file.sha256} for file in policy.files)
        loaded = LogEvent("policy.loaded", SYSTEM, data={"files": listed}, policy=_named(policy))
        await store.policies.accept(StoredPolicy(policy.digest, clock.at, policy.files), [loaded])
        entries = in_order(policy, requests, seed)
        written = 0
        while lot := list(islice(entries, _LOT)):
            clock.at = lot[-1][0]
            await store.transactions.write(partial(_append, lot))
            written += len(lot)
            said(written)
        await signer_of(store.log, state_dir, lock).cover()
        return written
    finally:
        await store.close()
        lock.close()


def _append(lot: list[Dated], tx: Tx) -> None:
    for at, event in lot:
        tx.ledger.append(event, at)


def in_order(policy: Policy, requests: int, seed: str) -> Iterator[Dated]:
    """Every entry of every story, in the order of time."""
    draws, order = Draws(seed), count()
    waiting: list[tuple[datetime, int, LogEvent]] = []
    runbooks = sorted(policy.runbooks.values(), key=lambda runbook: runbook.id)
    for number in range(requests):
        at = _BEGINS + timedelta(seconds=1 + number * _SECONDS // requests)
        while waiting and waiting[0][0] <= at:
            yield waiting[0][0], heapq.heappop(waiting)[2]
        provider = (runbook := draws.one(runbooks)).providers[0]
        requester = Person(f"T0{provider.upper()}", draws.one(organisation.requester_ids(provider)))
        for after, event in told(Story(request_id(number + 1), at, policy, runbook, requester, provider, draws)):
            heapq.heappush(waiting, (at + timedelta(seconds=after), next(order), event))
    while waiting:
        yield waiting[0][0], heapq.heappop(waiting)[2]


def _named(policy: Policy) -> FileDigest:
    return FileDigest(policy.organisation, policy.digest)
