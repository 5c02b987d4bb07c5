"""A small workspace, and a real Slack Bolt application that lives in it over Socket Mode or signed HTTP."""

import asyncio
import contextlib
import copy
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox

WORKSPACE: dict[str, Any] = {
    "teams": [
        {"id": "T0HOME", "name": "Example Health Trust", "domain": "example-health"},
        {"id": "T0PROV", "name": "Northgate", "domain": "northgate"},
    ],
    "users": [
        {"id": "U0OWNER", "name": "olga", "real_name": "Olga Novak", "team_id": "T0HOME"},
        {"id": "U0DEP1", "name": "dev", "real_name": "Dev Rao", "team_id": "T0HOME", "tz": "Asia/Kolkata"},
        {"id": "U0GUEST", "name": "gil", "real_name": "Gil Guest", "team_id": "T0HOME", "is_restricted": True},
        {"id": "U0LEFT", "name": "lars", "real_name": "Lars Berg", "team_id": "T0HOME", "deleted": True},
        {"id": "U0PE3", "name": "noor", "real_name": "Noor Haddad", "team_id": "T0PROV"},
        {"id": "U0FAR", "name": "far", "real_name": "Far Away", "team_id": "T0PROV", "accepts_dms": False},
    ],
    "channels": [
        {"id": "C0GENERAL", "name": "general", "members": ["U0OWNER", "U0DEP1", "U0GUEST", "U0BOT"]},
        {"id": "C0EXT", "name": "ext", "members": ["U0OWNER", "U0PE3", "U0BOT"], "shared_with": ["T0PROV"]},
        {"id": "C0OTHER", "name": "other", "members": ["U0OWNER"]},
        {"id": "C0OLD", "name": "old", "members": ["U0OWNER", "U0BOT"], "is_archived": True},
    ],
    "app": {
        "name": "Tester",
        "commands": [
            {"command": "/ask", "description": "Ask for something", "usage_hint": "[reason]"},
            {"command": "/who", "should_escape": True},
        ],
        "shortcuts": [
            {"name": "Ask", "callback_id": "ask"},
            {"name": "About this", "callback_id": "about", "type": "message"},
        ],
    },
    "settings": {"ack_seconds": 1.0, "event_retry_seconds": [0.05, 0.05, 0.05]},
}

FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "form",
    "notify_on_close": True,
    "title": {"type": "plain_text", "text": "Ask"},
    "submit": {"type": "plain_text", "text": "Send"},
    "close": {"type": "plain_text", "text": "Cancel"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20, "min_length": 3},
        },
        {
            "type": "input",
            "block_id": "size",
            "dispatch_action": True,
            "optional": True,
            "label": {"type": "plain_text", "text": "Size"},
            "element": {
                "type": "static_select",
                "action_id": "size",
                "options": [{"text": {"type": "plain_text", "text": t}, "value": t[0]} for t in ("Small", "Large")],
            },
        },
    ],
}


def card(text: str, *buttons: str, value: str = "R-1") -> list[dict[str, Any]]:
    """A section with a row of buttons whose action_ids are their lowercase labels."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    row = [
        {"type": "button", "text": {"type": "plain_text", "text": b}, "action_id": b.lower(), "value": value}
        for b in buttons
    ]
    return [section, {"type": "actions", "block_id": "row", "elements": row}] if row else [section]


def build_app(sandbox: Sandbox) -> AsyncApp:
    """The example: /ask opens a form, the form sends a card to Olga, her click changes the card."""
    client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    app = AsyncApp(client=client, signing_secret=sandbox.signing_secret, process_before_response=True)

    @app.command("/ask")
    async def ask(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view={**FORM, "private_metadata": body["text"]})

    @app.command("/who")
    async def who(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack(f"you typed {body['text']}")

    @app.action("size")
    async def size(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        chosen = body["actions"][0]["selected_option"]["value"]
        note = {"type": "section", "text": {"type": "mrkdwn", "text": f"You chose {chosen}"}}
        view = {**FORM, "blocks": [*FORM["blocks"], note]}
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)

    @app.view("form")
    async def sent(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        reason = body["view"]["state"]["values"]["reason"]["text"]["value"]
        if reason == "wrong":
            await ack(response_action="errors", errors={"reason": "That is no reason"})
            return
        await ack()
        await client.chat_postMessage(channel="U0OWNER", text=reason, blocks=card(reason, "Approve", "Deny"))

    @app.action("approve")
    async def approve(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond) -> None:
        await ack()
        by = f"Approved by <@{body['user']['id']}>"
        place, ts = body["container"]["channel_id"], body["container"]["message_ts"]
        await client.chat_update(channel=place, ts=ts, text=by, blocks=card(by))
        await respond(text="Thank you", replace_original=False)

    @app.event("app_home_opened")
    async def home(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": card("At home", "Refresh")})

    @app.action("refresh")
    async def refresh(ack: AsyncAck) -> None:
        await ack()

    @app.shortcut({"type": "message_action", "callback_id": "about"})
    async def about(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        said = f"About {body['message']['text']}"
        await client.chat_postEphemeral(channel=body["channel"]["id"], user=body["user"]["id"], text=said)

    @app.shortcut("ask")
    async def shortcut(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.event("message")
    async def message(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], text=f"heard {event['text']}", thread_ts=event["ts"])

    return app


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A running sandbox that nobody has connected to."""
    async with Sandbox(WORKSPACE) as running:
        yield running


