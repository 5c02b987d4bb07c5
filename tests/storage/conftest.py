"""A real SQLite file with a store on it, and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
