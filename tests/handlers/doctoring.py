"""The example organisation in Slack, and doctor beside it, for the tests of what doctor asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import workspace
from bot.diagnostics import Diagnosis
from bot.domain.policy.model import Policy
from handlers.doctor.check import READS, examine
from handlers.doctor.lookups import Lookups
from handlers.web_api.manifest import manifest
from sandbox.driver import Sandbox
from sandbox.workspace import Channel

WANTED = sorted({*manifest(prefix="", url=None)["oauth_config"]["scopes"]["bot"], *READS})
Ask = Callable[..., Awaitable[list[Diagnosis]]]


@asynccontextmanager
async def in_slack(policy: Policy) -> AsyncIterator[Sandbox]:
    """The organisation in Slack, all of it as its policy says."""
    told = workspace(policy, 1)
    told["app"]["scopes"] = list(WANTED)
    async with Sandbox(told) as running:
        yield running


def doctor(slack: Sandbox, example: Policy, waits: list[float]) -> Ask:
    """Examines the workspace as it is when asked. `waits` gets how long doctor waited, without anybody waiting."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def examined(
        policy: Policy | None = example, bot_token: str = "", app_token: str | None = "", tell: Any = lambda _: None
    ) -> list[Diagnosis]:
        client = AsyncWebClient(bot_token or slack.bot_token, base_url=slack.api_url)
        lookups = Lookups(client, sleep=sleep, tell=tell)
        return await examine(lookups, slack.app_token if app_token == "" else app_token, policy)

    return examined


def channel(slack: Sandbox, id_: str) -> Channel:
    return next(c for c in slack.world.workspace.channels if c.id == id_)


def only(found: list[Diagnosis], severity: str, area: str) -> str:
    """The sentence of the one finding."""
    assert [(f.severity, f.area) for f in found] == [(severity, area)], found
    return found[0].text


def known_only_by_workspace(slack: Sandbox, id_: str, team: str) -> None:
    """Somebody whom the policy does not name, of a provider's workspace, in a channel shared with it."""
    unnamed = replace(slack.person("U0OWNER"), id="U0UNNAMED", name="nobody", real_name="Nobody Named", team_id=team)
    slack.world.workspace.users.append(unnamed)
    channel(slack, id_).members.append("U0UNNAMED")
    channel(slack, id_).shared_with.append(team)
