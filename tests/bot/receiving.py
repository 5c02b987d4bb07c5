"""A system that opens and closes access, on the loopback address, as tests want it to answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

PAUSE = 0.1  # seconds
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw"


@dataclass
class Receiver:
    """`answers` are given first; then `usual`. None hangs until `released`; an exception drops the connection; a tuple is
    sent in pieces, with PAUSE between two."""

    usual: Any = ""
    answers: list[Any] = field(default_factory=list)
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/hook", self._serve)
        app.router.add_post("/elsewhere", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        return {"URL": self.url, "SECRET": SECRET}

    @property
    def told(self) -> list[tuple[str, str]]:
        """Type and id of each call that arrived."""
        return [(json.loads(body)["type"], headers["webhook-id"]) for headers, body in self.got]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, await request.text()))
        self.arrived.set()
        answer = self.answers.pop(0) if self.answers else self.usual
        if answer is None:
            await self.released.wait()
            answer = ""
        if isinstance(answer, Exception):
            assert request.transport is not None
            request.transport.abort()
        if isinstance(answer, tuple):
            return await _in_pieces(request, answer)
        if isinstance(answer, int):
            return web.Response(status=answer, headers={"Location": "/elsewhere"})
        return web.Response(text=answer if isinstance(answer, str) else json.dumps(answer))


async def _in_pieces(request: web.Request, pieces: tuple[str, ...]) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for n, piece in enumerate(pieces):
        await asyncio.sleep(PAUSE if n else 0)
        await response.write(piece.encode())
    await response.write_eof()
    return response
