"""A real database with a store on it, SQLite and PostgreSQL in turn, and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from bot.ports.database import Location, PostgresServer
from storage.opening import open_database
from storage.postgres.driver import PostgresDatabase, PostgresSession
from storage.sql_store import SqlStore
from storage.sqlite.driver import SqliteDatabase
from storage.store import SqliteStore
from tests.storage.making import HandClock

ORIGIN = "test.example/log"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "countersign.db"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, path: Path) -> Location:
    """Where the database is: what holds for the store holds on both."""
    if request.param == "sqlite":
        return path
    found: PostgresServer = request.getfixturevalue("postgres_database")
    return found


@pytest.fixture
async def store(place: Location, clock: HandClock) -> AsyncIterator[SqlStore]:
    opened = await open_database(place, clock, ORIGIN)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    """For what only SQLite has."""
    opened = await SqliteStore.open(path, clock, ORIGIN)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
async def _nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A test that fails with a database open would otherwise keep its thread, and the whole run, alive."""
    opened: list[SqliteDatabase | PostgresDatabase] = []
    sqlite, postgres = SqliteDatabase.__init__, PostgresDatabase.__init__

    def noted(self: SqliteDatabase, connection: aiosqlite.Connection) -> None:
        sqlite(self, connection)
        opened.append(self)

    def noted_too(self: PostgresDatabase, session: PostgresSession) -> None:
        postgres(self, session)
        opened.append(self)

    monkeypatch.setattr(SqliteDatabase, "__init__", noted)
    monkeypatch.setattr(PostgresDatabase, "__init__", noted_too)
    yield
    for database in opened:
        await database.close()
