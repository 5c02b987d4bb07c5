"""Re-hashes the whole log at the start and once a day, and so finds a leaf that no longer matches its bytes: the signer
checks leaves only. A finding stops the log; a clean check is entered as `log.verified`.

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
from bot.ports.database import Location
from bot.ports.store import Store
from bot.runtime.log_verification import TrustBase, verify

DAY, AGAIN = 86_400.0, 60.0  # seconds between two checks, after a failed one
SHOWN = 20  # findings logged
log = structlog.get_logger(__name__)


class LogRehasher:
    """One for each process that signs. `stop` is called with the first finding, and the signer signs nothing afterwards."""

    def __init__(self, store: Store, path: Location, state_dir: Path, stop: Callable[[LogFinding], None]) -> None:
        self._store, self._path, self._state_dir, self._stop = store, path, state_dir, stop
        self._once, self._over = asyncio.Event(), False

    async def begun(self, wait: float) -> None:
        """Returns after the first check, or after `wait` seconds: a long log is checked while the bot serves."""
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
        self._over = True  # cancels a check in progress, too

    async def _daily(self, stop: asyncio.Event) -> None:
        await every(DAY, self._checked, stop)

    async def _checked(self) -> float | None:
        wait = None if await self.check() else AGAIN
        self._once.set()
        return wait

    async def check(self) -> bool:
        """Checks the whole log once. Returns False if the check or its entry failed."""
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
