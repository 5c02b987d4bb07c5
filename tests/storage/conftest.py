"""A real SQLite file with a store on it, and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

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


@pytest.fixture
async def store(path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(path, clock, ORIGIN)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
async def _nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A test that fails with a database open would otherwise keep its thread, and the whole run, alive."""
    opened: list[SqliteDatabase] = []
    original = SqliteDatabase.__init__

    def noted(self: SqliteDatabase, connection: aiosqlite.Connection) -> None:
        original(self, connection)
        opened.append(self)

    monkeypatch.setattr(SqliteDatabase, "__init__", noted)
    yield
    for database in opened:
        await database.close()
