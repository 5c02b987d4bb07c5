"""A Web API on the loopback address that answers as configured, and remembers each request."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from handlers.inbound.listener import web_client

HANG = "hang"


@dataclass(frozen=True)
class Reply:
    """One HTTP answer. `status` 0 drops the connection; HANG as `body` answers only when the fake is released."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def refusal(word: str) -> Reply:
    return Reply(200, {"ok": False, "error": word})


def limited(seconds: int) -> Reply:
    return Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})


BROKEN = Reply(503, "<html>upstream</html>")
LOST = Reply(0)


@dataclass(frozen=True)
class Call:
    method: str
    args: dict[str, Any]

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return list(self.args.get("blocks") or [])

    @property
    def buttons(self) -> list[str]:
        return [e["text"]["text"] for b in self.blocks if b["type"] == "actions" for e in b["elements"]]


class FakeSlack:
    """`script[method]` are answers to give first; `always[place]` answers whatever is for that channel."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.script: defaultdict[str, deque[Reply]] = defaultdict(deque)
        self.always: dict[str, Reply] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.released = asyncio.Event()
        self.most_at_once = self._at_once = 0
        self._changed = asyncio.Condition()
        self._ts = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._serve)
        app.router.add_post("/hook/{name}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self._runner.cleanup()

    def client(self) -> AsyncWebClient:
        return web_client("xoxb-test", f"http://127.0.0.1:{self.port}/api/")

    def hook(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/hook/{name}"

    def of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def said(self, text: str) -> list[Call]:
        return [call for call in self.calls if text in json.dumps(call.args, ensure_ascii=False)]

    async def until(self, true: Callable[[], Any], timeout: float = 10) -> Any:
        async with asyncio.timeout(timeout), self._changed:
            while not (found := true()):
                await self._changed.wait()
            return found

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info.get("method") or "hook/" + request.match_info["name"]
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            call = Call(method, await _arguments(request))
            async with self._changed:
                self.calls.append(call)
                self._changed.notify_all()
            return await self._answer(request, call)
        finally:
            self._at_once -= 1

    async def _answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        place = str(call.args.get("channel") or call.args.get("view_id") or "")
        told = self.script[call.method].popleft() if self.script[call.method] else self.always.get(place)
        if told is None:
            return web.json_response(self._usual(call))
        if told.body == HANG:
            await self.released.wait()
        if told.status == 0 and request.transport is not None:
            request.transport.abort()
        if isinstance(told.body, dict):
            return web.json_response(told.body, status=told.status, headers=told.headers)
        return web.Response(text=str(told.body), status=told.status or 500, content_type="text/html", headers=told.headers)

    def _usual(self, call: Call) -> dict[str, Any]:
        if call.method == "users.info":
            user = call.args["user"]
            plain = {"id": user, "team_id": "T0HOME", "name": user.lower(), "real_name": f"Name {user}", "deleted": False}
            return {"ok": True, "user": plain | self.users.get(user, {})}
        if call.method == "chat.postMessage":
            self._ts += 1
            channel = str(call.args["channel"])
            return {"ok": True, "channel": f"D{channel}" if channel[0] in "UW" else channel, "ts": f"{self._ts}.000"}
        return {"ok": True, "view": {"id": "V0NEW"}}


async def _arguments(request: web.Request) -> dict[str, Any]:
    found: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json" and request.can_read_body:
        return found | dict(await request.json())
    return found | {key: _value(str(value)) for key, value in (await request.post()).items()}


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in "[{" else text
