"""The sign of life, against a real listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.background.heartbeat import Heartbeat
from bot.settings import Settings

EVERY = 0.05


class Monitor:
    def __init__(self) -> None:
        self.heard, self.status, self.hangs = 0, 200, False
        self.findings: tuple[str, ...] = ()
        self.asked = 0
        self.over = asyncio.Event()

    async def answer(self, _request: web.Request) -> web.Response:
        self.heard += 1
        if self.hangs:
            await self.over.wait()
        return web.Response(status=self.status, headers={"Location": "/other"})

    async def ready(self) -> tuple[str, ...]:
        self.asked += 1
        return self.findings

    async def expect_beats(self, heard: int) -> None:
        """Waits until so many beats have come in all; raises `TimeoutError` after 10 seconds."""
        async with asyncio.timeout(10):
            while self.heard < heard:
                await asyncio.sleep(0.005)


@pytest.fixture
async def monitor() -> AsyncIterator[Monitor]:
    told = Monitor()
    app = web.Application()
    app.router.add_get("/ping", told.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    stop = asyncio.Event()
    running = asyncio.create_task(Heartbeat(f"http://127.0.0.1:{port}/ping", told.ready, EVERY).run(stop))
    yield told
    stop.set()
    told.over.set()
    await asyncio.wait_for(running, 5)
    await runner.cleanup()


async def test_it_beats_while_the_bot_is_ready_stops_when_it_is_not_and_begins_again(monitor: Monitor) -> None:
    await monitor.expect_beats(3)
    monitor.findings = ("The sweeper has ended.",)
    asked = monitor.asked
    while monitor.asked < asked + 2:
        await asyncio.sleep(0.005)
    heard, asked = monitor.heard, monitor.asked
    while monitor.asked < asked + 5:
        await asyncio.sleep(0.005)
    assert monitor.heard == heard
    monitor.findings = ()
    await monitor.expect_beats(heard + 2)


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_monitor_that_refuses_or_sends_it_elsewhere_ends_nothing(monitor: Monitor, status: int) -> None:
    monitor.status = status
    await monitor.expect_beats(3)
    assert monitor.asked >= 3  # each beat is a new judgement of the bot


async def test_a_monitor_that_never_answers_blocks_nothing(monitor: Monitor) -> None:
    monitor.hangs = True
    await monitor.expect_beats(3)
    assert monitor.asked >= 3


async def test_nobody_listening_ends_nothing() -> None:
    told, stop = Monitor(), asyncio.Event()
    running = asyncio.create_task(Heartbeat("http://127.0.0.1:1/ping", told.ready, EVERY).run(stop))
    while told.asked < 3:
        await asyncio.sleep(0.005)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 5)


@pytest.mark.parametrize("url", ["https://hc.example.org/ping/abc", "http://127.0.0.1:8000/x", "http://localhost/x"])
def test_the_address_is_https_or_on_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_HEARTBEAT_URL", url)
    assert url not in repr(Settings())


@pytest.mark.parametrize(
    "url", ["http://hc.example.org/ping/abc", "ftp://127.0.0.1/", "hc.example.org", "http://127.0.0.1.example.org/"]
)
def test_any_other_address_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_HEARTBEAT_URL", url)
    with pytest.raises(ValueError, match="https"):
        Settings()


@pytest.mark.parametrize(("channel", "fits"), [("C0ALARM", True), ("G12345", True), ("#alarm", False), ("U0OWNER", False)])
def test_the_alarm_channel_is_an_id(channel: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_ALARM_CHANNEL", channel)
    if fits:
        assert Settings().alarm_channel == channel
    else:
        with pytest.raises(ValueError, match="channel's id"):
            Settings()
