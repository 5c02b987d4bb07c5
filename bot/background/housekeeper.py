"""Removes free text from a closed case once its messages are delivered; `log_private` keeps the only copy.

Overwritten pages also leave the write-ahead log. Nothing here is urgent: a restart or a busy database only delays it.
Source: decision-log.md, "Privacy and retention".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.background.loop import every
from bot.ports.store import Store

LOOK, MANY = 2.0, 100  # seconds between two runs; cases in one transaction


class Housekeeper:
    """Runs until stopped; `work` does what is due now and returns."""

    def __init__(self, store: Store, beat: Callable[[], None] = lambda: None) -> None:
        self._store, self._beat = store, beat
        self._to_shed = True  # what a previous process left

    async def run(self, stop: asyncio.Event) -> None:
        await every(LOOK, self.work, stop, beat=self._beat, failed="housekeeping.failed")

    async def work(self) -> None:
        """Empties closed cases, MANY in a transaction. Raises StorageError."""
        found = MANY
        while found == MANY:
            found = await self._store.operator.empty_over(MANY)
            self._to_shed |= found > 0
            await asyncio.sleep(0)
        if self._to_shed:
            self._to_shed = not await self._store.operator.shed()
