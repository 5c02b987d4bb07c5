"""Free text leaves the state of a case once it is over and its messages are delivered: then only `log_private` has it.

What was overwritten also leaves the write-ahead log. Nothing here is urgent: a restart or a busy database only puts it off.
Source: decision-log.md, "Privacy and retention".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.background.loop import every
from bot.ports.store import Store

LOOK, MANY = 2.0, 100  # seconds between two looks; cases in one transaction


class Housekeeper:
    """Runs until stopped; `work` does what there is to do now and returns."""

    def __init__(self, store: Store, beat: Callable[[], None] = lambda: None) -> None:
        self._store, self._beat = store, beat
        self._to_shed = True  # what a process before left

    async def run(self, stop: asyncio.Event) -> None:
        await every(LOOK, self.work, stop, beat=self._beat, failed="housekeeping.failed")

    async def work(self) -> None:
        """Empties what is over, some cases at a time. Raises StorageError."""
        found = MANY
        while found == MANY:
            found = await self._store.empty_over(MANY)
            self._to_shed |= found > 0
            await asyncio.sleep(0)
        if self._to_shed:
            self._to_shed = not await self._store.shed()
