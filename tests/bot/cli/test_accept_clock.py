"""`countersign doctor --accept-clock`, beside a bot and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.background.clock_keeper import ClockKeeper
from bot.cli.accept_clock import accept
from bot.cli.main import app
from bot.clock import SystemClock
from bot.domain.failsafe.clock_jump import Mark
from storage.log.check import check_database
from storage.store import SqliteStore
from tests.bot.jumpy import JumpyClock
from tests.database import open_store, place

HOUR = timedelta(hours=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await open_store(tmp_path / "c.db", JumpyClock(), "test.example/log")
    yield opened
    await opened.close()
    assert check_database(place(tmp_path / "c.db")).findings == ()


async def accepted(store: SqliteStore, clock: JumpyClock, patience: float = 0.0) -> list[str]:
    said: list[str] = []
    assert await accept(store, clock, said.append, patience) == 0
    return said


async def jumps(store: SqliteStore) -> list[str]:
    return [row.type for row in await store.log.rows(0, 99)][1:]


async def test_without_a_jump_there_is_nothing_to_accept(store: SqliteStore) -> None:
    clock = JumpyClock()
    await ClockKeeper(store, clock).begin()
    assert await accepted(store, clock.reborn()) == ["The clock has not jumped; there is nothing to accept."]
    assert await jumps(store) == []


async def test_without_a_bot_the_command_accepts_by_itself_and_says_what(store: SqliteStore) -> None:
    clock = JumpyClock()
    await ClockKeeper(store, clock).begin()
    clock.jump(-3 * HOUR)
    said = await accepted(store, clock.reborn())
    assert said[0] == "The clock jumped 3 h back. This machine says that it is 2026-03-04 06:00:00 UTC."
    assert said[1].startswith("Accepted. No bot is running")
    assert await jumps(store) == ["clock.anomaly", "clock.anomaly"]
    after = clock.reborn()
    await ClockKeeper(store, after).begin()
    assert after.jumped() is None


async def test_beside_a_bot_the_bot_sets_its_own_clock(store: SqliteStore) -> None:
    clock, stop = JumpyClock(), asyncio.Event()
    keeper = ClockKeeper(store, clock)
    await keeper.begin()
    running = asyncio.create_task(keeper.run(stop))
    clock.jump(HOUR)
    while (await store.clock.mark()).jump is None:  # type: ignore[union-attr]
        await asyncio.sleep(0.01)
    said = await accepted(store, clock.reborn(), 5.0)
    assert said[1] == "Accepted. The bot opens access again."
    assert clock.jumped() is None
    stop.set()
    await running


@pytest.mark.sqlite  # a database that is not there is a missing file
def test_the_command_on_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["doctor", "--accept-clock"]).exit_code == 2

    async def made() -> None:
        clock = SystemClock()
        made = await open_store(tmp_path / "countersign.db", clock, state_dir=tmp_path / ".countersign")
        await made.clock.keep(Mark(clock.now() + HOUR, timedelta(0), "another", clock.now()))
        await made.close()

    asyncio.run(made())
    done = CliRunner().invoke(app, ["doctor", "--accept-clock"])
    assert (done.exit_code, "jumped" in done.output, "Accepted" in done.output) == (0, True, True)
    assert "nothing to accept" in CliRunner().invoke(app, ["doctor", "--accept-clock"]).output
