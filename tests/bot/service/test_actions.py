"""The table of actions: every row gets what it asks for, and what it refuses is answered and logged once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.policy.people import Person, Profile
from bot.ports.commands import Press, ReplyAddress
from bot.service.actions import ACTIONS
from tests.bot.building import DEP1, OWNER, PE1, PE2, STRANGER
from tests.bot.office import Office

ACCOUNT_NEEDED = {
    "approve", "less", "deny", "question", "hold", "pass", "revoke", "accept", "flag", "ratify", "reject", "restore",
    "keep", "withdraw_right", "lift", "close_exception", "acknowledge", "close", "share",
}  # fmt: skip
PRESENCE_NEEDED = {"pass", "push", "extend", "renew", "here"}
OF_REVIEWS = ("accept", "flag", "ratify", "reject", "restore", "keep", "withdraw_right")


def press(person: Person, case_id: str, action: str, *, opens_form: bool = False) -> Press:
    return Press(person, case_id, 1, action, ReplyAddress(person, channel="D0"), "words", opens_form=opens_form)


async def told(office: Office, act: Press) -> list[str]:
    """What the one who pressed is answered; the row is carried out."""
    await office.take_in(act)
    before = len(office.answers())
    await office.worker.drain()
    assert await office.store.inbox.unfinished(9) == []
    return [answer["sentence"] for answer in office.answers()[before:]]


def test_who_is_looked_up_is_in_the_row() -> None:
    assert {row.name for row in ACTIONS.values() if row.account} == ACCOUNT_NEEDED
    assert {row.name for row in ACTIONS.values() if row.presence} == PRESENCE_NEEDED
    assert all(name == row.name for name, row in ACTIONS.items())


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("person", [OWNER, PE1, STRANGER], ids=["owner", "requester", "stranger"])
async def test_every_press_is_carried_out_for_everybody_who_presses(office: Office, action: str, person: Person) -> None:
    case_id = await office.file(PE1)
    row = ACTIONS[action]
    if row.carry_out is not None:
        await told(office, press(person, case_id, action))
    if row.may is not None:
        entries = len(office.log(case_id))
        sentences = await told(office, press(person, case_id, action, opens_form=True))
        refused = [e for e in office.log(case_id)[entries:] if e["type"] == "decision.refused"]
        assert len(office.log(case_id)) - entries == len(refused) == len(sentences) <= 1


OF_OTHER_ASKS = {
    "accept",
    "ratify",
    "restore",
    "keep",
    "lift",
    "close_exception",
    "acknowledge",
    "close",
    "share",
}  # refused on a request's own card without a look-up
TAKES_AWAY = {"deny", "reject", "revoke", "withdraw_right", "flag"}


@pytest.mark.parametrize("action", sorted(ACTIONS))
async def test_who_cannot_be_looked_up_is_asked_to_press_again_where_it_matters(office: Office, action: str) -> None:
    case_id = await office.file(PE1)
    office.directory.silent.add(OWNER)
    opens_form = ACTIONS[action].carry_out is None
    asked_again = await told(office, press(OWNER, case_id, action, opens_form=opens_form)) == ["again"]
    assert asked_again == (action in ACCOUNT_NEEDED - TAKES_AWAY and action not in OF_OTHER_ASKS)


async def test_who_cannot_be_looked_up_denies_and_never_approves(office: Office) -> None:
    case_id = await office.file(PE1)
    office.directory.silent.add(OWNER)
    assert await told(office, press(OWNER, case_id, "approve")) == ["again"]
    await told(office, press(OWNER, case_id, "deny"))
    assert await office.state(case_id) is RequestState.DENIED


async def test_who_cannot_be_looked_up_ends_a_grant(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    office.directory.silent.add(OWNER)
    await told(office, press(OWNER, case_id, "revoke"))
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.state is GrantState.REVOKED


async def test_a_no_without_a_look_up_still_needs_authority_by_the_ids_of_the_policy(office: Office) -> None:
    case_id = await office.file(PE1)
    office.directory.silent |= {PE2, DEP1, OWNER}
    for person in (PE2, DEP1):
        await told(office, press(person, case_id, "deny"))
    office.directory.known[OWNER] = Profile(OWNER, "Olga", deleted=True)  # the last that Slack said
    await told(office, press(OWNER, case_id, "deny"))
    assert await office.state(case_id) is RequestState.PENDING


@pytest.mark.parametrize("action", OF_REVIEWS)
async def test_an_answer_to_a_review_is_no_answer_to_the_request(office: Office, action: str) -> None:
    case_id = await office.file(PE1)
    assert await told(office, press(OWNER, case_id, action)) == ["stale"]
    assert await office.state(case_id) is RequestState.PENDING
    assert not (await office.case(case_id)).approval.votes


@pytest.mark.parametrize("action", ["less", "again", "permit"])
async def test_what_only_opens_a_form_changes_nothing(office: Office, action: str) -> None:
    case_id = await office.file(PE1)
    before = await office.case(case_id)
    await told(office, press(OWNER, case_id, action))
    assert await office.case(case_id) == before


async def test_who_ids_alone_refuse_is_not_looked_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's engineer, a stranger, a question that is over: no question to Slack, and one entry each."""
    case_id, over = await office.file(PE1), await office.file(PE2)
    await office.click(OWNER, over, "deny")
    asked: list[Person] = []
    profile = office.directory.profile

    async def noted(person: Person, age: float) -> Profile:
        asked.append(person)
        return await profile(person, age)

    monkeypatch.setattr(office.directory, "profile", noted)
    for person, about in ((PE1, case_id), (STRANGER, case_id), (OWNER, over)):
        for action in ("approve", "deny", "pass", "question"):
            before = len(office.log(about))
            await told(office, press(person, about, action))
            assert [entry["type"] for entry in office.log(about)[before:]] == ["decision.refused"]
    assert asked == []
    await told(office, press(OWNER, case_id, "approve"))
    assert OWNER in asked


async def test_on_it_holds_for_the_shortest_time_of_the_sets_that_bind(office: Office) -> None:
    office_policy = office.service.current.policy
    await office.adopt(replace(office_policy, hold=office_policy.hold * 3, digest="ef" * 32))
    case_id = await office.file(PE1)
    filed = (await office.case(case_id)).request.filed_at
    await told(office, press(OWNER, case_id, "hold"))
    due = [step.due_at for step in (await office.case(case_id)).approval.steps if step.state == "waiting"]
    assert min(due) == filed + timedelta(seconds=office_policy.hold)
