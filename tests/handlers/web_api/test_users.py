"""What Slack says of people: short memory, one call for many, and never a guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import LookupFailed
from bot.domain.policy.people import Person, Profile
from handlers.web_api.users import SlackDirectory
from tests.bot.building import HOME, OWNER, PE1, PROV
from tests.bot.office import HandClock
from tests.handlers.fake_slack import BROKEN, HANG, LOST, FakeSlack, Reply, limited, refusal


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


async def test_a_profile_is_what_slack_answers(slack: FakeSlack) -> None:
    slack.users["U0OWNER"] = {"team_id": PROV, "tz": "Europe/London", "is_ultra_restricted": True, "is_stranger": True,
                              "profile": {"email": "olga@example.org"}}  # fmt: skip
    found = await SlackDirectory(slack.client(), HandClock()).profile(OWNER, 60)
    told = Profile(Person(PROV, "U0OWNER"), "Name U0OWNER", is_guest=True, is_stranger=True, time_zone="Europe/London")
    assert found == told


@pytest.mark.parametrize("flag", ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"])
async def test_every_mark_of_a_lesser_account_is_read(slack: FakeSlack, flag: str) -> None:
    slack.users["U0OWNER"] = {flag: True}
    found = await SlackDirectory(slack.client(), HandClock()).profile(OWNER, 60)
    assert [found.deleted, found.is_bot, found.is_guest, found.is_stranger].count(True) == 1


async def test_it_is_remembered_as_long_as_the_asker_allows_and_no_longer(slack: FakeSlack) -> None:
    clock = HandClock()
    directory = SlackDirectory(slack.client(), clock)
    await directory.profile(OWNER, 60)
    clock.at = clock.at.replace(second=6)
    await directory.profile(OWNER, 60)
    assert len(slack.calls) == 1
    slack.users["U0OWNER"] = {"deleted": True}
    assert (await directory.profile(OWNER, 5)).deleted
    assert len(slack.calls) == 2


async def test_look_ups_of_one_person_share_one_call(slack: FakeSlack) -> None:
    slack.script["users.info"].append(Reply(200, HANG))
    directory = SlackDirectory(slack.client(), HandClock())
    asked = [asyncio.create_task(directory.profile(OWNER, 5)) for _ in range(5)]
    await slack.until(lambda: slack.calls)
    asked[0].cancel()  # one who gives up takes nothing from the others
    slack.script["users.info"].clear()
    slack.released.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert len(slack.calls) == 1
    assert all(isinstance(one, LookupFailed) for one in found[1:])  # HANG answers nonsense


async def test_look_ups_of_whether_one_person_sleeps_share_one_call(slack: FakeSlack) -> None:
    """Ten requests of one domain at once asked Slack ten times."""
    directory = SlackDirectory(slack.client(), HandClock())
    assert await asyncio.gather(*(directory.quiet_until(OWNER, 60) for _ in range(10))) == [None] * 10
    assert len(slack.of("dnd.info")) == 1


@pytest.mark.parametrize(
    "trouble", [BROKEN, LOST, refusal("user_not_found"), refusal("invalid_auth"), limited(30), Reply(200, {"ok": True})]
)
async def test_a_failed_look_up_is_never_an_answer(slack: FakeSlack, trouble: Reply) -> None:
    slack.script["users.info"].extend([trouble, trouble])  # aiohttp itself asks once more where a connection was lost
    with pytest.raises(LookupFailed, match="press again"):
        await SlackDirectory(slack.client(), HandClock()).profile(OWNER, 60)


async def test_a_failure_is_not_remembered(slack: FakeSlack) -> None:
    slack.script["users.info"].append(BROKEN)
    directory = SlackDirectory(slack.client(), HandClock())
    with pytest.raises(LookupFailed):
        await directory.profile(OWNER, 60)
    assert (await directory.profile(OWNER, 60)).person == OWNER


async def test_silence_ends_soon(slack: FakeSlack) -> None:
    slack.script["users.info"].append(Reply(200, HANG))
    with pytest.raises(LookupFailed, match="timeout"):
        await SlackDirectory(slack.client(), HandClock(), timeout=0.05).profile(OWNER, 60)


async def test_an_answer_about_somebody_else_is_no_answer(slack: FakeSlack) -> None:
    slack.users["U0OWNER"] = {"id": "U0RISK"}
    with pytest.raises(LookupFailed):
        await SlackDirectory(slack.client(), HandClock()).profile(OWNER, 60)


async def test_a_rate_limit_is_honoured_for_everybody_to_its_end(slack: FakeSlack) -> None:
    clock = HandClock()
    directory = SlackDirectory(slack.client(), clock)
    slack.script["users.info"].append(limited(20))
    for person in (OWNER, PE1):
        with pytest.raises(LookupFailed):
            await directory.profile(person, 60)
    assert len(slack.calls) == 1
    clock.at = clock.at.replace(second=20)
    assert (await directory.profile(PE1, 60)).person == Person(HOME, "U0PE1")
