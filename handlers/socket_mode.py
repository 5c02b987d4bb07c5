"""Socket Mode: one connection to Slack, kept by the SDK; ours is to know when it stands and to leave in order.

At a stop, envelopes that have arrived are answered before the connection closes. The address of a connection is a secret
for as long as it lives: it is cut out of whatever the SDK logs.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

PING = 5.0  # seconds; a dead connection is noticed after one of them
LEAVE = 5.0  # seconds that answers in flight may still take at a stop
log = structlog.get_logger(__name__)
_ADDRESS = re.compile(r"(?:wss?|https?)://\S+|xox[a-z]-\S+|xapp-\S+")


class SocketMode:
    """Serves `app` with the app-level `token`. `ready` is called whenever Slack says hello."""

    def __init__(self, app: AsyncApp, token: str, ready: Callable[[], None]) -> None:
        self._app, self._token, self._ready = app, token, ready

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Keeps trying while Slack cannot be reached."""
        handler = _Handler(self._app, self._token)
        handler.client.message_listeners.append(self._heard)
        connecting = asyncio.ensure_future(handler.connect_async())  # type: ignore[no-untyped-call]
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                connecting.result()
            await stopping
            await handler.leave()
        finally:
            for task in (connecting, stopping):
                task.cancel()
            await handler.close()

    async def _heard(self, _client: object, message: dict[str, Any], _raw: str | None = None) -> None:
        if message.get("type") != "hello":
            return
        if isinstance(others := message.get("num_connections"), int) and others > 1:
            log.warning("socket_mode.foreign_connection", connections=others, advice="somebody else holds our app token")
        self._ready()


class _Handler(AsyncSocketModeHandler):
    """Counts the envelopes that are being answered."""

    def __init__(self, app: AsyncApp, token: str) -> None:
        super().__init__(app, token, logger=quiet_logger("handlers.socket_mode"), ping_interval=PING)
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        self._busy += 1
        self._idle.clear()
        try:
            await super().handle(client, req)
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def leave(self) -> None:
        """Waits until what arrived is answered."""
        try:
            await asyncio.wait_for(self._idle.wait(), LEAVE)
        except TimeoutError:
            return

    async def close(self) -> None:
        """Closes the connection and awaits the SDK's tasks."""
        client = self.client
        await self.close_async()  # type: ignore[no-untyped-call]
        left = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.gather(*(task for task in left if task is not None), return_exceptions=True)


class _Discreet(logging.Filter):
    """Writes a record's text out, without addresses, tokens or a stack that may hold them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _ADDRESS.sub("[hidden]", record.getMessage())
        record.args, record.exc_info, record.exc_text = (), None, None
        return True


def quiet_logger(name: str) -> logging.Logger:
    """A logger for a library: errors only, discreet."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    if not any(isinstance(one, _Discreet) for one in logger.filters):
        logger.addFilter(_Discreet())
    return logger
