"""Replicas under everything that goes wrong: nothing is lost, nothing happens twice, and the log stays one.

The short form runs with the suite; `make chaos` runs the long one (four replicas, eight writers) and prints its figures.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.ports.database import PostgresServer
from storage.postgres import schema
from storage.postgres.driver import PostgresSession
from tests.end_to_end.conftest import Bot
from tests.end_to_end.domains import with_domains
from tests.end_to_end.fleet import Fleet, with_keys
from tests.end_to_end.oracle import copies, filings_come_to_one_outcome, holds, kinds, late, stale, unsaid
from tests.end_to_end.own_postgres import OwnPostgres
from tests.end_to_end.storm import Storm
from tests.end_to_end.writers import Record, Writer, trail

Start = Callable[..., Awaitable[Bot]]
OWNER = "U0OWNER"
REPLICAS, WRITERS = int(os.environ.get("CHAOS_REPLICAS", "3")), int(os.environ.get("CHAOS_WRITERS", "4"))
REQUESTS, KILLS = int(os.environ.get("CHAOS_REQUESTS", "40")), int(os.environ.get("CHAOS_KILLS", "2"))
DOMAINS = int(os.environ.get("CHAOS_DOMAINS", "8"))
PACE = float(os.environ.get("CHAOS_PACE", "2"))  # seconds between two requests of a writer
PAUSE = float(os.environ.get("CHAOS_PAUSE", "12"))  # seconds between two blows at most
SEED = int(os.environ.get("CHAOS_SEED", "20"))
SCALE = 12  # a reminder after 15 s, an expiry after 225 s
PATIENCE = 180.0  # seconds that a request and its decision may take in all while everything is being struck
BOUND = (
    10.0 if KILLS > 2 else 20.0
)  # seconds from a press to its answer, over the death of the leader; a loaded machine is slower
LATE = 60.0  # seconds by which a step may be late: the longest outage here, and the takeover after it


@pytest.fixture
async def database() -> AsyncIterator[OwnPostgres]:
    async with OwnPostgres() as found:
        session = PostgresSession(found.server.url)
        with session.raw:
            schema.migrate(session, 0)
        yield found


@pytest.fixture
async def fleet(database: OwnPostgres, start: Start, tmp_path: Path) -> AsyncIterator[Fleet]:
    def place() -> tuple[PostgresServer, str]:
        return PostgresServer(database.server.url), database.line.url

    prepare = with_keys(*place())
    found = Fleet(await start(SCALE, prepare=prepare, rewrite=partial(with_domains, domains=DOMAINS)), place)
    try:
        await found.grow(tmp_path, REPLICAS)
        yield found
    finally:
        await found.stop()


def figures(what: str, values: list[float]) -> str:
    ordered = sorted(values)
    return f"{what}: median {statistics.median(ordered):.2f} s, 99th {ordered[int(len(ordered) * 0.99)]:.2f} s, longest {ordered[-1]:.2f} s"


@pytest.mark.timeout(36_000)
async def test_whatever_goes_wrong_nothing_is_lost_doubled_or_forked(fleet: Fleet, database: OwnPostgres) -> None:
    record, over, began = Record(), asyncio.Event(), time.monotonic()
    storm = Storm(fleet, database, random.Random(SEED), PAUSE)
    raging = asyncio.ensure_future(storm.rage(over))
    writers = [
        Writer(fleet, record, f"w{n}", range(n, DOMAINS, WRITERS), random.Random(SEED + n), PATIENCE, PACE)
        for n in range(WRITERS)
    ]
    try:
        await asyncio.gather(*(writer.write(REQUESTS // WRITERS) for writer in writers))
    finally:
        over.set()
        await raging
    await asyncio.gather(*record.later)
    took = time.monotonic() - began
    await fleet.whole()
    await fleet.ground.until(partial(everything_is_said, fleet), 60 + REQUESTS / 10)
    await holds(fleet, record)
    filings_come_to_one_outcome(fleet, record)
    await nothing_asks_any_more(fleet)
    assert unsaid(fleet, record, range(DOMAINS)) == []
    behind = late(fleet)
    print(f"\n{len(record.filed)} requests in {took:.0f} s, {storm.done.total()} blows {dict(storm.done)}")
    print(f"{record.refused} presses answered that nothing is given now, and pressed again")
    print(f"{record.repeated} deliveries repeated, {copies(fleet)} second copies of cards, {kinds(fleet)}")
    print(figures("from a press to its decision", record.waited))
    print(figures("steps and expiries behind their time", behind))
    assert len(record.filed) == REQUESTS // WRITERS * WRITERS
    assert {"kill leader", "cut", "freeze leader", "restart the database"} <= set(storm.done)
    assert max(behind) < LATE


async def nothing_asks_any_more(fleet: Fleet) -> None:
    """Within a minute no message asks about what is decided; else fails with what is known of one that does."""
    end = time.monotonic() + 60
    while left := stale(fleet, range(DOMAINS)):
        assert time.monotonic() < end, f"{left}: {await trail(fleet, left[0].split()[-1])}"
        await asyncio.sleep(0.1)


def everything_is_said(fleet: Fleet) -> bool:
    """Nothing that was taken in or is due to be said waits."""
    (inbox,) = fleet.rows("SELECT count(*) FROM inbox WHERE done_ms IS NULL")[0]
    (outbox,) = fleet.rows("SELECT count(*) FROM outbox WHERE done_ms IS NULL AND purpose <> 'home'")[0]
    return inbox == 0 and outbox == 0


@pytest.mark.timeout(36_000)
async def test_a_press_that_a_killed_leader_acknowledged_is_answered_by_another(fleet: Fleet, file: Any) -> None:
    sandbox, waits = fleet.sandbox, []
    for number in range(KILLS):
        card = await file(sandbox, target=f"dc-{number}")
        # The card is noted as sent: a kill before that leaves two copies of it (design, section 9), and one is brought up to date.
        await fleet.ground.until(lambda: not fleet.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"), 30)
        leader = fleet.leader()
        assert leader is not None
        outcome = await sandbox.press(OWNER, "Approve", message=card)
        pressed = time.monotonic()
        await fleet.kill(leader)
        assert outcome.ok
        await sandbox.wait_for(lambda c=card: "Approve" not in sandbox.current(c).buttons, 60)  # type: ignore[misc]
        waits.append(time.monotonic() - pressed)
        await leader.launch()
        await fleet.whole()
    print("\n" + figures(f"{KILLS} kills of the leader, from the press to the answer", waits))
    assert max(waits) < BOUND
    await holds(fleet, Record())
