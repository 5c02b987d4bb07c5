"""A contract's end ends everything of the provider; who may not ask any more gets nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Ref
from tests.bot.building import DAY, HOME, HOUR, LEAD, MINUTE, NORTHGATE, OWNER, PE1, PE2, SOC1, T0, policy
from tests.bot.office import Office

TODAY, YESTERDAY = T0.date(), (T0 - DAY).date()
EVENING = (T0 + DAY).replace(hour=0) - MINUTE


def until(day: date | None) -> Policy:
    """The organisation, Northgate's contract ending on this day."""
    return replace(policy(), providers={**policy().providers, "northgate": replace(NORTHGATE, contract_until=day)})


def without(person: Person) -> Policy:
    """The organisation, this person not among Northgate's requesters."""
    asks = tuple(ref for ref in NORTHGATE.requesters if ref.user != person.user)
    members = (Ref("U0PE1", frozenset({HOME})), *NORTHGATE.members[1:])
    northgate = replace(NORTHGATE, requesters=asks, members=members)
    return replace(policy(), providers={**policy().providers, "northgate": northgate})


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", until(TODAY)) as running:
        yield running


def plain(office: Office, person: Person) -> list[str]:
    return [str(a["text"]) for a in office.answers() if a["to"] == person.user and a["sentence"] == "plain"]


async def test_at_the_end_of_the_last_day_pending_requests_expire_and_grants_end(office: Office) -> None:
    await office.sweeper.sweep()
    office.clock.at = EVENING
    pending, opened = await office.file(PE1, "executed"), await office.file(PE2)
    other = await office.file(SOC1)
    await office.click(OWNER, opened)
    await office.sweeper.sweep()
    assert await office.state(pending) is RequestState.PENDING
    office.clock.at = EVENING + MINUTE
    await office.sweeper.sweep()
    assert await office.state(pending) is RequestState.EXPIRED
    grant = (await office.case(opened)).grant
    assert grant is not None
    assert grant.state is GrantState.LAPSED
    assert await office.state(other) is RequestState.PENDING
    expired = next(entry for entry in office.log(pending) if entry["type"] == "request.expired")
    assert expired["data"]["reason"] == f"The contract of Northgate ended on {TODAY}."


async def test_the_executor_closes_what_the_contract_ended(office: Office) -> None:
    await office.sweeper.sweep()
    office.clock.at = EVENING
    case_id = await office.file(PE1, "executed")
    await office.click(OWNER, case_id)
    office.clock.at = EVENING + MINUTE
    await office.sweeper.sweep()
    assert [call.kind for call in (await office.case(case_id)).calls] == ["open", "close"]


async def test_a_yes_after_the_end_opens_nothing(office: Office) -> None:
    office.clock.at = EVENING
    case_id = await office.file(PE1)
    office.clock.at = EVENING + MINUTE
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    assert "The contract of Northgate ended" in plain(office, OWNER)[-1]


async def test_a_contract_that_is_shortened_ends_at_once(office: Office) -> None:
    await office.sweeper.sweep()
    case_id = await office.file(PE1)
    await office.adopt(until(YESTERDAY))
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED


async def test_an_upgrade_that_finds_a_contract_past_tells_everybody_and_waits_a_day(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    office.desk.current.sets = Sets((replace(office.desk.current.sets.sets[0], policy=until(YESTERDAY)),))
    await office.sweeper.sweep()
    for person in (PE1, OWNER, LEAD):
        assert case_id in plain(office, person)[-1]
        assert "2026-03-05 09:00 UTC" in plain(office, person)[-1]
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.state is GrantState.OPEN
    told = len(office.answers())
    sets = office.desk.current.sets
    await office.restart()
    office.desk.current.sets = sets
    await office.sweeper.sweep()
    assert len(office.answers()) == told


async def test_after_the_notice_it_ends(office: Office) -> None:
    office.desk.current.sets = Sets((replace(office.desk.current.sets.sets[0], policy=until(None)),))
    case_id = await office.file(PE1, "token", seconds=4 * 3600)
    office.desk.current.sets = Sets((replace(office.desk.current.sets.sets[0], policy=until(YESTERDAY)),))
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.PENDING
    office.desk.contracts._grace = {"northgate": T0 + HOUR}
    office.clock.at = T0 + HOUR
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED


async def test_a_requester_who_was_taken_out_gets_neither_grant_nor_runbook(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.adopt(without(PE1))
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    assert "does not name the requester" in plain(office, OWNER)[-1]
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED
    await office.deliver()
    assert not [row for row in office.shown if row.say.purpose == "body"]
    reason = next(entry for entry in office.log(case_id) if entry["type"] == "request.expired")["data"]["reason"]
    assert "does not name the requester" in reason


async def test_a_request_that_waits_for_its_time_opens_nothing_for_whoever_was_taken_out(office: Office) -> None:
    case_id = await office.file(PE1, "cooling")
    await office.click(OWNER, case_id)
    await office.adopt(without(PE1))
    await office.forward(timedelta(minutes=31))
    assert await office.state(case_id) is RequestState.EXPIRED
    assert "grant.opened" not in office.types(case_id)


async def test_others_are_judged_as_before(office: Office) -> None:
    case_id = await office.file(PE2)
    await office.adopt(without(PE1))
    await office.sweeper.sweep()
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.APPROVED
