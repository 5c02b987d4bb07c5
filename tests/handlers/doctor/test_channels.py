"""Every channel of the policy, looked up: does it exist, is the bot in it, who listens (design, section 5, rule 11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.domain.policy.model import Policy
from sandbox.driver import Sandbox
from tests.handlers.doctoring import Ask, channel, doctor, in_slack, known_only_by_workspace, only


@pytest.fixture
async def slack(example: Policy) -> AsyncIterator[Sandbox]:
    async with in_slack(example) as running:
        yield running


@pytest.fixture
def ask(slack: Sandbox, example: Policy) -> Ask:
    return doctor(slack, example, [])


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
    known_only_by_workspace(slack, "C0DIRECTORY", "T0PROV")
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
    known_only_by_workspace(slack, "C0KEYHOLD", "T0PROV")
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
