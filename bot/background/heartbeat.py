"""A heartbeat for an external monitor: a GET once a minute while the bot is ready, and none while it is not.

The monitor (a dead man's switch) notices what the bot cannot report itself: that it is gone, that it cannot reach Slack,
that its database accepts no writes. A failed call is logged without the address, which may hold a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.background.loop import every
from bot.http.client import CallFailed, HttpClient, Limits

EVERY, AGAIN, TIMEOUT = 60.0, 5.0, 10.0  # seconds: between two heartbeats, before readiness is checked again, for a call
_SIZE = 65_536  # bytes of an answer, which nobody reads
log = structlog.get_logger(__name__)


class Heartbeat:
    """`findings` returns why the bot is not ready; none means that it is. `every` is in seconds."""

    def __init__(self, url: str, findings: Callable[[], Awaitable[tuple[str, ...]]], every: float = EVERY) -> None:
        self._url, self._findings, self._every = url, findings, every
        self._http = HttpClient()

    async def run(self, stop: asyncio.Event) -> None:
        """Sends heartbeats until `stop`; no call takes longer than its timeout."""
        try:
            await every(self._every, self._beat_if_ready, stop)
        finally:
            await self._http.close()

    async def _beat_if_ready(self) -> float | None:
        if await self._findings():
            return min(AGAIN, self._every)
        await self._beat()
        return None

    async def _beat(self) -> None:
        try:
            answer = await self._http.get(self._url, Limits(min(TIMEOUT, self._every), _SIZE))
        except CallFailed as error:
            log.warning("heartbeat.failed", error=str(error))
            return
        if answer.status >= 300:
            log.warning("heartbeat.refused", status=answer.status)
