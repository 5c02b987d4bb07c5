"""No message outlives its truth: what says that an answer is missing, and what has a button, is redrawn when that is over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.policy.governance import ReviewRules
from bot.domain.policy.people import Person
from bot.ports.commands import AnswerReview, ReplyAddress, ReviewAnswer
from handlers.views.kit import wording
from tests.bot import parts
from tests.bot.building import DEP1, DEP2, HOUR, OWNER, PE1, policy, runbook, with_domain
from tests.bot.office import Office, covered
from tests.bot.service.test_agreements import BASE as AGREED
from tests.bot.service.test_agreements import follow
from tests.bot.service.test_agreements import say as say_on_matrix
from tests.handlers.fake_slack import Call, FakeSlack

POST, UPDATE = "chat.postMessage", "chat.update"
UNLOCK = runbook("unlock", kind="reset", right="autonomous", escalation=None, review_within=None, sha256="11" * 32)


class Screens:
    """What everybody sees: the real sender before a fake Slack, where an edit takes the place of what it edits."""

    def __init__(self, office: Office, slack: FakeSlack) -> None:
        self.office, self.slack = office, slack
        self.sender = parts.sender(office, slack.client(), covered, pace=0)
        self.homes = parts.homes(office)
        office.service.transactions.committed = self.homes.changed
        office.service.agreements.changed = self.homes.matrix_changed

    async def settled(self) -> None:
        await self.homes._redraw_changed()
        await self.sender.drain()

    async def say(self, purpose: str, case: str, person: Person, **data: Any) -> str:
        """Sends a message of this kind; the `ts` of it."""
        says = (Notification(purpose, Lane.REMINDER, case, to=person, data=data),)
        await self.office.store.commit(Transition(None, None, says=says))
        before = len(self.slack.of(POST))
        await self.sender.drain()
        (posted,) = self.slack.of(POST)[before:]
        return self.ts_of(posted)

    def ts_of(self, posted: Call) -> str:
        return f"{self.slack.of(POST).index(posted) + 1}.000"

    def last(self, ts: str) -> Call:
        """A message as it is now: its newest edit, or as it was posted."""
        posted = next(call for call in self.slack.of(POST) if self.ts_of(call) == ts)
        return next((call for call in reversed(self.slack.of(UPDATE)) if call.args["ts"] == ts), posted)

    def edits(self, ts: str) -> int:
        return sum(call.args["ts"] == ts for call in self.slack.of(UPDATE))


async def screens_of(office: Office) -> AsyncIterator[Screens]:
    async with FakeSlack() as slack:
        yield Screens(office, slack)


@pytest.fixture
async def screens(office: Office) -> AsyncIterator[Screens]:
    async for made in screens_of(office):
        yield made


@pytest.mark.parametrize(
    ("purpose", "waits"), [("reminder", "still waits for your answer"), ("deadline", "nobody has decided")]
)
@pytest.mark.parametrize("end", ["approve", "deny", "withdraw", "expire"])
async def test_a_reminder_ends_with_what_it_reminds_of(screens: Screens, purpose: str, waits: str, end: str) -> None:
    office = screens.office
    case = await office.file(PE1)
    await screens.settled()
    ts = await screens.say(purpose, case, OWNER)
    assert waits in str(screens.slack.of(POST)[-1].args["text"])
    if end == "expire":
        await office.forward(2 * HOUR)
    else:
        await office.click(PE1 if end == "withdraw" else OWNER, case, end)
    await screens.settled()
    text = str(screens.last(ts).args["text"])
    assert waits not in text
    assert "no answer is needed any more" in text


async def test_anyone_who_has_answered_is_reminded_of_nothing_while_others_are_asked(tmp_path: Path) -> None:
    two = policy(runbooks=[runbook("emergency", approvals=2)])
    async with Office(tmp_path / "countersign.db", two) as office, FakeSlack() as slack:
        screens = Screens(office, slack)
        case = await office.file(PE1)
        await screens.settled()
        ts = await screens.say("reminder", case, OWNER)
        await office.click(OWNER, case)
        await screens.settled()
        assert str(screens.last(ts).args["text"]).endswith("you have answered.")


async def test_the_reminder_of_a_review_ends_with_that_review_and_with_no_other(screens: Screens) -> None:
    office = screens.office
    case = await office.file(PE1)
    await office.click(OWNER, case)
    await office.click(PE1, case, "finish")
    await office.forward(HOUR)
    found = await office.store.cases.case(case)
    assert found is not None
    review = found.later[-1]
    reader = review.asked[0]
    await screens.settled()
    ts = await screens.say("ask_reminder", case, reader, version=review.version)
    assert "the review still waits" in str(screens.slack.of(POST)[-1].args["text"])
    assert [c.purpose for c in await office.store.outbox.copies(case)][-1] == f"ask_reminder.{review.version}"
    await office.click(reader, case, "accept", review.version)
    await screens.settled()
    assert "still waits" not in str(screens.last(ts).args["text"])


async def test_a_campaigns_reminder_loses_its_buttons_with_the_campaign(tmp_path: Path) -> None:
    base = policy(runbooks=[UNLOCK], review=ReviewRules(180 * 86400, 90 * 86400, 10, "keep"))
    async with Office(tmp_path / "countersign.db", base) as office, FakeSlack() as slack:
        screens = Screens(office, slack)
        await office.sweeper.sweep()
        await office.service.reviews.look()
        campaign = next(c for c in await office.store.reviews.campaigns(10, closed_too=False) if c.owner == OWNER)
        await screens.settled()
        ts = await screens.say("campaign_reminder", campaign.id, OWNER)
        assert slack.of(POST)[-1].buttons
        answers = tuple(ReviewAnswer(item.key, "keep", "needed") for item in campaign.items)
        await office.take_in(AnswerReview(OWNER, campaign.id, answers, ReplyAddress(OWNER, channel="D0")))
        await office.worker.drain()
        await screens.settled()
        assert screens.last(ts).buttons == []
        assert "is closed" in str(screens.last(ts).args["text"])


async def test_the_matrix_message_and_the_home_lose_what_is_confirmed(tmp_path: Path) -> None:
    async with Office(tmp_path / "countersign.db", AGREED) as office, FakeSlack() as slack:
        screens = Screens(office, slack)
        await follow(office, replace(AGREED, agreement=None, digest="0" * 64), AGREED)
        await office.sweeper.sweep()
        await screens.settled()
        posted = next(
            c for c in slack.of(POST) if c.args["channel"] == OWNER.user and "responsibility matrix" in c.args["text"]
        )
        assert any(label.startswith("Confirm all") for label in posted.buttons)
        await say_on_matrix(office, OWNER)
        office.sleep(timedelta(seconds=1))
        await screens.settled()
        edited = screens.last(screens.ts_of(posted))
        assert edited.buttons == []
        assert "Nothing is due from you" in json.dumps(edited.blocks)


async def test_who_may_decide_is_shown_again_when_the_policy_changes(screens: Screens) -> None:
    office = screens.office
    await office.file(PE1)
    closed = await office.file(PE1, target="closed")
    await office.click(OWNER, closed, "deny")
    await screens.settled()
    before = {c.args["ts"] for c in screens.slack.of(UPDATE)}
    screens.slack.calls = [c for c in screens.slack.calls if c.method == POST]
    await office.adopt(replace(with_domain(office.policy, deputies=(DEP2,)), digest="c" * 64))
    await screens.settled()
    (card,) = [
        c for c in screens.slack.of(POST) if c.args["channel"] == OWNER.user and "closed" not in json.dumps(c.blocks)
    ]
    assert screens.edits(screens.ts_of(card)) == 1
    assert not before & {c.args["ts"] for c in screens.slack.of(UPDATE)}  # the closed one says what it will always say
    await screens.settled()
    assert screens.edits(screens.ts_of(card)) == 1


async def test_anyone_no_longer_in_the_policy_has_no_button_left_on_their_card(screens: Screens) -> None:
    office = screens.office
    case = await office.file(PE1)
    await office.click(OWNER, case, "pass")
    await screens.settled()
    card = next(c for c in screens.slack.of(POST) if c.args["channel"] == DEP1.user)
    assert "Approve" in card.buttons
    await office.adopt(replace(with_domain(office.policy, deputies=(DEP2,)), digest="c" * 64))
    await screens.settled()
    edited = screens.last(screens.ts_of(card))
    assert edited.buttons == []
    assert wording.SOMEBODY_ELSE in json.dumps(edited.blocks, ensure_ascii=False)
    other = next(c for c in screens.slack.of(POST) if c.args["channel"] == DEP2.user)
    assert "Approve" in screens.last(screens.ts_of(other)).buttons
