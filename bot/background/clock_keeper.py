"""Keeps the time of a running bot: notices a clock that jumped, remembers how far time has come, and lets an operator
accept a jump (rule 12). What a pair of readings means is `bot.domain.failsafe.clock_jump`; the clock itself is `SteadyClock`.

A jump is noticed at whatever look at the clock comes first and freezes giving in that instant; here it is made durable. The
mark is written every few seconds, so that a restart notices, too, what happened in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.background.loop import every
from bot.clock import SteadyClock
from bot.domain.errors import CountersignError
from bot.domain.failsafe import clock_guard, clock_jump
from bot.ports.store import Store

LOOK, KEEP = 0.25, 3.0  # seconds between two looks, between two marks
log = structlog.get_logger(__name__)


class ClockKeeper:
    """One for each process that serves. `begin` before anything else asks for the time."""

    def __init__(self, store: Store, clock: SteadyClock, beat: Callable[[], None] = lambda: None) -> None:
        self._store, self._clock, self._beat = store, clock, beat
        self._kept_at = clock.monotonic()
        self._known = False  # the jump that stands is stored

    async def begin(self) -> None:
        """Goes on where the process before stopped. A log that takes nothing now is no obstacle."""
        stored = await self._store.time_mark()
        if stored is not None:
            self._clock.resume(stored)
            self._known = stored.jump is not None
        await self._look_safely(keep=True)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until `stop`, then writes the mark once more."""
        await every(LOOK, self._look_safely, stop, beat=self._beat)
        await self._look_safely(keep=True)

    async def look(self, *, keep: bool = False) -> None:
        """One look at the clock, and what follows from it. Raises StorageError."""
        jump = self._clock.jumped()
        if jump is not None and not self._known:
            await self._store.keep_time(self._clock.mark, [clock_guard.anomaly(jump)])
            self._known = True
            log.error("clock.jumped", jump=clock_jump.words(jump))
        elif keep or self._clock.monotonic() - self._kept_at >= KEEP:
            await self._store.keep_time(self._clock.mark)
            self._kept_at = self._clock.monotonic()
        if jump is not None and await self._store.time_wished():
            await self.accept()

    async def accept(self) -> None:
        """The clock counts as it stands: an operator said so. Nothing is changed where that cannot be written."""
        before = self._clock.mark
        if before.jump is None:
            return
        try:
            await self._store.accept_time(self._clock.accept, clock_guard.accepted(before.jump))
        except BaseException:
            self._clock.resume(before)
            raise
        self._known = False
        log.warning("clock.accepted", jump=clock_jump.words(before.jump))

    def findings(self) -> tuple[str, ...]:
        """Why nothing is given, a sentence; none while the clock can be trusted."""
        jump = self._clock.jumped()
        return () if jump is None else (clock_jump.finding(jump),)

    async def _look_safely(self, *, keep: bool = False) -> None:
        try:
            await self.look(keep=keep)
        except CountersignError as error:
            self._kept_at = self._clock.monotonic()  # a disk that refuses is asked no more often
            log.error("clock.not_kept", error=str(error))
