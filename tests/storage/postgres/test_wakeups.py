"""What any replica takes in wakes the leader, also after its connection was cut."""

from __future__ import annotations

import asyncio

from bot.ports.commands import ReplyAddress, ShowPage
from bot.ports.database import PostgresServer
from storage.postgres_store import PostgresStore
from tests.storage.making import PE1, HandClock, beside

READ = ShowPage(PE1, "mine", "", ReplyAddress(PE1))
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
LISTENS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


async def test_what_came_in_wakes_the_leader(postgres_database: PostgresServer, clock: HandClock) -> None:
    woken = asyncio.Event()
    leader, other = await PostgresStore.open(postgres_database, clock), await PostgresStore.open(postgres_database, clock)
    wakeups = leader.wakeups(woken.set)
    wakeups.start()
    try:
        await asyncio.wait_for(woken.wait(), 10)  # it listens
        woken.clear()
        await other.inbox.take_in("one", READ, {})
        await asyncio.wait_for(woken.wait(), 10)
        with beside(postgres_database) as raw:
            raw.execute(CUT)
        woken.clear()
        await asyncio.wait_for(woken.wait(), 10)  # it has connected again
        woken.clear()
        await other.inbox.take_in("two", READ, {})
        await asyncio.wait_for(woken.wait(), 10)
    finally:
        await wakeups.stop()
        await leader.close()
        await other.close()
    with beside(postgres_database) as raw:
        assert raw.execute(LISTENS).fetchone() == (0,)
