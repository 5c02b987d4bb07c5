"""A bot that starts while Slack is down: time goes on, people are paged beside Slack, and all is said when it is back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.bot.forwarding import forwarded
from tests.end_to_end.ground import Ground, free_port
from tests.end_to_end.test_connection import page

ON_CALL = ("U0ONC1", "U0ONC2")


@asynccontextmanager
async def pages() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody's pager, as an Apprise address, and what it got."""
    got: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/page", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"json://127.0.0.1:{runner.addresses[0][1]}/page", got
    await runner.cleanup()


async def test_a_bot_that_starts_without_slack_pages_and_says_all_of_it_when_slack_is_back(
    start: Callable[..., Any], file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await start(45)  # the on-call is asked 13 seconds after the filing, and it expires after 60
    ground = Ground(bot)
    await file(bot.sandbox)
    assert await bot.stop() == 0
    [(case,)] = bot.rows("SELECT id FROM request WHERE target = 'dc-core-01'")
    matrix = bot.home / "runbooks" / "responsibility.yaml"
    rota = "    people: [tomas, grace]\n"
    assert rota in matrix.read_text()
    matrix.write_text(matrix.read_text().replace(rota, f'{rota}    page: "env:PAGE_SECURITY"\n'))
    port = free_port()
    bot.ops_listen = f"127.0.0.1:{free_port()}"
    bot.changed = {"SLACK_API_URL": f"http://127.0.0.1:{port}/api/"}
    async with pages() as (address, got):
        monkeypatch.setenv("PAGE_SECURITY", address)
        await bot.launch()
        await ground.until(lambda: got, timeout=50)
        assert "Corporate directory" in got[0]["message"]
        status, text = await page(bot.ops_listen, "/readyz")
        assert (status, f"Slack cannot be reached at http://127.0.0.1:{port}/api/ (network)" in text) == (503, True)
        assert "request.expired" not in bot.types()
        async with forwarded(bot.sandbox.port, port):
            await bot.sandbox.wait_for(lambda: bot.sandbox.sockets, 60)
            await bot.sandbox.wait_for(lambda: any(bot.sandbox.find(u, "Approve") for u in ON_CALL), 60)
            async with asyncio.timeout(30):
                while (await page(bot.ops_listen, "/readyz"))[0] != 200:
                    await asyncio.sleep(0.1)
            assert (await ground.command("U0OWNER", "/countersign", "help")).ok
            assert await bot.stop() == 0
    fired = [e["data"]["role"] for e in ground.entries(case) if e["type"] == "step.fired"]
    assert fired.count("on_call") == 1
