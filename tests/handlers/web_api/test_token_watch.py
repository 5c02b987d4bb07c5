"""A refusal by any call is reported at once with a name, and is over by itself when Slack accepts the token again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from handlers.web_api import token_watch
from handlers.web_api.client import ObservedClient
from handlers.web_api.errors import CALL_ERRORS, REFUSED, REFUSED_TOKEN
from handlers.web_api.token_watch import FORGOTTEN, TokenWatch, advice
from tests.bot.office import HandClock
from tests.handlers.fake_slack import BROKEN, FakeSlack, Reply, limited, refusal

OURS = Reply(200, {"ok": True, "team_id": "T0HOME", "user_id": "U0BOT"})


@dataclass
class Watched:
    slack: FakeSlack
    clock: HandClock = field(default_factory=HandClock)
    recoveries: int = 0

    def __post_init__(self) -> None:
        self.watch = TokenWatch(self.clock)
        base = f"http://127.0.0.1:{self.slack.port}/api/"
        self.client = ObservedClient("xoxb-test", report=self.watch.called, base_url=base, retry_handlers=[])

    async def _recovered(self) -> None:
        self.recoveries += 1

    async def call(self, method: str, answer: Reply) -> None:
        self.slack.script[method].append(answer)
        try:
            await self.client.api_call(method, json={})
        except CALL_ERRORS:
            return

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.watch.run(self.client, self._recovered, stop))
        yield
        stop.set()
        await asyncio.wait_for(task, 10)


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with FakeSlack() as slack:
        yield Watched(slack)


@pytest.mark.parametrize("word", sorted(REFUSED))
@pytest.mark.parametrize("method", ["views.open", "users.info", "dnd.info", "auth.test"])
async def test_a_refusal_by_any_call_is_a_finding_and_one_error_in_the_log(
    watched: Watched, method: str, word: str
) -> None:
    with capture_logs() as logs:
        await watched.call(method, refusal(word))
        await watched.call(method, refusal(word))
    [finding] = watched.watch.findings()
    assert word in finding
    assert "SLACK_BOT_TOKEN" in finding
    assert [(e["log_level"], e["event"], e["error"]) for e in logs] == [("error", "slack.token_refused", word)]
    await watched.call(method, Reply(200, {"ok": True}))
    assert watched.watch.findings() == ()


def test_the_words_of_the_contract_are_among_them() -> None:
    named = {"invalid_auth", "account_inactive", "token_revoked", "missing_scope", "not_authed", "token_expired"}
    assert (
        named | {"org_login_required", "ekm_access_denied", "team_access_not_granted", "enterprise_is_restricted"}
        <= REFUSED
    )
    assert REFUSED_TOKEN - {"no_permission"} <= REFUSED


@pytest.mark.parametrize("trouble", [BROKEN, limited(3), refusal("channel_not_found"), refusal("no_permission")])
async def test_another_failure_says_nothing_about_the_token(watched: Watched, trouble: Reply) -> None:
    await watched.call("chat.postMessage", trouble)
    assert watched.watch.findings() == ()


async def test_a_scope_that_is_missing_is_named_and_only_its_own_method_ends_it(watched: Watched) -> None:
    await watched.call("chat.postMessage", refusal("missing_scope"))
    await watched.call("auth.test", refusal("token_revoked"))
    assert len(watched.watch.findings()) == 2
    await watched.call("auth.test", OURS)
    [finding] = watched.watch.findings()
    assert "chat.postMessage" in finding
    assert "chat:write" in finding
    await watched.call("chat.postMessage", Reply(200, {"ok": True}))
    assert watched.watch.findings() == ()


async def test_an_idle_bot_notices_and_is_notified_of_the_end(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_watch, "EVERY", 0.02)
    monkeypatch.setattr(token_watch, "WHILE_REFUSED", 0.02)
    watched.slack.script["auth.test"].extend([OURS, refusal("token_revoked"), refusal("token_revoked")])
    async with watched.running():
        async with asyncio.timeout(10):
            while not watched.watch.findings():
                await asyncio.sleep(0.005)
            while not watched.recoveries:
                await asyncio.sleep(0.005)
        assert watched.watch.findings() == ()
    assert watched.recoveries == 1


async def test_a_first_refusal_is_followed_by_a_look_at_the_whole_token_at_once(watched: Watched) -> None:
    async with watched.running():
        await watched.slack.until(lambda: watched.slack.of("auth.test"))
        await asyncio.sleep(0)
        watched.slack.script["auth.test"].append(refusal("invalid_auth"))
        await watched.call("views.open", refusal("invalid_auth"))
        await watched.slack.until(lambda: len(watched.slack.of("auth.test")) > 1, timeout=3)


async def test_a_refusal_of_one_call_that_is_not_seen_again_is_forgotten(watched: Watched) -> None:
    await watched.call("views.open", refusal("invalid_auth"))
    watched.clock.at += timedelta(seconds=FORGOTTEN - 1)
    assert watched.watch.findings() != ()
    watched.clock.at += timedelta(seconds=1)
    assert watched.watch.findings() == ()


async def test_the_app_level_token_is_named_as_such_and_outlasts_a_good_bot_token(watched: Watched) -> None:
    plain = watched.client.without_token()
    watched.slack.script["apps.connections.open"].append(refusal("invalid_auth"))
    with pytest.raises(CALL_ERRORS):
        await plain.apps_connections_open(app_token="xapp-test")
    await watched.call("auth.test", refusal("invalid_auth"))
    await watched.call("auth.test", OURS)
    assert watched.watch.findings() == (partial(advice, "apps.connections.open")("invalid_auth"),)
    assert "SLACK_APP_TOKEN" in watched.watch.findings()[0]
