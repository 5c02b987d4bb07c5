"""The client of every call out, against a real listener that answers slowly, badly, or as a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from bot.http.client import CallFailed, HttpClient, Limits

LIMITS = Limits(seconds=2.0, size=1000)
PAUSE = 0.05  # seconds


class Service:
    """Answers each connection with the given pieces, byte for byte, and keeps the first line that it was sent."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.asked: list[str] = []
        self.under_way: list[asyncio.Task[None]] = []
        self.url = self.headers = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        self.headers = head.decode().lower()
        self.under_way.append(task := asyncio.ensure_future(self._write(writer)))
        await asyncio.wait([task])

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        try:
            for n, piece in enumerate(self.pieces):
                await asyncio.sleep(PAUSE if n else 0)
                writer.write(piece)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def end(self) -> None:
        """Closes the connections that are still open."""
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)

    def says(self, body: bytes, *later: bytes, status: str = "200 OK", headers: str = "") -> None:
        size = len(body) + sum(map(len, later))
        head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n"
        self.pieces = [head.encode() + body, *later]


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    service = Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        service.url = f"http://{host}:{port}/hook"
        yield service
        await service.end()


async def got(url: str, limits: Limits = LIMITS) -> tuple[int, bytes]:
    async with HttpClient() as http:
        answer = await http.get(url, limits)
    return answer.status, answer.body


async def test_an_answer_in_pieces_is_read_to_its_end(service: Service) -> None:
    service.says(b'{"state": "op', b"ened", b'"}')
    assert await got(service.url) == (200, b'{"state": "opened"}')


async def test_an_answer_that_breaks_off_is_none(service: Service) -> None:
    service.says(b"closed", b"!")
    service.pieces.pop()
    with pytest.raises(CallFailed, match=r"^ClientPayloadError$"):
        await got(service.url)


async def test_an_answer_of_just_the_limit_is_whole_and_one_more_byte_is_too_many(service: Service) -> None:
    service.says(b"x" * 1000)
    assert len((await got(service.url))[1]) == 1000
    service.says(b"x" * 1000, b"x")
    with pytest.raises(CallFailed, match=r"^too_large$"):
        await got(service.url)


async def test_the_time_is_that_of_the_whole_answer_and_not_of_each_piece(service: Service) -> None:
    service.says(b"x", *[b"x"] * 100)
    started = asyncio.get_running_loop().time()
    with pytest.raises(CallFailed, match=r"^timeout$"):
        await got(service.url, Limits(seconds=4 * PAUSE, size=1000))
    assert asyncio.get_running_loop().time() - started < 40 * PAUSE


async def test_a_redirect_is_an_answer_that_is_not_followed(service: Service) -> None:
    service.says(b"", status="302 Found", headers="Location: /elsewhere\r\n")
    assert (await got(service.url))[0] == 302
    assert service.asked == ["GET /hook HTTP/1.1"]


async def test_something_compressed_is_not_asked_for_and_not_read(service: Service) -> None:
    service.says(b"\x1f\x8b", headers="Content-Encoding: gzip\r\n")
    with pytest.raises(CallFailed, match=r"^compressed$"):
        await got(service.url)
    assert "accept-encoding: identity" in service.headers


async def test_an_error_holds_nothing_of_the_address(service: Service) -> None:
    service.pieces = [b"\r\nnot http key=hidden\r\n"]
    for url in (service.url + "?key=hidden", "http://127.0.0.1:1/?key=hidden", "http://hidden:hidden@[/", "hidden://x"):
        with pytest.raises(CallFailed) as failed:
            await got(url)
        assert str(failed.value).isidentifier()
        assert "hidden" not in str(failed.value)


async def test_another_machine_is_reached_through_the_proxy_and_an_exempt_one_is_not(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", service.url.removesuffix("/hook"))
    service.says(b"through")
    assert await got("http://pam.invalid/hook") == (200, b"through")
    assert service.asked == ["GET http://pam.invalid/hook HTTP/1.1"]
    monkeypatch.setenv("NO_PROXY", ".invalid")
    with pytest.raises(CallFailed):
        await got("http://pam.invalid/hook")
    assert len(service.asked) == 1


async def test_this_machine_is_never_reached_through_a_proxy(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    service.says(b"direct")
    assert await got(service.url) == (200, b"direct")
    assert service.asked == ["GET /hook HTTP/1.1"]
