"""What doctor asks Slack: a healthy workspace gives no finding; tokens, scopes and Slack's pace."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.policy.model import Policy
from handlers.doctor.check import examine
from handlers.doctor.lookups import Lookups
from handlers.web_api.errors import BY_ADMINISTRATORS, REFUSED
from sandbox.driver import Sandbox
from tests.handlers.doctoring import WANTED, Ask, doctor, in_slack, only


@pytest.fixture
async def slack(example: Policy) -> AsyncIterator[Sandbox]:
    async with in_slack(example) as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """How long doctor waited, without anybody waiting."""
    return []


@pytest.fixture
def ask(slack: Sandbox, example: Policy, waits: list[float]) -> Ask:
    return doctor(slack, example, waits)


# ── tokens ──


async def test_a_healthy_workspace_has_no_finding(ask: Ask) -> None:
    assert await ask() == []


async def test_without_an_app_token_socket_mode_is_not_asked_about(ask: Ask, slack: Sandbox) -> None:
    assert await ask(app_token=None) == []
    assert "apps.connections.open" not in {line.name for line in slack.timeline.lines}


async def test_a_wrong_bot_token_is_named_and_people_are_not_looked_up(ask: Ask) -> None:
    first, second = await ask(bot_token="xoxb-wrong")
    assert first.severity == "error"
    assert first.text.startswith("Slack refuses SLACK_BOT_TOKEN (invalid_auth): copy the Bot User OAuth Token")
    assert second.text == "People and channels were not looked up: fix SLACK_BOT_TOKEN first."


async def test_a_revoked_bot_token_asks_for_a_reinstall(ask: Ask, slack: Sandbox) -> None:
    slack.faults.refuse("auth.test", "token_revoked")
    found = await ask()
    assert found[0].text.startswith("SLACK_BOT_TOKEN is no longer valid (token_revoked): Install App → Reinstall")


async def test_a_token_that_is_no_bots_is_named(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.app.bot_id = ""
    assert only(await ask(), "error", "tokens").startswith("SLACK_BOT_TOKEN is no bot's token: copy the Bot User")


async def test_a_wrong_app_token_is_named(ask: Ask) -> None:
    text = only(await ask(app_token="xapp-wrong"), "error", "tokens")
    assert text.startswith("Slack refuses SLACK_APP_TOKEN (invalid_auth): Basic Information → App-Level Tokens → Generate")


async def test_an_app_token_without_its_scope_is_named(ask: Ask, slack: Sandbox) -> None:
    slack.faults.refuse("apps.connections.open", "missing_scope")
    assert only(await ask(), "error", "tokens").startswith("SLACK_APP_TOKEN lacks the scope connections:write: Basic")


async def test_tokens_in_each_others_place_are_both_refused(ask: Ask, slack: Sandbox) -> None:
    found = await ask(bot_token=slack.app_token, app_token=slack.bot_token)
    assert [f.text.partition(":")[0] for f in found if f.area == "tokens"] == [
        "Slack refuses SLACK_BOT_TOKEN (not_allowed_token_type)",
        "Slack refuses SLACK_APP_TOKEN (not_allowed_token_type)",
    ]


async def test_an_app_in_another_workspace_than_the_policy_says_is_named(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.app.team_id = "T0ELSE"
    text = next(f.text for f in await ask() if f.area == "tokens")
    assert text.startswith("The app is installed in Somewhere else (T0ELSE), the policy's home is T0HOME: write")


async def test_a_slack_that_is_not_there_is_one_finding(example: Policy, unused_tcp_port: int) -> None:
    client = AsyncWebClient("xoxb-any", base_url=f"http://127.0.0.1:{unused_tcp_port}/api/")
    text = only(await examine(Lookups(client), "xapp-any", example), "error", "tokens")
    assert text.startswith(
        f"Slack cannot be reached at http://127.0.0.1:{unused_tcp_port}/api/ (network): check the network"
    )


# ── scopes ──


@pytest.mark.parametrize("scope", WANTED)
async def test_each_missing_scope_is_named_with_the_clicks(ask: Ask, slack: Sandbox, scope: str) -> None:
    slack.world.workspace.app.scopes.remove(scope)
    text = next(f.text for f in await ask() if f.area == "scopes" and f.severity == "error")
    assert text == (
        f"The app lacks a scope: OAuth & Permissions → Scopes → Bot Token Scopes → add {scope} → Reinstall to Workspace."
    )


async def test_without_users_read_people_are_said_not_to_be_looked_up(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.app.scopes.remove("users:read")
    people = [f.text for f in await ask() if f.area == "people"]
    assert people == ["People were not looked up: the app lacks the scope users:read."]


async def test_without_the_channel_scopes_each_channel_is_said_not_to_be_looked_up(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.app.scopes[:] = [s for s in WANTED if s not in ("channels:read", "groups:read")]
    channels = [f for f in await ask() if f.area == "channels"]
    assert len(channels) == 7
    assert {f.severity for f in channels} == {"warning"}
    assert channels[0].text.endswith("was not looked up: the app lacks channels:read or groups:read.")


async def test_a_superfluous_scope_is_a_warning(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.app.scopes += ["admin", "files:write"]
    text = only(await ask(), "warning", "scopes")
    assert text.startswith("The app holds 2 scopes it never uses: OAuth & Permissions → Scopes → Bot Token Scopes → remove")
    assert "remove admin, files:write → Reinstall" in text


# ── Slack's pace ──


async def test_retry_after_is_waited_out_in_full_and_reported(ask: Ask, slack: Sandbox, waits: list[float]) -> None:
    slack.faults.rate_limit("users.info", calls=3, retry_after=37)
    told: list[str] = []
    assert await ask(tell=told.append) == []
    assert waits == [37, 37, 37]
    assert told == ["Slack asks us to wait 37 s before the next look-up."] * 3


async def test_a_limit_on_any_method_is_honoured(ask: Ask, slack: Sandbox, waits: list[float]) -> None:
    for method in ("auth.test", "apps.connections.open", "conversations.info", "conversations.members"):
        slack.faults.rate_limit(method, retry_after=5)
    assert await ask() == []
    assert waits == [5, 5, 5, 5]


async def test_a_limit_that_never_ends_is_a_finding(ask: Ask, slack: Sandbox) -> None:
    slack.faults.rate_limit("conversations.info", calls=30, retry_after=1)
    text = only(await ask(), "error", "channels")
    assert text.startswith(
        "Slack did not show C0DIRECTORY, the channel of domain `directory` (ratelimited): run doctor again"
    )


async def test_a_connection_that_breaks_in_the_middle_keeps_what_was_found(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.app.scopes.append("admin")
    slack.faults.lose_answer("users.info", calls=5)
    found = await ask()
    assert [f.area for f in found] == ["scopes", "tokens"]
    assert found[1].text.startswith("Slack cannot be reached at ")


async def test_without_a_policy_nobody_is_looked_up(ask: Ask, slack: Sandbox) -> None:
    text = only(await ask(None), "warning", "people")
    assert text == "People and channels were not looked up: fix the policy first."


async def test_doctor_only_reads(ask: Ask, slack: Sandbox) -> None:
    await ask()
    called = {line.name for line in slack.timeline.lines}
    assert called == {"auth.test", "apps.connections.open", "users.info", "conversations.info", "conversations.members"}


@pytest.mark.parametrize("word", sorted(REFUSED - {"missing_scope"}))
async def test_every_refusal_of_the_bot_token_is_an_error_that_names_it(slack: Sandbox, ask: Ask, word: str) -> None:
    slack.faults.refuse("auth.test", word)
    errors = [finding.text for finding in await ask() if finding.area == "tokens"]
    assert len(errors) == 1
    assert "SLACK_BOT_TOKEN" in errors[0]
    assert word in errors[0]
    assert ("administrators" in errors[0]) == (word in BY_ADMINISTRATORS)
