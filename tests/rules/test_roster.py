"""The roster through the real service and store: leads say who is still theirs before the owner keeps them, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from bot.domain.case.campaign import Campaign, Item
from bot.domain.governance.roster import LEFT
from bot.domain.policy.people import Person
from bot.ports.commands import AnswerReview, ReplyAddress, ReviewAnswer, ShowPage
from handlers import ids
from handlers.views.governance import campaigns, roster
from handlers.views.kit import wording
from handlers.views.kit.context import ViewContext
from handlers.web_api.users import SlackDirectory
from sandbox.blocks import check_view
from storage.log.check import check_database
from tests.bot import parts
from tests.bot.building import DAY, LEAD, OWNER, PE1, PE2, RISK, SOCLEAD
from tests.bot.governed import GovernedOffice
from tests.bot.office import covered
from tests.database import place
from tests.handlers.fake_slack import FakeSlack
from tests.rules.test_governance_machine import BASE, BEFORE

pytestmark = pytest.mark.both


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[GovernedOffice]:
    async with GovernedOffice(tmp_path / "countersign.db", BASE) as running:
        running.clock.at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
        await running.begin(BEFORE)
        await running.pass_days(8)  # the agreement's message was the first week's
        yield running
        assert check_database(place(running.path)).findings == ()


async def mine(office: GovernedOffice) -> Campaign:
    return next(c for c in await office.campaigns() if c.owner == OWNER)


def of(campaign: Campaign, person: Person) -> Item:
    found = campaign.item(f"person:{'T0PROV' if person.team == 'T0PROV' else person.team}/{person.user}")
    return found or next(i for i in campaign.items if i.of.endswith(f"/{person.user}"))


async def says(office: GovernedOffice, lead: Person, campaign: Campaign, **words: str) -> None:
    chosen = tuple(
        ReviewAnswer(next(i.key for i in campaign.items if i.of.endswith(f"/{user}")), word) for user, word in words.items()
    )  # type: ignore[arg-type]
    await office.take_in(AnswerReview(lead, campaign.id, chosen, ReplyAddress(lead, channel="D0")))
    await office.worker.drain()


async def test_each_lead_is_asked_once_a_campaign_about_their_people_only(office: GovernedOffice) -> None:
    sent = [row.say.to for row in office.shown if row.say.purpose == "roster" and row.copy is None]
    assert sorted(map(str, sent)) == sorted(map(str, {LEAD, SOCLEAD}))
    campaign = await mine(office)
    view = ViewContext(office.service.current.policy, office.clock.at)
    assert {item.provider for _, item in roster.asked_about(campaign, LEAD, view)} == {"northgate"}
    assert check_view(roster.form(campaign, LEAD, "D0", view), "modal") == []


async def test_what_a_lead_said_is_logged_until_its_date_and_changes_no_right(office: GovernedOffice) -> None:
    campaign = await mine(office)
    await says(office, LEAD, campaign, U0PE1="stays", U0PE2="left")
    [entry] = office.entries("roster.attested")
    assert entry["who"] == LEAD
    assert (entry["data"]["provider"], [p.user for p in entry["data"]["people"]]) == ("northgate", ["U0PE1"])
    assert [p.user for p in entry["data"]["gone"]] == ["U0PE2"]
    assert datetime.fromisoformat(entry["data"]["until"]) == office.clock.at + 20 * DAY
    assert office.entries("right.kept", "right.narrowed", "right.withdrawn") == []
    after = await mine(office)
    assert (of(after, PE1).attested, LEFT in of(after, PE2).flags) == (office.clock.at, True)


async def test_anyone_who_left_is_kept_with_a_reason_only_and_never_together(office: GovernedOffice) -> None:
    campaign = await mine(office)
    await says(office, LEAD, campaign, U0PE2="left")
    after = await mine(office)
    assert not of(after, PE2).easy
    view = ViewContext(office.service.current.policy, office.clock.at)
    assert LEFT in campaigns.line(of(after, PE2), view)
    assert "their lead answered" in campaigns.line(of(after, PE2), view)


@pytest.mark.parametrize("person", [OWNER, RISK, PE1, SOCLEAD])
async def test_nobody_else_attests_them(office: GovernedOffice, person: Person) -> None:
    await says(office, person, await mine(office), U0PE1="stays")
    assert office.entries("roster.attested") == []
    assert office.entries("decision.refused")[-1]["who"] == person
    assert of(await mine(office), PE1).attested is None


async def test_a_lead_attests_once_and_the_message_says_that_nothing_is_left(office: GovernedOffice) -> None:
    campaign = await mine(office)
    people = {
        item.of.rpartition("/")[2]: "stays"
        for item in campaign.items
        if item.provider == "northgate" and item.kind == "person"
    }
    await says(office, LEAD, campaign, **people)
    await says(office, LEAD, campaign, U0PE1="left")
    assert len(office.entries("roster.attested")) == 1
    assert of(await mine(office), PE1).flags.count(LEFT) == 0
    view = ViewContext(office.service.current.policy, office.clock.at)
    assert "nothing is left" in roster.card(await mine(office), LEAD, view).text


async def test_a_lead_answers_no_item_for_the_owner(office: GovernedOffice) -> None:
    campaign = await mine(office)
    await office.answer(LEAD, campaign, "keep", of(campaign, PE1).key)
    assert of(await mine(office), PE1).answer == ""


async def test_a_leads_silence_holds_nothing_up(office: GovernedOffice) -> None:
    await office.pass_days(12)
    assert "right.narrowed" in {e["type"] for e in office.log()}
    silent = {person for e in office.entries("right.narrowed") for person in e["data"]["of_whom"]}
    assert silent & {LEAD, SOCLEAD} == set()


async def test_a_leads_open_attestation_is_a_line_on_their_home_until_it_is_given(office: GovernedOffice) -> None:
    async with FakeSlack() as slack:
        client = slack.client()
        sender = parts.sender(office, client, covered, directory=SlackDirectory(client, office.clock))

        async def attestable(person: Person) -> dict[str, str]:
            await office.take_in(ShowPage(person, "home", "1", ReplyAddress(person)))
            await office.worker.drain()
            await sender.drain()
            view = [c for c in slack.of("views.publish") if c.args["user_id"] == person.user][-1].args["view"]
            assert check_view(view, "home") == []
            blocks = view["blocks"]
            waits = sum(row["type"] == "actions" and row["block_id"] != "home.top" for row in blocks)
            shown = [block["text"]["text"] for block in blocks if "text" in block]
            assert f"Waiting for you ({waits})" in shown
            assert (wording.NOTHING_WAITS in shown) is (waits == 0)
            return {
                row["elements"][0]["value"]: line["text"]["text"]
                for line, row in pairwise(blocks)
                if row["type"] == "actions" and row["elements"][0]["action_id"] == ids.ROSTER_OPEN
            }

        campaign = await mine(office)
        lines = await attestable(LEAD)
        assert lines[campaign.id].startswith("*People who may ask for Northgate: ")
        assert await attestable(OWNER) == await attestable(PE1) == {}
        people = {item.of.rpartition("/")[2]: "stays" for item in campaign.items if item.provider == "northgate"}
        await says(office, LEAD, campaign, **people)
        assert campaign.id not in await attestable(LEAD)
