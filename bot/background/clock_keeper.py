"""Detects a clock jump, stores the time mark, and lets an operator accept a jump (rule 12).

`SteadyClock` detects a jump at the next reading and stops grants at once (`bot.domain.failsafe.clock_jump` judges a pair of
readings); this part makes it durable. The mark is stored every few seconds, so that a restart detects a jump that happened
in between.
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

LOOK, KEEP = 0.25, 3.0  # seconds between two readings, between two stored marks
log = structlog.get_logger(__name__)


class ClockKeeper:
    """One for each serving process. Call `begin` before anything else reads the time."""

    def __init__(self, store: Store, clock: SteadyClock, beat: Callable[[], None] = lambda: None) -> None:
        self._store, self._clock, self._beat = store, clock, beat
        self._kept_at = clock.monotonic()
        self._known = False  # whether the present jump is stored

    async def begin(self) -> None:
        """Continues from the stored mark, also while the log accepts no entries."""
        await self.resume()
        await self._look_safely(keep=True)

    async def resume(self) -> None:
        """Continues from the stored mark and stores none."""
        stored = await self._store.clock.mark()
        if stored is not None:
            self._clock.resume(stored)
            self._known = stored.jump is not None

    async def run(self, stop: asyncio.Event) -> None:
        """Checks until `stop`, then stores the mark a last time."""
        await every(LOOK, self._look_safely, stop, beat=self._beat)
        await self._look_safely(keep=True)

    async def look(self, *, keep: bool = False) -> None:
        """Reads the clock once; stores a jump or the mark. Raises StorageError."""
        jump = self._clock.jumped()
        if jump is not None and not self._known:
            await self._store.clock.keep(self._clock.mark, [clock_guard.anomaly(jump)])
            self._known = True
            log.error("clock.jumped", jump=clock_jump.words(jump))
        elif keep or self._clock.monotonic() - self._kept_at >= KEEP:
            await self._store.clock.keep(self._clock.mark)
            self._kept_at = self._clock.monotonic()
        if jump is not None and await self._store.clock.acceptance_requested():
            await self.accept()

    async def accept(self) -> None:
        """Accepts the wall clock as it is. Changes nothing if that cannot be stored."""
        before = self._clock.mark
        if before.jump is None:
            return
        try:
            await self._store.clock.accept(self._clock.accept, clock_guard.accepted(before.jump))
        except BaseException:
            self._clock.resume(before)
            raise
        self._known = False
        log.warning("clock.accepted", jump=clock_jump.words(before.jump))

    def findings(self) -> tuple[str, ...]:
        """A sentence why no access is given; none while the clock is trusted."""
        jump = self._clock.jumped()
        return () if jump is None else (clock_jump.finding(jump),)

    async def _look_safely(self, *, keep: bool = False) -> None:
        try:
            await self.look(keep=keep)
        except CountersignError as error:
            self._kept_at = self._clock.monotonic()  # a failing disk is retried no more often
            log.error("clock.not_kept", error=str(error))
