"""A heartbeat for an external monitor: a GET once a minute while the bot is ready, and none while it is not.

The monitor (a dead man's switch) notices what the bot cannot report itself: that it is gone, that it cannot reach Slack,
that its database accepts no writes. A failed call is logged without the address, which may hold a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp
import structlog

from bot.background.loop import every

EVERY, AGAIN, TIMEOUT = 60.0, 5.0, 10.0  # seconds: between two heartbeats, before readiness is checked again, for a call
log = structlog.get_logger(__name__)


class Heartbeat:
    """`findings` returns why the bot is not ready; none means that it is. `every` is in seconds."""

    def __init__(self, url: str, findings: Callable[[], Awaitable[tuple[str, ...]]], every: float = EVERY) -> None:
        self._url, self._findings, self._every = url, findings, every

    async def run(self, stop: asyncio.Event) -> None:
        """Sends heartbeats until `stop`; no call takes longer than its timeout."""
        timeout = aiohttp.ClientTimeout(total=min(TIMEOUT, self._every))
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await every(self._every, partial(self._beat_if_ready, session), stop)

    async def _beat_if_ready(self, session: aiohttp.ClientSession) -> float | None:
        if await self._findings():
            return min(AGAIN, self._every)
        await self._beat(session)
        return None

    async def _beat(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(self._url, allow_redirects=False) as answer:
                if answer.status >= 400:
                    log.warning("heartbeat.refused", status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("heartbeat.failed", error=type(error).__name__)
