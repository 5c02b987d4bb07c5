"""The cards of asks after the yes: what a locked phone shows of them, and how few messages anybody gets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bot.domain.case.ask import OWN, Ask, AskKind, Vote
from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.policy.model import Suspended, TakenAway
from bot.domain.workflow.asks.kinds import KINDS
from handlers.views import facts
from handlers.views.approval_card import card
from handlers.views.kit import wording
from handlers.views.kit.preview import GLANCE
from handlers.views.reviews.cards import ask_card
from handlers.web_api.users import SlackDirectory
from tests.bot import parts
from tests.bot.building import DEP1, HOUR, LEAD, OWNER, PE1, T0, case_of, policy
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import FakeSlack
from tests.handlers.views.test_approval_card import decided, labels, scene, texts

BASE = policy()


def with_ask(kind: AskKind) -> tuple[Case, Ask]:
    case = decided(case_of(BASE, target="dc-7", reason="Sync stopped"), OWNER)
    ask = Ask(kind, 2, 1, (), T0, T0 + 2 * HOUR, due_at=T0 + HOUR, seconds=1800 if kind == "extension" else 0)
    return case.with_ask(ask), ask


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in OWN])
def test_a_locked_phone_shows_what_it_is_provider_runbook_duration_and_deadline(kind: AskKind) -> None:
    case, ask = with_ask(kind)
    lasting = "30 minutes" if kind == "extension" else "1 hour"
    first = ask_card(case, ask, OWNER, scene()).text.split("\n")[0]
    assert first == f"{KINDS[kind].called.capitalize()}: Northgate: The emergency runbook, {lasting}, by 10:00 UTC"
    long = replace(case, request=replace(case.request, title="An emergency administrator " * 8))
    assert len(ask_card(long, ask, OWNER, scene()).text.split("\n")[0]) <= GLANCE


async def test_a_request_costs_each_person_few_messages(office: Office) -> None:
    """Asked, approved, finished, reviewed: everything that rings, counted."""
    async with FakeSlack() as slack:
        client = slack.client()
        messenger = parts.sender(office, client, covered, directory=SlackDirectory(client, office.clock))
        case_id = await office.file(PE1)
        await messenger.drain()
        await office.click(OWNER, case_id)
        await messenger.drain()
        await office.click(PE1, case_id, "finish")
        await office.sweeper.sweep()
        await messenger.drain()
        rung = Counter(str(call.args["channel"]).removeprefix("D") for call in slack.of("chat.postMessage"))
    # the owner's card · the review, to the first deputy, for the owner alone had approved · a lead's copy · receipt, outcome,
    # runbook, end, what is owed · approved and ended, to the channel
    most = {OWNER.user: 1, DEP1.user: 1, LEAD.user: 1, PE1.user: 5, "C0DIRECTORY": 2}
    assert set(rung) == set(most), rung
    assert {place: rung[place] for place in most if rung[place] > most[place]} == {}, rung


async def test_a_ratification_says_by_when_once(office: Office) -> None:
    case = await office.case(await office.file(PE1, "glass"))
    said = "\n".join(texts(ask_card(case, case.asks[0], OWNER, scene())))
    assert said.count("Due ") == 1
    assert "ratified by" not in said
    assert "Must be ratified by" in facts.outcome(case, scene())  # where no line below says it


def test_a_review_offers_no_button_to_anyone_who_said_the_only_yes() -> None:
    case, ask = with_ask("review")
    assert labels(ask_card(case, ask, OWNER, scene())) == []
    assert wording.SOMEBODY_ELSE in ask_card(case, ask, OWNER, scene()).text
    assert labels(ask_card(case, ask, DEP1, scene())) == ["Accept", "Flag"]


@pytest.mark.parametrize(
    ("kind", "no"), [("review", ["Flag"]), ("ratification", ["Reject"]), ("right", ["Withdraw right"]),
                     ("extension", ["Deny"]), ("renewal", ["Deny"]), ("restore", [])],
)  # fmt: skip
def test_whose_authority_is_suspended_is_offered_the_no_alone(kind: AskKind, no: list[str]) -> None:
    case, ask = with_ask(kind)
    gone = replace(BASE, standing=TakenAway(suspended=frozenset({Suspended("directory", DEP1, "R-00000009")})))
    drawn = ask_card(case, ask, DEP1, scene(gone))
    assert labels(drawn) == no
    assert wording.SUSPENDED in drawn.text
    pending = card(case_of(BASE), DEP1, scene(gone))
    assert labels(pending) == ["Deny"]
    assert wording.SUSPENDED in pending.text


def test_nobody_reviews_on_behalf_of_whose_yes_it_is() -> None:
    case, ask = with_ask("review")
    done = replace(ask, state=AskState.YES, votes=(Vote(DEP1, "yes", "deputies", T0, 0, on_behalf_of=OWNER),))
    assert "by <@U0DEP1> at" in ask_card(case.with_ask(done), done, DEP1, scene()).text
    case, ask = with_ask("restore")
    done = replace(done, kind="restore")
    assert "by <@U0DEP1> on behalf of <@U0OWNER> at" in ask_card(case.with_ask(done), done, DEP1, scene()).text
