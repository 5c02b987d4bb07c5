"""The HTTP server: `/api/…` for the app, `/link` for Socket Mode, `/response/…`, an inbox of pages, and `/sandbox/…`.

It binds the loopback address only and refuses requests whose Host is another name, so that no web page elsewhere can
reach it through a rebound name.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox import control
from sandbox.control import Control
from sandbox.delivery import Delivery
from sandbox.errors import SlackError
from sandbox.faults import Faults
from sandbox.gestures import Gestures
from sandbox.paging import Paging
from sandbox.web_api import response_urls
from sandbox.web_api.api_call import Call
from sandbox.web_api.methods import read_arguments, run
from sandbox.workspace import Json, Workspace
from sandbox.world import World

LOOPBACK = "127.0.0.1"
_NAMES = {"127.0.0.1", "localhost", "[::1]"}
_HIDDEN = {"token"}


class Server:
    """One running look-alike; `start` binds it, `stop` ends it."""

    def __init__(self, workspace: Workspace) -> None:
        """Build the world; nothing listens yet."""
        self.world = World(workspace)
        self.faults = Faults()
        self.delivery = Delivery(self.world, self.faults)
        self.gestures = Gestures(self.world, self.delivery)
        self.paging = Paging(self.world, self.faults)
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback address; port 0 picks a free one."""
        app = web.Application(middlewares=[_guard], client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self.delivery.sockets.serve)
        app.router.add_post("/response/{team}/{token}", self._response)
        self.paging.add_routes(app)
        control.add_routes(app, Control(self.world, self.faults, self.delivery, self.gestures, self.paging))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, port)
        await site.start()
        sockets = site._server.sockets if isinstance(site._server, asyncio.Server) else ()
        self.port = sockets[0].getsockname()[1]
        self.world.base_url = f"http://{LOOPBACK}:{self.port}"

    async def stop(self) -> None:
        """Hang up everywhere and stop listening."""
        await self.delivery.close()
        self.world.touch()
        if self._runner is not None:
            await self._runner.cleanup()

    # the Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        """One Web API call, with the faults that are switched on for it."""
        method = request.match_info["method"]
        started = time.monotonic()
        if delay := self.faults.delay(method):
            await asyncio.sleep(delay)
        line = self.world.timeline.add("call", method)
        try:
            self._strike(method)
            call = await self._call(request, method)
            line.sent = json.loads(json.dumps({k: v for k, v in call.args.items() if k not in _HIDDEN}))
            answer, status, headers = run(call), 200, {}
        except SlackError as error:
            answer, status, headers = {"ok": False, "error": error.error, **error.extra}, error.status, error.headers
        line.answer = json.loads(json.dumps(answer))
        line.ok, line.error = bool(answer["ok"]), str(answer.get("error", ""))
        line.seconds = time.monotonic() - started
        self.world.touch()
        return self._answer(request, method, answer, status, headers)

    def _strike(self, method: str) -> None:
        """Faults that keep a call from being performed."""
        if self.faults.slack_off:
            raise SlackError("internal_error", status=503)
        if (wait := self.faults.take(self.faults.limited, method)) is not None:
            raise SlackError("ratelimited", status=429, headers={"Retry-After": str(int(wait))})
        if (status := self.faults.take(self.faults.broken, method)) is not None:
            raise SlackError("internal_error", status=int(status))
        if word := self.faults.take_refusal(method):
            raise SlackError(word)

    def _answer(
        self, request: web.Request, method: str, answer: Json, status: int, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """The response, or a dropped connection under the fault of that name; a 5xx carries no JSON."""
        if answer["ok"] and self.faults.take(self.faults.lost, method) is not None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if status >= 500:
            return web.Response(status=status, text="<html>upstream error</html>", content_type="text/html")
        scopes = ",".join(self.world.workspace.app.scopes)
        return web.json_response(answer, status=status, headers={"x-oauth-scopes": scopes, **headers})

    async def _call(self, request: web.Request, method: str) -> Call:
        """Read a request in any of Slack's encodings."""
        form: dict[str, Any] = {}
        body = b""
        kind = request.content_type if request.can_read_body else ""
        if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            form = {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
        elif request.can_read_body:
            body = await request.read()
        args = read_arguments(kind, request.query, body, form)
        bearer = request.headers.get("Authorization", "")
        token = bearer[7:].strip() if bearer.lower().startswith("bearer ") else str(args.pop("token", "") or "")
        return Call(self.world, method, args, token)

    async def _response(self, request: web.Request) -> web.StreamResponse:
        """A message for a response_url."""
        line = self.world.timeline.add("response_url", "response_url", ok=False)
        try:
            body = json.loads(await request.read())
            line.sent = body
            post = response_urls.use(self.world, request.match_info["token"])
            response_urls.post_response(self.world, post, body)
        except (ValueError, AttributeError):
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        except SlackError as error:
            line.error = error.error
            refusal = {"ok": False, "error": error.error, **error.extra}
            return web.json_response(refusal, status=error.status if error.status != 200 else 400)
        line.ok = True
        return web.json_response({"ok": True})


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Only this machine by its own names, and no cross-origin page, may talk to the sandbox."""
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin != f"http://{request.host}"
    if host not in _NAMES or (foreign and request.path.startswith("/sandbox")):
        raise web.HTTPForbidden(text="this server answers its own machine only")
    return await handler(request)
