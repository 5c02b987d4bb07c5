"""Who we are in Slack, asked until Slack says it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import SlackRefused
from handlers.web_api.own_identity import OwnIdentity
from tests.handlers.fake_slack import BROKEN, LOST, FakeSlack, Reply, limited, refusal

OURS = Reply(200, {"ok": True, "team_id": "T0HOME", "user_id": "U0BOT", "bot_id": "B0BOT"})


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


async def test_a_slack_that_is_down_is_asked_again_with_growing_pauses_and_said_to_be_down(slack: FakeSlack) -> None:
    waits: list[float] = []
    said: list[tuple[str, ...]] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        said.append(introduction.findings())

    introduction = OwnIdentity(slack.client(), sleep)
    slack.script["auth.test"].extend([LOST, BROKEN, limited(7), refusal("internal_error"), OURS])
    await introduction.until_known()
    assert waits == [1, 2, 7, 8]
    where = f"Slack cannot be reached at http://127.0.0.1:{slack.port}/api/"
    assert [text for (text,) in said[:2]] == [f"{where} ({w}); it is tried again." for w in ("network", "http_503")]
    assert introduction.findings() == ()
    told = introduction.identity
    assert (told.team, told.bot_user, told.bot) == ("T0HOME", "U0BOT", "B0BOT")


@pytest.mark.parametrize("word", ["invalid_auth", "account_inactive", "token_revoked", "missing_scope", "team_disabled"])
async def test_a_token_that_slack_refuses_is_not_tried_again(slack: FakeSlack, word: str) -> None:
    slack.script["auth.test"].extend([refusal(word), OURS])
    with pytest.raises(SlackRefused, match=f"Slack refuses SLACK_BOT_TOKEN \\({word}\\)"):
        await OwnIdentity(slack.client()).until_known()


async def test_nobody_is_asked_twice(slack: FakeSlack) -> None:
    introduction = OwnIdentity(slack.client())
    slack.script["auth.test"].append(OURS)
    assert await introduction.ask() is None
    await introduction.until_known()
    assert len(slack.of("auth.test")) == 1
