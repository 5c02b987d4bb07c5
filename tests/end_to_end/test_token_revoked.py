"""The case `token-revoked`: Slack answers every call, and refuses. That is an outage with a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from handlers.web_api.manifest import SCOPES
from sandbox.driver import Sandbox
from tests.end_to_end.ground import free_port
from tests.end_to_end.test_connection import page
from tests.end_to_end.test_paging import with_addresses

OLGA, ASKER = "U0OWNER", "U0PE1"


def revoke(sandbox: Sandbox, word: str) -> None:
    """From now on every Web API call with the bot token is refused."""
    for method in SCOPES:
        if method != "apps.connections.open":
            sandbox.faults.refuse(method, word, calls=10**6)


async def readiness(bot: Any, wanted: int, seconds: float) -> str:
    """What `/readyz` says once it has this status."""
    async with asyncio.timeout(seconds):
        while True:
            status, text = await page(bot.ops_listen, "/readyz")
            if status == wanted:
                return text
            await asyncio.sleep(0.1)


async def watched(start: Callable[..., Any]) -> Any:
    """A ready bot whose owner has a page."""

    def prepare(bot: Any) -> None:
        with_addresses(bot)
        bot.ops_listen = f"127.0.0.1:{free_port()}"

    bot = await start(1.0, prepare=prepare)
    await readiness(bot, 200, 30)
    return bot


async def test_a_token_revoked_in_mid_request_is_named_at_once_and_the_owner_is_paged_beside_slack(
    start: Callable[..., Any],
) -> None:
    bot = await watched(start)
    sandbox: Sandbox = bot.sandbox
    await sandbox.command(ASKER, "/breakglass", "directory-admin-emergency Sync stopped")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    revoke(sandbox, "token_revoked")
    sent = await sandbox.submit(ASKER, {"Target": "dc-core-01", "Incident ticket": "INC1001"})
    assert sent.ok, sent.errors
    text = await readiness(bot, 503, 5)
    assert "Slack refuses SLACK_BOT_TOKEN (token_revoked)" in text
    assert "slack.token_refused" in bot.log()
    paged = await sandbox.wait_for(lambda: next((p for p in sandbox.paged if p.to == "olga"), None), 90)
    assert "Slack does not answer. On the host only a no is possible" in paged.text
    sandbox.faults.clear()
    assert (await readiness(bot, 200, 20)).startswith("ready\n")
    await sandbox.wait_for(lambda: sandbox.find(OLGA, "Approve"), 20)
    assert await bot.stop() == 0


@pytest.mark.parametrize("word", ["invalid_auth", "account_inactive"])
async def test_an_idle_bot_whose_token_is_refused_is_not_ready(start: Callable[..., Any], word: str) -> None:
    bot = await watched(start)
    revoke(bot.sandbox, word)
    assert f"Slack refuses SLACK_BOT_TOKEN ({word})" in await readiness(bot, 503, 40)
    bot.sandbox.faults.clear()
    await readiness(bot, 200, 20)
    assert await bot.stop() == 0
