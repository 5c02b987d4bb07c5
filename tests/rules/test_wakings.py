"""The brake on what wakes people: per requester and domain, over withdrawn requests too, counted in every way to wake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.case.model import Case
from bot.domain.policy.model import NamedPerson
from bot.domain.policy.people import Humans, Person
from bot.domain.timing.waking import of_requester
from handlers.views.approval_card import card
from handlers.views.kit.context import ViewContext
from handlers.views.receipt import status
from tests.bot.building import DEP1, DEP2, MACH, MINUTE, OWNER, PE1, PE2, RUNBOOKS, T0, policy, runbook
from tests.bot.office import Office

pytestmark = pytest.mark.both

PAGED = tuple(NamedPerson(person.user, person, "", "env:PAGE") for person in (OWNER, DEP1, DEP2, MACH))
ALARM = runbook("alarm", right="immediate", domain="machines")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "db", policy(people=PAGED, runbooks=(*RUNBOOKS, ALARM))) as opened:
        yield opened


def pages(office: Office) -> int:
    """How many pages were sent beside Slack, those that say that it is over aside."""
    found = office.rows(
        """SELECT count(*) AS n FROM outbox WHERE purpose = 'pager' AND json_extract(data, '$.action') = 'trigger'"""
    )
    return int(found[0]["n"])


async def file_and_withdraw(office: Office, who: Person = PE1, book: str = "contain") -> Case:
    case_id = await office.file(who, book)
    case = await office.case(case_id)
    await office.click(who, case_id, "withdraw")
    return case


async def test_file_and_withdraw_again_and_again_pages_three_times(office: Office) -> None:
    cases = []
    for _ in range(11):
        cases.append(await file_and_withdraw(office))
        office.sleep(timedelta(seconds=2))
    assert pages(office) == 3 * 3  # the owner and two deputies; on-call has no address
    assert all(len(case.approval.asked) == 4 for case in cases)  # the cards still come
    assert [case.approval.braked and case.approval.braked.nth for case in cases] == [None] * 3 + list(range(4, 12))
    first = cases[0].request.filed_at
    assert {case.approval.braked.until for case in cases if case.approval.braked} == {first + 10 * MINUTE}


async def test_form_receipt_and_card_say_so(office: Office) -> None:
    for _ in range(3):
        await file_and_withdraw(office)
    brake = await office.service.filing.brake(PE1, office.policy.runbooks["contain"])
    assert brake is not None
    assert (brake.nth, brake.until) == (4, office.clock.now() + 10 * MINUTE)
    assert await office.service.filing.brake(PE2, office.policy.runbooks["contain"]) is None
    case = await office.case(await office.file(PE1, "contain"))
    scene = ViewContext(office.policy, office.clock.now(), 1)
    words = f"4th in 10 minutes: nobody is paged again before {scene.at(brake.until)}."
    assert words in str(card(case, OWNER, scene))
    assert words in status(case, scene)


async def test_another_person_and_another_domain_still_page(office: Office) -> None:
    for _ in range(4):
        await file_and_withdraw(office)
    before = pages(office)
    await file_and_withdraw(office, PE2)
    assert pages(office) == before + 3
    await office.file(PE1, "alarm")
    assert pages(office) == before + 4  # only the owner has an address there


def test_a_human_is_counted_by_all_accounts() -> None:
    joined = policy(humans=Humans((frozenset({PE1.user, "U0PE1B"}),)))
    assert set(of_requester(joined, PE1, "directory", T0, 1).users) == {PE1.user, "U0PE1B"}


async def test_the_window_is_of_policy_time_and_slides(office: Office) -> None:
    office.scale = 10
    office.put_together()
    for _ in range(3):
        await file_and_withdraw(office)
        office.sleep(timedelta(seconds=10))
    assert (await file_and_withdraw(office)).approval.braked is not None
    office.sleep(timedelta(seconds=30))  # a minute since the first
    assert (await file_and_withdraw(office)).approval.braked is None
    assert (await file_and_withdraw(office)).approval.braked is not None


async def test_escalate_now_and_break_glass_count(office: Office) -> None:
    await file_and_withdraw(office, book="glass")
    for target in ("srv-1", "srv-2"):
        case_id = await office.file(PE1, "emergency", target=target)
        await office.click(PE1, case_id, "push")
        await office.click(PE1, case_id, "withdraw")
        office.sleep(timedelta(seconds=1))
    before = pages(office)
    assert (await file_and_withdraw(office)).approval.braked is not None
    opened = await office.case(await office.file(PE1, "glass"))
    assert opened.grant is not None
    assert pages(office) == before


async def test_a_step_that_comes_later_pages_nobody_either(office: Office) -> None:
    """The third minute's page of an earlier request, after three wakings of the same person."""
    office.policy = replace(
        office.policy, people=(*PAGED, NamedPerson("o", office.policy.rotas["security"].people[0], "", "env:O"))
    )
    await office.adopt(office.policy)
    await office.file(PE1, "emergency")
    office.sleep(5 * MINUTE)
    await office.sweeper.sweep()
    for _ in range(3):
        await file_and_withdraw(office)
    before = pages(office)
    office.sleep(5 * MINUTE)
    await office.sweeper.sweep()
    assert pages(office) == before


async def test_anyone_who_sleeps_is_not_passed_over_because_of_the_brake(office: Office) -> None:
    for _ in range(3):
        await file_and_withdraw(office)
    office.directory.asleep[OWNER] = office.clock.now() + 600 * MINUTE
    case = await office.case(await office.file(PE1, "emergency"))
    assert case.approval.asked == (OWNER,)
    assert case.approval.braked is not None


async def test_a_question_is_answered_once(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id, "question")
    await office.click(PE1, case_id, "answer")
    await office.click(PE1, case_id, "answer")
    assert office.types(case_id)[-2:] == ["request.answered", "decision.refused"]
    assert "Each question is answered once." in str(office.answers()[-1])
    await office.click(OWNER, case_id, "question")
    await office.click(PE1, case_id, "answer")
    assert office.types(case_id)[-1] == "request.answered"


async def test_the_opening_of_a_break_glass_counts_where_nobody_has_an_address_too(office: Office) -> None:
    loud = office.policy
    await office.adopt(replace(loud, people=(), digest="ab" * 32))
    for number in range(3):
        await office.file(PE1, "glass", target=f"srv-{number}")
    assert pages(office) == 0
    await office.adopt(loud)
    assert (await file_and_withdraw(office)).approval.braked is not None
    assert pages(office) == 0
