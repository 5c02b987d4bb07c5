"""Calendars fetched from a real listener that behaves as badly as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.domain.policy.rota import Rota
from runbooks.calendars import fetch as fetching
from runbooks.calendars.fetch import fetch
from runbooks.calendars.ical_text import BadFeed
from runbooks.parsing.addresses import address_of, may_be_fetched
from tests.bot.building import ONC1


class Calendar:
    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"BEGIN:VCALENDAR", {"Content-Type": "text/calendar"}
        self.hangs, self.asked = False, list[dict[str, str]]()
        self.over = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append({"path": request.path, **request.headers})
        if self.hangs:
            await self.over.wait()
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def calendar() -> AsyncIterator[tuple[Calendar, str]]:
    told = Calendar()
    app = web.Application()
    app.router.add_get("/{path:.*}", told.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield told, f"http://127.0.0.1:{runner.addresses[0][1]}/secret/rota.ics"
    told.over.set()
    await runner.cleanup()


async def test_what_is_there_is_what_is_fetched(calendar: tuple[Calendar, str]) -> None:
    told, address = calendar
    assert await fetch(address) == b"BEGIN:VCALENDAR"
    assert told.asked[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "body", "headers", "why"),
    [
        (302, b"", {"Location": "/other"}, "leads elsewhere"),
        (404, b"", {}, "answers with status 404"),
        (503, b"", {}, "answers with status 503"),
        (200, b"x" * 1_000_001, {}, "larger than 1 MB"),
        (200, b"x", {"Content-Encoding": "gzip"}, "compressed"),
    ],
)
async def test_what_is_no_calendar_says_why_and_never_where(
    calendar: tuple[Calendar, str], status: int, body: bytes, headers: dict[str, str], why: str
) -> None:
    told, address = calendar
    told.status, told.body, told.headers = status, body, headers
    with pytest.raises(BadFeed, match=why) as caught:
        await fetch(address)
    assert "secret" not in str(caught.value)
    assert len(told.asked) == 1  # a redirect is followed by nobody


async def test_an_address_that_never_answers_is_given_up(
    calendar: tuple[Calendar, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told, address = calendar
    told.hangs = True
    monkeypatch.setattr(fetching, "TIMEOUT", 0.05)
    with pytest.raises(BadFeed, match="has not answered"):
        await fetch(address)


async def test_nobody_there_is_a_bad_feed_too() -> None:
    with pytest.raises(BadFeed, match="cannot be reached"):
        await fetch("http://127.0.0.1:1/rota.ics")


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("https://calendar.example/a.ics", True), ("http://127.0.0.1:8000/a", True), ("http://localhost/a", True),
        ("http://[::1]:80/a", True), ("http://calendar.example/a.ics", False), ("http://localhost:x@calendar.example/", False),
        ("http://127.0.0.1.calendar.example/", False), ("file:///etc/passwd", False), ("webcal://calendar.example/a", False),
        ("https://", False), ("a.ics", False), ("https://calendar.example:99999/", False),
    ],
)  # fmt: skip
async def test_only_https_and_this_machine_are_asked(address: str, fits: bool) -> None:
    assert may_be_fetched(address) is fits
    if not fits:
        with pytest.raises(BadFeed, match="neither https"):
            await fetch(address)


@pytest.mark.parametrize(
    ("feed", "found"),
    [
        ("https://a.example/", "https://a.example/"),
        ("env:ROTA", "https://b.example/"),
        ("env:UNSET", None),
        ("a.ics", None),
    ],
)
def test_the_address_of_a_rota_may_be_in_the_environment(feed: str, found: str | None) -> None:
    rota = Rota("security", "ical", (ONC1,), "UTC", feed=feed)
    assert address_of(rota, {"ROTA": "https://b.example/"}) == found
