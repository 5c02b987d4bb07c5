"""Socket Mode: the SDK keeps the connection; this module tracks whether it is up and closes it in order.

Every envelope is looked at as the gate looks at a body. What no listener could ever read is acknowledged and logged as one
line, without what it held; what failed here is left unacknowledged, which is how Slack shows a person a failure. At a stop, envelopes that have arrived are answered before the connection closes. The address of a connection is a secret
for as long as it lives: it is cut out of whatever the SDK logs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.http.proxies import proxy_for
from handlers.transport.dispatch import dispatched
from handlers.transport.envelope import enveloped
from handlers.transport.http import Report, unheard
from handlers.transport.person_limit import PersonLimit
from handlers.transport.signature import NotAuthentic
from handlers.web_api.errors import CALL_ERRORS, REFUSED_TOKEN, verdict

MOST, SETTLES = 10, 2.0  # connections that Slack allows one app; seconds
PING = 5.0  # seconds; a dead connection is noticed after one of them
LOOK = 0.25  # seconds between two checks of the connection
LEAVE = 5.0  # seconds that answers in flight may still take at a stop
log = structlog.get_logger(__name__)
_ADDRESS = re.compile(r"(?:wss?|https?)://\S+|xox[a-z]-\S+|xapp-\S+")


def _nothing() -> None:
    """The default callback: does nothing."""


class SocketMode:
    """Serves `app` with the app-level `token`. `ready` is called whenever Slack says hello, `lost` when a connection that
    said hello is gone, and `report(kind, outcome, seconds)` for every envelope, as `handlers.transport.http.Report`: `ok`, `failed`
    (left unacknowledged, so that the person sees it and Slack repeats an event), `unsent`, `status_<n>`. `ours`: how many replicas
    live, each with a connection; Slack allows ten."""

    def __init__(
        self,
        app: AsyncApp,
        token: str,
        ready: Callable[[], None] = _nothing,
        lost: Callable[[], None] = _nothing,
        report: Report = unheard,
        ours: Callable[[], int] = lambda: 1,
    ) -> None:
        self._ours = ours
        self._app, self._token = app, token
        self._ready, self._lost, self._report = ready, lost, report
        self._limit = PersonLimit()
        self._up, self._busy = False, 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Keeps trying while Slack cannot be reached. Raises SlackApiError where Slack refuses the token."""
        client = SlackSocket(self._token, quiet_logger("handlers.socket_mode"), self._app.client, ping_interval=PING)
        client.message_listeners.append(self._heard)
        work = asyncio.ensure_future(self._connected(client))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), LEAVE)
        finally:
            for task in (work, stopping):
                task.cancel()
            await asyncio.gather(work, stopping, return_exceptions=True)
            await _closed(client)

    async def _connected(self, client: SocketModeClient) -> None:
        """Connects, then polls whether the connection is up: the SDK reconnects, but reports no loss."""
        await _admitted(client)
        await client.connect()  # type: ignore[no-untyped-call]
        while True:
            await asyncio.sleep(LOOK)
            if self._up and not await client.is_connected():
                self._up = False
                log.warning("socket_mode.lost", advice="a new connection is being made")
                self._lost()

    async def _heard(self, client: AsyncBaseSocketModeClient, message: dict[str, Any], _raw: str | None = None) -> None:
        if message.get("type") == "hello":
            self._greeted(message)
        elif "envelope_id" in message or "payload" in message or not message:
            await self._counted(client, message)

    def _greeted(self, message: dict[str, Any]) -> None:
        found = message.get("num_connections")
        if isinstance(found, int) and found > 1:  # a replica that has just started is counted after a moment
            asyncio.get_running_loop().call_later(SETTLES if found <= MOST else 0.0, self._compare, found)
        self._up = True
        self._ready()

    def _compare(self, found: int) -> None:
        """Connections with our token, with the replicas that live."""
        ours = self._ours()
        if found > ours:
            log.warning(
                "socket_mode.foreign_connection",
                connections=found,
                replicas=ours,
                advice="somebody else holds our app token",
            )
        if ours > MOST:
            log.warning("socket_mode.too_many", replicas=ours, advice="Slack allows ten connections to one app")

    async def _counted(self, client: AsyncBaseSocketModeClient, message: dict[str, Any]) -> None:
        """Answers one envelope; a stop waits until it is done."""
        started = asyncio.get_running_loop().time()
        self._busy += 1
        self._idle.clear()
        try:
            kind, outcome = await self._answered(client, message)
            self._report(kind, outcome, asyncio.get_running_loop().time() - started)
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def _answered(self, client: AsyncBaseSocketModeClient, message: dict[str, Any]) -> tuple[str, str]:
        """Kind and outcome. What can never be read is acknowledged: Slack would only bring it again."""
        envelope = message.get("envelope_id")
        payload = enveloped(message.get("type"), message.get("payload"))
        if isinstance(payload, NotAuthentic):
            log.warning("socket_mode.refused", fault=payload.fault)
            return await _acknowledged(client, envelope, None, "refused", payload.fault)
        async with self._limit.of(payload.body):
            answer = await dispatched(self._app, payload, "socket_mode")
        if answer is None:
            return payload.kind, "failed"
        if isinstance(answer, NotAuthentic):
            return await _acknowledged(client, envelope, None, "refused", answer.fault)
        if answer.status != HTTPStatus.OK:
            log.warning("socket_mode.unhandled", kind=payload.kind, status=answer.status)
            return await _acknowledged(client, envelope, None, payload.kind, f"status_{answer.status}")
        return await _acknowledged(client, envelope, _said(answer), payload.kind, "ok")


class SlackSocket(SocketModeClient):
    """The SDK's client, which takes the proxy that each connection's address needs: the SDK's own choice ignores NO_PROXY."""

    async def issue_new_wss_url(self) -> str:
        address = await super().issue_new_wss_url()
        self.proxy = proxy_for(address)
        return address


async def _admitted(client: SocketModeClient) -> None:
    """Requests the first address itself, because the SDK retries for ever with a token that Slack refuses."""
    try:
        client.wss_uri = await client.issue_new_wss_url()
    except SlackApiError as error:
        if verdict(error).error in REFUSED_TOKEN:
            raise
    except CALL_ERRORS as error:
        log.warning("socket_mode.unreachable", error=verdict(error).error, advice="it is tried again every few seconds")


async def _acknowledged(
    client: AsyncBaseSocketModeClient, envelope: object, said: dict[str, Any] | None, kind: str, outcome: str
) -> tuple[str, str]:
    """Sends the acknowledgement; `kind` and `outcome` for the record, or `unsent` where nobody is there any more."""
    if not isinstance(envelope, str):
        return kind, outcome
    try:
        await client.send_socket_mode_response(SocketModeResponse(envelope, said))
    except (OSError, ClientError) as error:
        log.warning("socket_mode.unsent", kind=kind, error=type(error).__name__)
        return kind, "unsent"
    return kind, outcome


def _said(answer: BoltResponse) -> dict[str, Any] | None:
    """What an acknowledgement carries: a form's answer, or text for the one who typed a command."""
    if not answer.body:
        return None
    if answer.first_headers().get("content-type", "").startswith("application/json"):
        found = json.loads(answer.body)
        return found if isinstance(found, dict) else None
    return {"text": answer.body}


async def _closed(client: SocketModeClient) -> None:
    """Closes the connection and awaits the SDK's tasks."""
    await client.close()  # type: ignore[no-untyped-call]
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
