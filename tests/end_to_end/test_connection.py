"""A bot whose connection to Slack is cut, as its operators see it."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from tests.end_to_end.ground import Ground, free_port


async def page(address: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as answer:
        return answer.status, await answer.text()


async def test_readiness_follows_the_connection_and_acknowledgements_are_timed(start: Callable[..., Any]) -> None:
    bot = await start(anew=True)
    await bot.stop()
    bot.ops_listen = f"127.0.0.1:{free_port()}"
    await bot.start()
    ground = Ground(bot)
    assert (await page(bot.ops_listen, "/readyz"))[0] == 200
    assert (await ground.command("U0OWNER", "/countersign", "help")).ok
    assert (await ground.click("U0OWNER", 7, None)).acked  # type: ignore[arg-type]
    metrics = (await page(bot.ops_listen, "/metrics"))[1]
    assert 'countersign_ack_seconds_count{kind="command"} 1.0' in metrics
    assert 'countersign_deliveries_total{kind="command",outcome="ok"} 1.0' in metrics
    assert 'countersign_deliveries_total{kind="refused",outcome="wrong_shape"} 1.0' in metrics

    bot.sandbox.cut_sockets(4)
    for expected in (503, 200):
        async with asyncio.timeout(20):
            while (await page(bot.ops_listen, "/readyz"))[0] != expected:
                await asyncio.sleep(0.05)
