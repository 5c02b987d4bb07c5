"""What doctor asks Slack: a healthy workspace gives no finding, and each fault its sentence with the next click."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo_workspace import workspace
from bot.domain.people import Humans, Person
from bot.domain.policy import NamedPerson, Policy
from bot.findings import Finding
from handlers.doctor import READS, examine
from handlers.lookups import Lookups
from handlers.manifest import manifest
from sandbox.driver import Sandbox
from sandbox.workspace import Channel

WANTED = sorted({*manifest(prefix="", url=None)["oauth_config"]["scopes"]["bot"], *READS})
Ask = Callable[..., Awaitable[list[Finding]]]


@pytest.fixture
async def slack(example: Policy) -> AsyncIterator[Sandbox]:
    """The example organisation in Slack, all of it as its policy says."""
    told = workspace(example, 1)
    told["app"]["scopes"] = list(WANTED)
    async with Sandbox(told) as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """How long doctor waited, without anybody waiting."""
    return []


@pytest.fixture
def ask(slack: Sandbox, example: Policy, waits: list[float]) -> Ask:
    """Examines the workspace as it is now."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def examined(
        policy: Policy | None = example, bot_token: str = "", app_token: str | None = "", tell: Any = lambda _: None
    ) -> list[Finding]:
        client = AsyncWebClient(bot_token or slack.bot_token, base_url=slack.api_url)
        lookups = Lookups(client, sleep=sleep, tell=tell)
        return await examine(lookups, slack.app_token if app_token == "" else app_token, policy)

    return examined


def channel(slack: Sandbox, id_: str) -> Channel:
    return next(c for c in slack.world.workspace.channels if c.id == id_)


def only(found: list[Finding], severity: str, area: str) -> str:
    """The sentence of the one finding."""
    assert [(f.severity, f.area) for f in found] == [(severity, area)], found
    return found[0].text


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
    assert second.text == "People and channels were not looked up: mend SLACK_BOT_TOKEN first."


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


# ── people ──


