"""What a look at the server finds: whether this account sees its standbys, and whether one of them could lose entries."""

from __future__ import annotations

import asyncio

from bot.clock import SystemClock
from bot.ports.database import PostgresServer
from storage.health.postgres import examine
from storage.postgres import schema
from storage.postgres.driver import PostgresSession
from storage.postgres_store import PostgresStore
from tests.end_to_end.own_postgres import OwnPostgres
from tests.storage.conftest import ORIGIN


async def said(url: str) -> list[str]:
    return [str(one) for one in await examine(PostgresServer(url))]


async def until_said(url: str, word: str) -> None:
    """The one finding has this word; without a word there is none."""
    async with asyncio.timeout(30):
        while not (len(found := await said(url)) == bool(word) and all(word in text for text in found)):
            await asyncio.sleep(0.05)


async def test_a_standby_that_could_lose_entries_is_an_error_and_who_cannot_see_it_is_told_how() -> None:
    async with OwnPostgres() as database:
        server = database.server
        session = PostgresSession(server.url)
        with session.raw:
            schema.migrate(session, 0)
        (before,) = await said(server.url)
        assert "The decision log has not begun yet" in before  # migrated, and no bot was started
        await (await PostgresStore.open(PostgresServer(server.url), SystemClock(), ORIGIN)).close()
        assert await said(server.url) == []
        await database.standby()
        await until_said(server.url, "error: database: The database's standby is asynchronous")
        server.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        server.execute("SELECT pg_reload_conf()")
        await until_said(server.url, "")
        server.execute("CREATE ROLE poor LOGIN")
        server.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor")
        poor = server.url.replace("postgres@", "poor@")
        await until_said(poor, "warning: database: This account cannot see")
        server.execute("GRANT pg_monitor TO poor")
        await until_said(poor, "")
