"""Socket Mode, Slack's side: hello, envelopes, acknowledgements, pings, and the ways in which a connection ends."""

import asyncio
import itertools
import json
import uuid
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from sandbox.faults import Faults
from sandbox.workspace import Json
from sandbox.world import World


@dataclass(eq=False)
class Socket:
    """One connection and the envelopes that wait for their acknowledgement on it."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    waiting: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)

    def cut(self) -> None:
        """Drop the TCP connection without a close frame."""
        if self.transport is not None:
            self.transport.abort()

    def hang_up(self) -> None:
        """Resolve the waiting envelopes as unanswered."""
        for future in self.waiting.values():
            if not future.done():
                future.set_result(None)


class Sockets:
    """Every connection of the app; envelopes go to them in turn, as Slack spreads them."""

    def __init__(self, world: World, faults: Faults) -> None:
        """Start without connections."""
        self.world = world
        self.faults = faults
        self.connected: list[Socket] = []
        self.ever = 0
        self._turn = itertools.count()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection from its hello to its end."""
        if self.faults.sockets_barred():
            raise web.HTTPServiceUnavailable(text="Socket Mode is unavailable")
        if not self.world.use_ticket(request.query.get("ticket", "")):
            raise web.HTTPNotFound(text="this address was used before or never given out")
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        socket = Socket(ws, request.transport)
        self.connected.append(socket)
        self.ever += 1
        pings = asyncio.ensure_future(self._ping(ws))
        try:
            await ws.send_json(self._hello())
            self._note("connected")
            await self._listen(socket)
        except ConnectionError:
            pass  # the peer left during the handshake; recorded below
        finally:
            pings.cancel()
            self._leave(socket)
        return ws

    def _leave(self, socket: Socket) -> None:
        """Forget a connection that has ended."""
        if socket in self.connected:
            self.connected.remove(socket)
            self._note("disconnected")
        socket.hang_up()

    def _hello(self) -> Json:
        """The first thing on every connection."""
        return {
            "type": "hello", "num_connections": len(self.connected) + self.faults.extra_connections,
            "debug_info": {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.world.workspace.app.id},
        }  # fmt: skip

    async def _ping(self, ws: web.WebSocketResponse) -> None:
        """Slack pings; a client that receives nothing for a while reconnects."""
        while not ws.closed:
            await asyncio.sleep(self.world.workspace.settings.ping_seconds)
            await ws.ping(b"Ping from applink-sandbox")

    async def _listen(self, socket: Socket) -> None:
        """Match acknowledgements to envelopes until the connection ends."""
        async for message in socket.ws:
            if message.type != aiohttp.WSMsgType.TEXT:
                continue
            try:
                answer = json.loads(message.data)
                envelope_id = answer["envelope_id"]
            except (ValueError, KeyError, TypeError):
                self.world.timeline.add("socket", "unreadable", {"data": message.data}, ok=False)
                continue
            future = socket.waiting.pop(envelope_id, None)
            if future is None or future.done():
                self.world.timeline.add("socket", "late ack", {"envelope_id": envelope_id}, ok=False)
            else:
                future.set_result(answer)

    async def send(self, kind: str, payload: Json, retry: tuple[int, str] | None) -> Json | None:
        """Send one envelope and wait for its acknowledgement; None if the connection ends first."""
        socket = self.connected[next(self._turn) % len(self.connected)]
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()), "payload": payload, "type": kind,
            "accepts_response_payload": kind != "events_api",
        }  # fmt: skip
        if kind == "events_api":
            envelope |= {"retry_attempt": retry[0] if retry else 0, "retry_reason": retry[1] if retry else ""}
        future: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        socket.waiting[envelope["envelope_id"]] = future
        try:
            await socket.ws.send_json(envelope)
            return await future
        except ConnectionError:
            return None
        finally:
            socket.waiting.pop(envelope["envelope_id"], None)

    async def ask_to_leave(self, reason: str = "refresh_requested") -> None:
        """Announce the end of every connection with a `disconnect` envelope, as Slack does before a refresh."""
        for socket in list(self.connected):
            await socket.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}})

    def cut(self) -> None:
        """Drop every TCP connection without a close frame."""
        for socket in list(self.connected):
            self._leave(socket)
            socket.cut()

    async def close(self) -> None:
        """End every connection politely."""
        for socket in list(self.connected):
            self._leave(socket)
            await socket.ws.close()

    def _note(self, what: str) -> None:
        """Record that a connection came or went."""
        self.world.timeline.add("socket", what, {"connections": len(self.connected)})
        self.world.touch()
