"""`doctor --live`: Slack judges samples of what we show, and one message arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

import runbooks
from bot.domain.policy.model import Policy
from handlers.doctor.check import Live, examine
from handlers.doctor.live import samples
from handlers.doctor.lookups import Lookups
from runbooks.loader import load
from sandbox.driver import Sandbox
from tests.handlers.doctoring import in_slack
from tests.slack import judges

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def example() -> Policy:
    policy = load(Path(runbooks.__file__).parent).policy
    assert policy is not None
    return policy


@pytest.fixture
async def slack(example: Policy) -> AsyncIterator[Sandbox]:
    async with in_slack(example) as running:
        yield running


def lookups(slack: Sandbox) -> Lookups:
    return Lookups(AsyncWebClient(slack.bot_token, base_url=slack.api_url))


async def test_samples_are_judged_and_one_message_arrives(slack: Sandbox, example: Policy) -> None:
    found = await examine(lookups(slack), slack.app_token, example, Live("olga", NOW))
    assert [f for f in found if f.area == "live"] == []
    assert slack.find("U0OWNER", "this is how a message of ours arrives")
    assert len(slack.timeline.of("call", "blocks.validate")) == len(list(samples(example, NOW))) >= 5


async def test_without_a_person_nothing_is_posted(slack: Sandbox, example: Policy) -> None:
    found = await examine(lookups(slack), slack.app_token, example, Live("", NOW))
    assert [(f.severity, "--me PERSON" in f.text) for f in found if f.area == "live"] == [("warning", True)]
    assert slack.timeline.of("call", "chat.postMessage") == []


async def test_what_slack_refuses_is_an_error_each(slack: Sandbox, example: Policy) -> None:
    slack.faults.refused["blocks.validate"] = (2, "invalid_blocks")
    found = await examine(lookups(slack), slack.app_token, example, Live("U0NOBODY", NOW))
    assert [f.severity for f in found if f.area == "live"] == ["error"] * 3
    assert "Slack did not take a message to U0NOBODY" in found[-1].text


def test_the_samples_please_the_foreign_judges_too(example: Policy) -> None:
    for name, payload in samples(example, NOW):
        wrong = judges.view(payload["view"]) if "view" in payload else judges.message(payload["message"]["blocks"], "x")
        assert wrong == [], name
