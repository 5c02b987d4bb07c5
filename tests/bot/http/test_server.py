"""The base of the HTTP servers: there is room for a new connection, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bot.http import server
from bot.http.server import HttpServer

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UNFINISHED = {
    "idle": b"",
    "slow headers": b"GET / HTTP/1.1\r\nHost: ",
    "slow body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx",
    "after an answer": GET,
}
Connect = Callable[[bytes], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def read_all(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    return web.Response(text="here")


class Crowd:
    """A server, and the connections to it that are still open when the test ends."""

    def __init__(self) -> None:
        self.handler = read_all
        self.faults: list[str] = []
        self.server = HttpServer(self._handle, "127.0.0.1:0", "COUNTERSIGN_LISTEN", self.faults.append)
        self.writers: list[asyncio.StreamWriter] = []

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.handler(request)

    async def connect(self, sent: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        self.writers.append(writer)
        writer.write(sent)
        await writer.drain()
        return reader

    async def answered(self) -> bool:
        reader = await self.connect(GET)
        return (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200")


@pytest.fixture
async def crowd(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crowd]:
    monkeypatch.setattr(server, "STOPPING", 0.1)
    found = Crowd()
    await found.server.start()
    yield found
    for writer in found.writers:
        writer.close()
    await found.server.stop()


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
async def test_three_hundred_that_wait_for_their_client_leave_room_for_a_request(crowd: Crowd, sent: bytes) -> None:
    readers = [await crowd.connect(sent) for _ in range(300)]
    assert await crowd.answered()
    if sent != GET:
        assert await asyncio.wait_for(readers[0].read(), 10) == b""  # the oldest is closed
    assert not readers[-1].at_eof()
    assert crowd.faults.count("too_many_connections") == 300 + 1 - server.MOST


async def test_what_is_being_answered_is_not_closed_for_others(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST", 3)
    go, arrived = asyncio.Event(), asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await go.wait()
        return web.Response(text="slow")

    crowd.handler = slow
    first = await crowd.connect(GET)
    await arrived.wait()
    crowd.handler = read_all
    for _ in range(10):
        await crowd.connect(b"")
    assert await crowd.answered()
    go.set()
    assert (await asyncio.wait_for(first.readline(), 10)).startswith(b"HTTP/1.1 200")


async def test_anyone_who_does_not_read_an_answer_makes_room(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST", 3)
    monkeypatch.setattr(server, "UNREAD", 0.0)
    large, answers = b"x" * 30_000_000, 0

    async def much(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal answers
        answers += 1
        return web.Response(body=large)

    crowd.handler = much
    for _ in range(3):
        await crowd.connect(GET)
    while answers < 3:
        await asyncio.sleep(0.01)
    crowd.handler = read_all
    assert await crowd.answered()
