"""An installation moves from SQLite to PostgreSQL with every row; the bot goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import SettingsError
from bot.ports.database import PostgresServer
from storage.log.check import check_database
from storage.postgres.moving import move
from storage.postgres_store import PostgresStore
from storage.store import SqliteStore
from tests.postgres import PostgresForTests
from tests.storage.making import HandClock, approval, count, denial, filing, new_case


@pytest.fixture
def empty(postgres: PostgresForTests) -> Iterator[PostgresServer]:
    place = postgres.empty()
    yield place
    postgres.drop(place)


async def filled(path: Path, clock: HandClock) -> None:
    store = await SqliteStore.open(path, clock, "test.example/log")
    for number in range(90):
        case = await store.commit(filing(new_case(f"R-{number}")))
        assert case is not None
        await store.commit(denial(case) if number % 2 else approval(case))
    await store.close()


async def test_every_row_moves_and_the_log_has_the_same_root(path: Path, clock: HandClock, empty: PostgresServer) -> None:
    await filled(path, clock)
    before = check_database(path)
    rows = move(path, empty, 0)
    assert all(count(empty, table) == number == count(path, table) for table, number in rows.items())
    assert {"log_entry", "log_node", "request", "outbox", "person", "log_private"} <= {t for t, n in rows.items() if n}
    after = check_database(empty)
    assert (after.findings, after.origin, after.size, after.root) == ((), before.origin, before.size, before.root)
    store = await PostgresStore.open(empty, clock, "test.example/log")
    await store.commit(filing(new_case("R-after")))  # sequences and head go on
    assert await store.cases.case("R-0") is not None
    await store.close()
    assert check_database(empty).findings == ()


async def test_a_running_bot_and_a_target_that_has_a_log_are_refused(
    path: Path, clock: HandClock, empty: PostgresServer
) -> None:
    await filled(path, clock)
    running = await SqliteStore.open(path, clock)
    with pytest.raises(SettingsError, match="stop the bot"):
        move(path, empty, 0)
    await running.close()
    move(path, empty, 0)
    with pytest.raises(SettingsError, match="has a log already"):
        move(path, empty, 0)
