"""An inbox for what an app sends beside Slack: pages as they reach a telephone or PagerDuty.

`/pager/NAME` takes what Apprise's `json://` addresses post; `/pagerduty/v2/enqueue` takes PagerDuty's Events API v2, whose
incidents have a key and are triggered, acknowledged and resolved. Both refuse while the inbox is switched off.
"""

import json
import time
from dataclasses import dataclass

from aiohttp import web

from sandbox.faults import Faults
from sandbox.workspace import Json
from sandbox.world import World

KEPT = 200
_ACTIONS = frozenset({"trigger", "acknowledge", "resolve"})


@dataclass(frozen=True)
class Paged:
    """One page that arrived. `to` is the address's last part or the routing key; `key` and `action` are PagerDuty's."""

    number: int
    at: float
    to: str
    title: str
    text: str
    link: str = ""
    action: str = "trigger"
    key: str = ""


class Paging:
    """The inbox of one sandbox: `arrived` is everything that came, oldest first."""

    def __init__(self, world: World, faults: Faults) -> None:
        """An empty inbox."""
        self.world, self.faults = world, faults
        self.arrived: list[Paged] = []
        self.refused = 0

    def add_routes(self, app: web.Application) -> None:
        """Hang the two receivers into the server."""
        app.router.add_post("/pager/{name}", self._ring)
        app.router.add_post("/pagerduty/v2/enqueue", self._event)

    async def _ring(self, request: web.Request) -> web.StreamResponse:
        """A telephone: title and message, the link in the message's last line."""
        body = await self._body(request)
        text, _, link = str(body.get("message", "")).rpartition("\n")
        if not link.startswith("http"):
            text, link = f"{text}\n{link}".strip(), ""
        self._keep(request.match_info["name"], title=str(body.get("title", "")), text=text, link=link)
        return web.json_response({"ok": True})

    async def _event(self, request: web.Request) -> web.StreamResponse:
        """PagerDuty's answer to an event."""
        body = await self._body(request)
        action, key = str(body.get("event_action", "")), str(body.get("dedup_key", ""))
        if action not in _ACTIONS or not key or not body.get("routing_key"):
            raise web.HTTPBadRequest(text=json.dumps({"status": "invalid event"}), content_type="application/json")
        links = body.get("links") or [{}]
        payload = body.get("payload") or {}
        self._keep(
            str(body["routing_key"]), title=str(payload.get("summary", "")), link=str(links[0].get("href", "")), action=action,
            key=key,
        )  # fmt: skip
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return web.json_response(answer, status=202)

    async def _body(self, request: web.Request) -> Json:
        if self.faults.pager_off:
            self.refused += 1
            raise web.HTTPTooManyRequests if self.faults.pager_status == 429 else web.HTTPServiceUnavailable
        try:
            body = json.loads(await request.read())
        except ValueError:
            raise web.HTTPBadRequest from None
        if not isinstance(body, dict):
            raise web.HTTPBadRequest
        return body

    def _keep(self, to: str, *, title: str, text: str = "", link: str = "", action: str = "trigger", key: str = "") -> None:
        number = self.arrived[-1].number + 1 if self.arrived else 1
        self.arrived.append(Paged(number, time.time(), to, title, text, link, action, key))
        del self.arrived[:-KEPT]
        self.world.touch()