@pytest.fixture
async def connect(sandbox: Sandbox) -> AsyncIterator[Callable[[AsyncApp], Any]]:
    """Connects Bolt applications over Socket Mode and disconnects them at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def attach(app: AsyncApp) -> AsyncSocketModeHandler:
            handler = AsyncSocketModeHandler(app, sandbox.app_token, ping_interval=1)
            before = sandbox.sockets
            await handler.connect_async()
            stack.push_async_callback(handler.close_async)
            await sandbox.wait_for(lambda: sandbox.sockets > before)
            return handler

        yield attach


@pytest.fixture
async def bolt(sandbox: Sandbox, connect: Callable[[AsyncApp], Any]) -> AsyncApp:
    """The example application, connected over Socket Mode."""
    app = build_app(sandbox)
    await connect(app)
    return app


@pytest.fixture
async def bolt_over_http(sandbox: Sandbox) -> AsyncIterator[AsyncApp]:
    """The example application behind its own signed HTTP endpoint."""
    app = build_app(sandbox)

    async def events(request: web.Request) -> web.Response:
        bolt_request = AsyncBoltRequest(body=await request.text(), headers=dict(request.headers))
        answer = await app.async_dispatch(bolt_request)
        headers = {k: v[0] for k, v in answer.headers.items() if k.lower() != "content-type"}
        kind = answer.first_headers().get("content-type", "text/plain").split(";")[0]
        return web.Response(status=answer.status, text=answer.body, content_type=kind, headers=headers)

    web_app = web.Application()
    web_app.router.add_post("/slack/events", events)
    runner = web.AppRunner(web_app)
    await runner.setup()
    server = await asyncio.get_running_loop().create_server(runner.server, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sandbox.world.workspace.app.request_url = f"http://127.0.0.1:{port}/slack/events"
    yield app
    server.close()
    await runner.cleanup()


class Peer:
    """A bare HTTP application behind `request_url` that keeps what it was sent and answers as configured."""

    def __init__(self) -> None:
        """Answer 200 with nothing, at once."""
        self.requests: list[tuple[dict[str, str], str]] = []
        self.status, self.body = 200, ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def answer(self, request: web.Request) -> web.Response:
        """Keep the request, wait for the gate, answer."""
        text = await request.text()
        self.requests.append((dict(request.headers), text))
        await self.gate.wait()
        if '"url_verification"' in text:
            return web.json_response({"challenge": json.loads(text)["challenge"]})
        return web.Response(status=self.status, text=self.body, content_type="application/json")


@pytest.fixture
async def peer(sandbox: Sandbox) -> AsyncIterator[Peer]:
    """A bare HTTP application that the sandbox delivers to."""
    listening = Peer()
    server = web.Server(listening.answer)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    sandbox.world.workspace.app.request_url = f"http://127.0.0.1:{port}/"
    yield listening
    listening.gate.set()
    listener.close()
    await server.shutdown(0.01)


@pytest.fixture
def client(sandbox: Sandbox) -> AsyncWebClient:
    """The official client with the bot's token."""
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)


@pytest.fixture
def new_app(sandbox: Sandbox) -> Callable[[], AsyncApp]:
    """Makes further copies of the example application."""
    return lambda: build_app(sandbox)


@pytest.fixture
def draw() -> Callable[..., list[dict[str, Any]]]:
    """Draws a card with buttons."""
    return card


@pytest.fixture
def form() -> dict[str, Any]:
    """A form with a required text and an optional menu that sends an event at once."""
    return copy.deepcopy(FORM)