async def test_an_unknown_owner_is_named_with_the_way_to_the_id(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.users.remove(slack.person("U0CLIN"))
    channel(slack, "C0CLINICAL").members.remove("U0CLIN")
    text = only(await ask(), "error", "people")
    assert text == (
        "Slack does not know U0CLIN, owner of `clinical`: put the id that `/countersign whoami @name` prints into"
        " responsibility.yaml."
    )


async def test_a_deactivated_owner_is_an_error(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0OWNER").deleted = True
    text = only(await ask(), "error", "people")
    assert text == (
        "Olga Novak (U0OWNER), owner of `directory`, is deactivated in Slack: name somebody else in responsibility.yaml."
    )


async def test_a_guest_as_deputy_is_an_error(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0DEP1").is_restricted = True
    text = only(await ask(), "error", "people")
    assert text.startswith(
        "Dev Rao (U0DEP1), deputy of `directory`, is a guest, and guests decide nothing: make them a full"
    )


async def test_a_bot_on_call_is_an_error(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0ONC2").is_bot = True
    text = only(await ask(), "error", "people")
    assert text.startswith("Grace Okafor (U0ONC2), on call in rota `security`, is a bot and not a person: name somebody")


async def test_an_auditor_of_another_workspace_is_an_error(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0AUDIT").team_id = "T0ELSE"
    text = only(await ask(), "error", "people")
    assert text.startswith(
        "Anselm Weber (U0AUDIT), auditor, is of workspace T0ELSE, the policy says T0HOME: correct the id"
    )


async def test_somebody_with_two_parts_is_one_finding(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0VAULT").deleted = True
    assert "(U0VAULT), owner of `vault` and deputy of `machines`, is" in only(await ask(), "error", "people")


async def test_a_deactivated_engineer_of_a_provider_is_a_warning(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0PE2").deleted = True
    text = only(await ask(), "warning", "people")
    assert text.endswith("is deactivated in Slack: take them out of responsibility.yaml.")


async def test_a_guest_of_a_provider_may_ask(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0PE2").is_ultra_restricted = True
    assert await ask() == []


async def test_a_providers_person_of_an_unlisted_workspace_is_an_error(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0PE2").team_id = "T0ELSE"
    text = only(await ask(), "error", "people")
    assert "(U0PE2), member of provider `northgate` and requester of provider `northgate`, is of workspace T0ELSE" in text


async def test_a_stranger_of_a_provider_is_a_warning(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0KEYHOLD").members.remove("U0KH1")
    text = only(await ask(), "warning", "people")
    assert "is a stranger here, no channel is shared with them: invite them to one by Slack Connect" in text


async def test_a_provider_that_administers_the_home_slack_is_an_error(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0PLEAD").is_admin = True
    text = only(await ask(), "error", "people")
    assert text.startswith(
        "Lars Winther (U0PLEAD), lead of provider `northgate`, is an admin or owner of your workspace, so a"
    )
    assert "a provider administers your Slack and can act as any owner" in text


async def test_a_provider_may_administer_its_own_slack(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0KHLEAD").is_admin = True
    assert await ask() == []


async def test_an_owner_may_administer_the_home_slack(ask: Ask, slack: Sandbox) -> None:
    slack.person("U0OWNER").is_admin = True
    assert await ask() == []


async def test_a_providers_second_account_that_administers_the_home_slack_is_an_error(
    ask: Ask, slack: Sandbox, example: Policy
) -> None:
    joined = replace(example, humans=Humans.joined([["U0PE1", "U0ADMIN"]]))
    text = only(await ask(joined), "error", "people")
    assert text.startswith("Ada Lund (U0ADMIN), an account in `same_person:`, is an admin or owner of your workspace")


async def test_a_line_of_people_that_nothing_uses_is_looked_up_too(ask: Ask, example: Policy) -> None:
    walter = NamedPerson("walter", Person("T0HOME", "U0GONE"), "Walter Lang")
    text = only(await ask(replace(example, people=(*example.people, walter))), "warning", "people")
    assert text.startswith("Walter Lang (U0GONE), a line of `people:`, is deactivated in Slack: take them out")


async def test_a_failed_look_up_is_never_taken_for_a_healthy_one(ask: Ask, slack: Sandbox) -> None:
    slack.faults.fail("users.info", calls=1)
    text = only(await ask(), "error", "people")
    assert text.startswith("Slack did not say who U0OWNER, owner of `directory`, is (http_503): run doctor again")


async def test_everybody_is_looked_up_once(ask: Ask, slack: Sandbox) -> None:
    await ask()
    asked = [str(line.sent["user"]) for line in slack.timeline.lines if line.name == "users.info"]
    assert len(asked) == len(set(asked)) >= 28


# ── channels ──


async def test_a_missing_channel_is_named(ask: Ask, slack: Sandbox) -> None:
    slack.world.workspace.channels.remove(channel(slack, "C0VAULT"))
    text = only(await ask(), "error", "channels")
    assert text.startswith("Slack does not show C0VAULT, the channel of domain `vault`: if it is private, write /invite")


async def test_an_archived_channel_is_named(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0VAULT").is_archived = True
    text = only(await ask(), "error", "channels")
    assert text == (
        "#id-vault (C0VAULT), the channel of domain `vault`, is archived: unarchive it in Slack, or name another channel in"
        " responsibility.yaml."
    )


async def test_a_channel_without_the_bot_says_how_to_invite_it(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0VAULT").members.remove("U0BOT")
    text = only(await ask(), "error", "channels")
    assert text == (
        "The bot is not in #id-vault (C0VAULT), the channel of domain `vault`: write /invite @Countersign in #id-vault."
    )


async def test_a_providers_person_in_a_domains_channel_is_an_error(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0DIRECTORY").members.append("U0PE1")
    text = only(await ask(), "error", "channels")
    assert text.startswith(
        "#id-directory (C0DIRECTORY), the channel of domain `directory`, holds Pavel Horak (U0PE1) of Northgate Managed"
        " Identity: nobody of a provider may listen in a domain's channel, so remove them"
    )


async def test_an_unlisted_person_of_a_providers_workspace_in_a_domains_channel_is_an_error(
    ask: Ask, slack: Sandbox
) -> None:
    await known_only_by_workspace(slack, "C0DIRECTORY", "T0PROV")
    assert "holds Nobody Named (U0UNNAMED) of Northgate" in only(await ask(), "error", "channels")


async def test_a_channel_with_people_of_two_providers_is_an_error(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0NORTHGATE").members.append("U0SOC1")
    text = only(await ask(), "error", "channels")
    assert "is for people of two providers, Northgate Managed Identity and Watchfield Security Operations (" in text
    assert "Nadia Rahman (U0SOC1) of Watchfield Security Operations" in text
    assert text.endswith("a provider sees its own requests only, so give each a channel of its own.")


async def test_a_providers_channel_with_only_anothers_people_is_an_error(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0NORTHGATE").members[:] = ["U0BOT", "U0SOC1"]
    assert "is for people of two providers" in only(await ask(), "error", "channels")


async def test_a_channel_with_people_of_two_providers_known_by_their_workspaces_is_an_error(
    ask: Ask, slack: Sandbox
) -> None:
    await known_only_by_workspace(slack, "C0KEYHOLD", "T0PROV")
    assert "is for people of two providers, Keyhold Privileged Access and" in only(await ask(), "error", "channels")


async def test_one_channel_for_two_providers_is_an_error_while_it_is_empty(
    ask: Ask, slack: Sandbox, example: Policy
) -> None:
    same = replace(example.providers["watchfield"], channel="C0NORTHGATE")
    channel(slack, "C0NORTHGATE").members[:] = ["U0BOT"]
    text = only(await ask(replace(example, providers={**example.providers, "watchfield": same})), "error", "channels")
    assert "the channel of provider `northgate` and provider `watchfield`, is for people of two providers" in text


async def test_every_page_of_a_large_channel_is_read(ask: Ask, slack: Sandbox) -> None:
    for number in range(450):
        slack.world.workspace.users.append(replace(slack.person("U0OWNER"), id=f"U0MANY{number}", name=f"many{number}"))
    channel(slack, "C0DIRECTORY").members += [*(f"U0MANY{n}" for n in range(450)), "U0PE1"]
    assert "holds Pavel Horak (U0PE1)" in only(await ask(), "error", "channels")
    pages = [x for x in slack.timeline.lines if x.name == "conversations.members" and x.sent["channel"] == "C0DIRECTORY"]
    assert len(pages) == 3


async def test_people_of_a_channel_that_slack_does_not_explain_are_a_warning(ask: Ask, slack: Sandbox) -> None:
    channel(slack, "C0KEYHOLD").members.append("U0UNSEEN")
    text = only(await ask(), "warning", "channels")
    assert text.startswith("Slack did not say of which workspace U0UNSEEN in #ext-keyhold (C0KEYHOLD) are: make sure that")


async def test_members_that_cannot_be_read_are_a_warning(ask: Ask, slack: Sandbox) -> None:
    slack.faults.refuse("conversations.members", "fetch_members_failed")
    text = only(await ask(), "warning", "channels")
    assert text.startswith("Slack did not say who is in #id-directory (C0DIRECTORY) (fetch_members_failed): look at")


# ── Slack's pace ──


async def test_retry_after_is_waited_out_in_full_and_told(ask: Ask, slack: Sandbox, waits: list[float]) -> None:
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
    assert text == "People and channels were not looked up: mend the policy first."


async def test_doctor_only_reads(ask: Ask, slack: Sandbox) -> None:
    await ask()
    called = {line.name for line in slack.timeline.lines}
    assert called == {"auth.test", "apps.connections.open", "users.info", "conversations.info", "conversations.members"}


async def known_only_by_workspace(slack: Sandbox, id_: str, team: str) -> None:
    """Somebody whom the policy does not name, of a provider's workspace, in a channel shared with it."""
    unnamed = replace(slack.person("U0OWNER"), id="U0UNNAMED", name="nobody", real_name="Nobody Named", team_id=team)
    slack.world.workspace.users.append(unnamed)
    channel(slack, id_).members.append("U0UNNAMED")
    channel(slack, id_).shared_with.append(team)
