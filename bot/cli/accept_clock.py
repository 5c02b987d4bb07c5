"""`countersign doctor --accept-clock`: an operator confirms that the machine's clock is right after it jumped.

The request goes through the database. A running bot takes it within a second and adopts the present clock; if no bot runs,
the command accepts the clock itself. Exit codes: 0 the clock is accepted, or needs no accepting; 1 it could not be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import typer

from bot.background.clock_keeper import ClockKeeper
from bot.clock import SteadyClock, SystemClock, boot_id
from bot.domain.failsafe import clock_jump
from bot.ports.database import may_exist
from bot.settings import load
from storage.opening import open_database
from storage.sql_store import SqlStore

PATIENCE, POLL = 5.0, 0.1  # seconds: how long a running bot has, between two checks


async def accept_clock(tell: Callable[[str], None]) -> int:
    """Accepts the present jump and prints which. Returns the exit code. Raises CountersignError."""
    settings, clock = load(), SystemClock()
    path = settings.database
    if not may_exist(path):
        raise typer.BadParameter(f"There is no database at {path}. Set COUNTERSIGN_DATABASE_URL as for the bot.")
    store = await open_database(path, clock, settings.log_origin, settings.state_dir)
    try:
        return await accept(store, SteadyClock(clock, boot_id()), tell)
    finally:
        await store.close()


async def accept(store: SqlStore, clock: SteadyClock, tell: Callable[[str], None], patience: float = PATIENCE) -> int:
    """The same on an open store; `clock` must not have been read yet."""
    mark = await store.clock.mark()
    if mark is not None:
        clock.resume(mark)
    jump = clock.jumped()
    if mark is None or jump is None:
        tell("The clock has not jumped; there is nothing to accept.")
        return 0
    tell(
        f"The clock jumped {clock_jump.words(jump)}. This machine says that it is {clock.wall.now():%Y-%m-%d %H:%M:%S} UTC."
    )
    if mark.jump is not None:
        await store.clock.request_acceptance()
        for _ in range(max(1, round(patience / POLL))):
            if not await store.clock.acceptance_requested():
                tell("Accepted. The bot opens access again.")
                return 0
            await asyncio.sleep(POLL)
    keeper = ClockKeeper(store, clock)
    await keeper.begin()
    await keeper.accept()
    tell("Accepted. No bot is running; the next one opens access again.")
    return 0
