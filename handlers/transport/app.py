"""The door to Slack: one bolt app, and the tables of listeners in it.

The acknowledgement is the last thing that happens in a listener, so nothing can raise after it. With
`process_before_response` bolt awaits the acknowledging function and starts the lazy one itself, in Socket Mode as over
HTTP; no task is lost, because this door keeps them until they end. The app's own identity is requested until Slack has answered once
(`introduction`): no `auth.test` per event.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.lazy_listener.async_internals import to_runnable_function
from slack_bolt.lazy_listener.async_runner import AsyncLazyListenerRunner
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids
from handlers.inbound.buttons import ACTIONS, ANY_ACTION
from handlers.inbound.commands import ANY_MESSAGE_SHORTCUT, COMMANDS, DIRECT_MESSAGE, MESSAGE_SHORTCUTS, SHORTCUTS
from handlers.inbound.home import HOME_OPENED
from handlers.inbound.listener import Answer, Listener, SlackEdge
from handlers.inbound.payloads import PayloadError
from handlers.inbound.submissions import ANY_SUBMISSION, SUBMISSIONS
from handlers.transport.http import Report, unheard
from handlers.transport.socket_mode import SocketMode, quiet_logger
from handlers.views.dialogs import said_page
from handlers.views.kit.escaping import inline
from handlers.web_api.client import ObservedClient, SlackClient
from handlers.web_api.own_identity import Identity

_ANYTHING = re.compile(".*", re.DOTALL)
log = structlog.get_logger(__name__)


class SlackApp:
    """The bolt app with all listeners, for Socket Mode and signed HTTP."""

    def __init__(self, edge: SlackEdge, identity: Identity, *, prefix: str = "", signing_secret: str = "") -> None:
        self.edge, self._prefix = edge, prefix
        self._tasks = KeptTasks()
        self.app = AsyncApp(
            name="handlers.bolt",
            logger=quiet_logger("handlers.bolt"),
            client=_without_token(edge.client),
            authorize=_authorized(identity, edge.client.token),
            signing_secret=signing_secret,
            process_before_response=True,
        )
        self.app.listener_runner.lazy_listener_runner = self._tasks
        self._register()

    async def socket_mode(
        self,
        token: str,
        stop: asyncio.Event,
        ready: Callable[[], None] = lambda: None,
        lost: Callable[[], None] = lambda: None,
        report: Report = unheard,
        ours: Callable[[], int] = lambda: 1,
    ) -> None:
        """Serves over Socket Mode until `stop`; then finishes what arrived. `ready` is called at each hello, `lost` when a
        connection is gone, `report` for each envelope; `ours` as for `SocketMode`. Raises SlackApiError where Slack refuses the token."""
        await SocketMode(self.app, token, ready, lost, report, ours).run(stop)
        await self.finish()

    async def finish(self, timeout: float = 5.0) -> None:
        """Waits for lazy functions that still open forms."""
        await self._tasks.finish(timeout)

    def _register(self) -> None:
        for name, listener in COMMANDS.items():
            self._add(self.app.command(ids.command(self._prefix, name)), listener, _said)
        for callback_id, listener in SHORTCUTS.items():
            self._add(self.app.global_shortcut(callback_id), listener, _silent)
        for callback_id, listener in MESSAGE_SHORTCUTS.items():
            self._add(self.app.message_shortcut(callback_id), listener, _silent)
        self._add(self.app.message_shortcut(_ANYTHING), ANY_MESSAGE_SHORTCUT, _silent)
        for action_id, listener in ACTIONS.items():
            self._add(self.app.action({"type": "block_actions", "action_id": action_id}), listener, _silent)
        self._add(self.app.action({"type": "block_actions", "action_id": _ANYTHING}), ANY_ACTION, _silent)
        for callback_id, listener in SUBMISSIONS.items():
            self._add(self.app.view(callback_id), listener, _page)
        self._add(self.app.view(_ANYTHING), ANY_SUBMISSION, _page)
        self._add(self.app.event("message"), DIRECT_MESSAGE, _silent)
        self._add(self.app.event("app_home_opened"), HOME_OPENED, _silent)

    def _add(self, registrar: Callable[..., Any], listener: Listener, sorry: Callable[[str], Answer]) -> None:
        acknowledging = acknowledged(self.edge, listener, sorry)
        registrar(ack=acknowledging, lazy=[lazily(self.edge, listener)] if listener.after_ack else [])


def acknowledged(
    edge: SlackEdge, listener: Listener, sorry: Callable[[str], Answer]
) -> Callable[[Any, dict[str, Any]], Awaitable[None]]:
    """The acknowledging function: writes down, then acknowledges, and does nothing after that."""

    async def acknowledging(ack: Any, body: dict[str, Any]) -> None:
        try:
            answer = await listener.acknowledge(edge, body)
        except PayloadError as error:
            log.warning("payload.refused", error=str(error), type=str(body.get("type", "command"))[:40])
            answer = sorry(str(error))
        if answer:
            await ack(dict(answer))
        else:
            await ack()

    return acknowledging


def lazily(edge: SlackEdge, listener: Listener) -> Callable[[dict[str, Any]], Awaitable[None]]:
    """The function that runs after the acknowledgement."""

    async def beside(body: dict[str, Any]) -> None:
        try:
            if listener.after_ack is not None:
                await listener.after_ack(edge, body)
        except PayloadError:
            return  # set by the acknowledging function

    return beside


class KeptTasks(AsyncLazyListenerRunner):
    """Starts lazy functions and keeps references until they end; the event loop keeps only weak ones."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("handlers.bolt")
        self._running: set[asyncio.Task[None]] = set()

    def start(self, function: Callable[..., Awaitable[None]], request: AsyncBoltRequest) -> None:
        task = asyncio.ensure_future(self._run(function, request))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, timeout: float) -> None:
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout)

    async def _run(self, function: Callable[..., Awaitable[None]], request: AsyncBoltRequest) -> None:
        await to_runnable_function(function, self.logger, request)


def _without_token(client: AsyncWebClient) -> AsyncWebClient:
    """What bolt and Socket Mode get: bolt copies it for each request with the token that `authorize` returns."""
    if isinstance(client, ObservedClient):
        return client.without_token()
    return SlackClient(base_url=client.base_url, ssl=client.ssl)


def _authorized(identity: Identity, token: str | None) -> Callable[..., Awaitable[AuthorizeResult]]:
    """One installation serves all workspaces; the domain decides who may do what."""

    async def authorize(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id or identity.team, bot_user_id=identity.bot_user,
            bot_id=identity.bot, bot_token=token, user_id=user_id,
        )  # fmt: skip

    return authorize


def _said(text: str) -> Answer:
    return {"text": inline(text, 1000)}


def _silent(_text: str) -> Answer:
    return {}


def _page(text: str) -> Answer:
    return {"response_action": "update", "view": said_page(inline(text, 1000))}
