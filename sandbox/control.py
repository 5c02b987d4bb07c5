"""`/sandbox/…`: what the page and tests in other processes read and do, as JSON, and the page's own files."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.delivery import Delivery
from sandbox.errors import GestureError
from sandbox.faults import Faults
from sandbox.gestures import Gestures
from sandbox.hands import Hands
from sandbox.paging import Paging
from sandbox.screens import directory, screen
from sandbox.workspace import Json
from sandbox.world import World

PAGE = Path(__file__).parent / "page"
_FILES = frozenset(p.name for p in PAGE.iterdir()) if PAGE.is_dir() else frozenset()
_POLICY = "default-src 'self'; img-src 'self' data: https:; style-src 'self'; connect-src 'self'; frame-ancestors 'none'"


class Control:
    """The handlers behind `/sandbox/…`."""

    def __init__(self, world: World, faults: Faults, delivery: Delivery, gestures: Gestures, paging: Paging) -> None:
        """Handlers over one running sandbox."""
        self.world = world
        self.paging = paging
        self.faults = faults
        self.delivery = delivery
        self.hands = Hands(world, gestures)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page and its files."""
        name = request.match_info.get("name", "index.html")
        if name not in _FILES:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(PAGE / name, headers=headers)

    async def read_directory(self, _request: web.Request) -> web.StreamResponse:
        """Teams, people, channels, commands, banner, script."""
        return web.json_response(directory(self.world))

    async def read_screen(self, request: web.Request) -> web.StreamResponse:
        """Everything that one person sees."""
        user_id = request.query.get("user", "")
        if self.world.user(user_id) is None:
            raise web.HTTPNotFound(text=f"there is no user {user_id}")
        return web.json_response(screen(self.world, user_id))

    async def do(self, request: web.Request) -> web.StreamResponse:
        """One gesture, named in the path, its arguments in the JSON body; the answer is its outcome."""
        try:
            outcome = await self.hands.do(request.match_info["gesture"], await _body(request))
        except GestureError as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response(outcome)

    async def read_timeline(self, request: web.Request) -> web.StreamResponse:
        """The lines after a number, at most 500, oldest first."""
        after = int(request.query.get("after", "0"))
        lines = [dataclasses.asdict(x) for x in self.world.timeline.lines if x.number > after]
        return web.json_response({"lines": lines[-500:]}, dumps=_dumps)

    async def read_paged(self, _request: web.Request) -> web.StreamResponse:
        """Every page that arrived, oldest first."""
        return web.json_response({"paged": [dataclasses.asdict(one) for one in self.paging.arrived]})

    async def read_faults(self, _request: web.Request) -> web.StreamResponse:
        """What is switched on, and how many sockets are connected."""
        sockets = {"sockets": len(self.delivery.sockets.connected)}
        return web.json_response({**self.faults.summary(), **sockets})

    async def set_fault(self, request: web.Request) -> web.StreamResponse:
        """Switch a fault on or off: `{"fault": name, …}` with the arguments of `Faults`' method of that name."""
        body = await _body(request)
        name = str(body.pop("fault", ""))
        try:
            await self._fault(name, body)
        except (TypeError, KeyError, ValueError) as error:
            return web.json_response({"error": f"{name}: {error}"}, status=400)
        self.world.timeline.add("fault", name, body)
        self.world.touch()
        return await self.read_faults(request)

    async def _fault(self, name: str, body: Json) -> None:
        """Do what a fault's name says."""
        plain: dict[str, Callable[..., None]] = {
            "rate_limit": self.faults.rate_limit, "fail": self.faults.fail, "lose_answer": self.faults.lose_answer,
            "refuse": self.faults.refuse, "clear": self.faults.clear,
        }  # fmt: skip
        if name in plain:
            plain[name](**body)
        elif name == "slow":
            self.faults.slow[body["method"]] = float(body["seconds"])
        elif name == "double_deliveries":
            self.faults.double_deliveries = bool(body["on"])
        elif name == "extra_connections":
            self.faults.extra_connections = int(body["count"])
        elif name == "slack_off":
            self.faults.slack_off = bool(body["on"])
            if self.faults.slack_off:
                self.delivery.sockets.cut()
        elif name == "pager_off":
            self.faults.pager_off = bool(body["on"])
        elif name == "cut":
            self.faults.bar_sockets(float(body.get("seconds", 0)))
            self.delivery.sockets.cut()
        elif name == "ask_to_leave":
            await self.delivery.sockets.ask_to_leave()
        elif name == "user":
            self._user(body)
        else:
            raise KeyError("no such fault")

    def _user(self, body: Json) -> None:
        """Put a person to sleep (`dnd`) or deactivate them (`deleted`)."""
        user = self.world.user(str(body["user"]))
        if user is None:
            raise KeyError(body["user"])
        for flag in ("dnd", "deleted", "accepts_dms", "is_restricted", "is_stranger"):
            if flag in body:
                setattr(user, flag, bool(body[flag]))

    async def live(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket that says when something changed; the page then reads what it needs."""
        ws = web.WebSocketResponse(heartbeat=20)
        await ws.prepare(request)
        told = -1
        self.world.pages += 1
        try:
            while not ws.closed:
                if told != self.world.version:
                    told = self.world.version
                    await ws.send_json({"version": told})
                    await asyncio.sleep(0.03)
                    continue
                await self._pause(ws, told)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self.world.pages -= 1
        return ws

    async def _pause(self, ws: web.WebSocketResponse, told: int) -> None:
        """Wait for a change after the version that the page knows, or for the page to leave."""
        change = asyncio.ensure_future(self.world.changed(30, told))
        leave = asyncio.ensure_future(ws.receive())
        _, pending = await asyncio.wait({change, leave}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def _dumps(value: Any) -> str:
    """JSON of payloads that may hold anything an app sent."""
    return json.dumps(value, default=str)


async def _body(request: web.Request) -> Json:
    """The JSON object of a request."""
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="the body is not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not an object")
    return body


async def _home(_request: web.Request) -> web.StreamResponse:
    """Permalinks lead to the page."""
    raise web.HTTPFound("/")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(app: web.Application, control: Control) -> None:
    """Hang everything under `/sandbox/…` and the page at `/` into the server."""
    app.router.add_get("/", control.page)
    app.router.add_get("/page/{name}", control.page)
    app.router.add_get("/archives/{channel}/{ts}", _home)
    app.router.add_get("/sandbox/directory", control.read_directory)
    app.router.add_get("/sandbox/screen", control.read_screen)
    app.router.add_get("/sandbox/timeline", control.read_timeline)
    app.router.add_get("/sandbox/paged", control.read_paged)
    app.router.add_get("/sandbox/faults", control.read_faults)
    app.router.add_post("/sandbox/faults", control.set_fault)
    app.router.add_post("/sandbox/do/{gesture}", control.do)
    app.router.add_get("/sandbox/live", control.live)
