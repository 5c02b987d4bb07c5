"""Hashes every byte of the log again, at the start and once a day: a leaf that no longer fits its bytes is found here, for
the signer looks at leaves only. What is found stops the log; what holds stands in it as `log.verified`.

Source: decision-log.md, "Checkpoint and signer".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from bot.background.loop import every
from bot.domain.case.transition import SYSTEM, LogEvent, Transition, Value
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import CountersignError
from bot.ports.store import Store
from bot.runtime.log_verification import TrustBase, verify

DAY, AGAIN = 86_400.0, 60.0  # seconds between two checks, after one that could not be made
SHOWN = 20  # findings in our output
log = structlog.get_logger(__name__)


class LogRehasher:
    """One for each process that signs. `stop` is told of the first finding, and the signer signs nothing from then on."""

    def __init__(self, store: Store, path: Path, state_dir: Path, stop: Callable[[LogFinding], None]) -> None:
        self._store, self._path, self._state_dir, self._stop = store, path, state_dir, stop
        self._once, self._over = asyncio.Event(), False

    async def begun(self, wait: float) -> None:
        """Returns after the first check, or after `wait` seconds: a long log is checked beside the serving."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._once.wait(), wait)

    async def run(self, stop: asyncio.Event) -> None:
        """Checks at once and then daily, until `stop`."""
        ending = asyncio.ensure_future(self._end(stop))
        try:
            await self._daily(stop)
        finally:
            ending.cancel()

    async def _end(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._over = True  # a check that is under way ends, too

    async def _daily(self, stop: asyncio.Event) -> None:
        await every(DAY, self._checked, stop)

    async def _checked(self) -> float | None:
        wait = None if await self.check() else AGAIN
        self._once.set()
        return wait

    async def check(self) -> bool:
        """One check of the whole log. False where it could not be made or written down."""
        try:
            vouching = TrustBase(None, self._state_dir, over=lambda: self._over)
            found = await asyncio.to_thread(verify, self._path, vouching)
            if not found.findings:
                data: dict[str, Value] = {"size": found.size, "root": found.root.hex()}
                await self._store.commit(Transition(None, None, (LogEvent("log.verified", SYSTEM, data=data),)))
        except CountersignError as error:
            log.warning("log.not_verified", error=str(error))
            return False
        for finding in found.findings[:SHOWN]:
            log.error("log.finding", code=finding.code, idx=finding.idx, text=finding.text)
        if found.findings:
            self._stop(found.findings[0])
        return True
