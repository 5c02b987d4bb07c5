"""Everybody of the policy, looked up: each flaw has its sentence, and its weight by what the person may do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.people import Humans, Person
from sandbox.driver import Sandbox
from tests.handlers.doctoring import Ask, channel, doctor, in_slack, only


@pytest.fixture
async def slack(example: Policy) -> AsyncIterator[Sandbox]:
    async with in_slack(example) as running:
        yield running


@pytest.fixture
def ask(slack: Sandbox, example: Policy) -> Ask:
    return doctor(slack, example, [])


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
