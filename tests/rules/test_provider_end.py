"""A provider is ended by an owner and a risk owner, two people; then it is as at the end of its contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest

from bot.background.operator_jobs import OperatorJobs, ending
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.operator_action import OperatorAction
from bot.domain.operator import dual_control
from bot.domain.policy.people import Humans, Person
from bot.ports.commands import ConfirmOperatorAction, ReplyAddress
from storage.log.check import check_database
from tests.bot import parts
from tests.bot.building import (
    AUDIT,
    DAY,
    LEAD,
    MINUTE,
    NORTHGATE,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    policy,
    runbook,
    with_domain,
)
from tests.bot.office import Office
from tests.database import place

pytestmark = pytest.mark.both

BASE = policy()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", BASE) as running:
        await running.sweeper.sweep()
        yield running
        assert check_database(place(running.path)).findings == ()


async def filed(office: Office) -> None:
    now = office.clock.now()
    act = OperatorAction("O-00000001", "provider_end", "They closed", now, now + dual_control.WINDOW, hold="northgate")
    await office.store.commit(dual_control.file(act, office.service.current.policy))


async def confirmed(office: Office, *people: Person) -> None:
    for person in people:
        await office.take_in(ConfirmOperatorAction(person, "O-00000001", "confirm", ReplyAddress(person, channel="D0")))
        await office.worker.drain()
    await OperatorJobs(parts.jobs(office), {"provider_end": ending(parts.jobs(office))}).work()
    await office.sweeper.sweep()


async def test_everything_of_theirs_ends_and_stays_ended_over_a_restart(office: Office) -> None:
    pending, opened, other = await office.file(PE1), await office.file(PE2, "executed"), await office.file(SOC1)
    await office.click(OWNER, opened)
    await filed(office)
    await confirmed(office, OWNER, RISK)
    assert await office.state(pending) is RequestState.EXPIRED
    grant = (await office.case(opened)).grant
    assert grant is not None
    assert grant.state is GrantState.LAPSED
    assert await office.state(other) is RequestState.PENDING
    assert "provider.ended" in [entry["type"] for entry in office.log()]
    await office.restart()
    await office.sweeper.sweep()
    assert office.types(await office.file(PE1)) == ["request.refused"]


@pytest.mark.parametrize("people", [(OWNER,), (RISK,), (AUDIT, RISK), (OWNER, AUDIT), (OWNER, LEAD), (OWNER, STRANGER)])
async def test_nothing_ends_without_an_owner_and_a_risk_owner(office: Office, people: tuple[Person, ...]) -> None:
    await filed(office)
    await confirmed(office, *people)
    assert "provider.ended" not in [entry["type"] for entry in office.log()]
    assert await office.state(await office.file(PE1)) is RequestState.PENDING


async def test_one_human_is_not_two(office: Office) -> None:
    await office.adopt(replace(BASE, humans=Humans.joined([[OWNER.user, RISK.user]]), digest="ef" * 32))
    await filed(office)
    await confirmed(office, OWNER, RISK)
    assert "provider.ended" not in [entry["type"] for entry in office.log()]


async def test_a_new_risk_owner_confirms_only_after_the_delay_of_changes(office: Office) -> None:
    new = Person(OWNER.team, "U0NRISK")
    await office.adopt(replace(with_domain(BASE, risk_owner=new), digest="ef" * 32))
    await filed(office)
    await confirmed(office, OWNER, new)
    assert "provider.ended" not in [entry["type"] for entry in office.log()]


async def test_a_later_contract_begins_again(office: Office) -> None:
    await filed(office)
    await confirmed(office, OWNER, RISK)
    tomorrow = (office.clock.now() + DAY).date()
    renewed = replace(NORTHGATE, contract_from=tomorrow, contract_until=tomorrow + timedelta(days=90))
    await office.adopt(replace(BASE, providers={**BASE.providers, "northgate": renewed}, digest="ee" * 32))
    office.clock.at += DAY + MINUTE
    await office.sweeper.sweep()
    assert await office.state(await office.file(PE1)) is RequestState.PENDING


async def test_in_the_middle_of_grants_requests_and_an_exception_all_ends_within_a_second(tmp_path: Path) -> None:
    waiver = runbook("waiver", kind="policy_exception", escalation="short", max_duration=90 * 86400, review_within=None)
    owes = runbook("recorded", evidence=("session recording",), rotate_within=86400)
    base = policy(runbooks=[*policy().runbooks.values(), waiver, owes])
    async with Office(tmp_path / "countersign.db", base) as office:
        await office.sweeper.sweep()
        until = (office.clock.now() + 60 * DAY).date().isoformat()
        filed_ = [("executed", PE1, {}), ("recorded", PE2, {}), ("emergency", PE1, {}), ("waiver", PE2, {"until": until})]
        opened = [await office.file(who, book, target=f"srv-{book}", **how) for book, who, how in filed_]
        for case_id in opened:
            await office.click(OWNER, case_id)
        pending = [
            await office.file(PE1, target="srv-7"),
            await office.file(PE2, "ticketed", target="srv-8", fields={"ticket": "INC1"}),
        ]
        others = await office.file(SOC1, target="srv-9")
        await filed(office)
        began = perf_counter()
        await confirmed(office, OWNER, RISK)
        assert perf_counter() - began < 1
        grants = [(await office.case(case_id)).grant for case_id in opened]
        assert [grant.state for grant in grants if grant] == [GrantState.LAPSED] * 3 + [GrantState.OPEN]
        assert [await office.state(case_id) for case_id in pending] == [RequestState.EXPIRED] * 2
        assert await office.state(others) is RequestState.PENDING
        assert [call.kind for call in (await office.case(opened[0])).calls] == ["open", "close"]
        owed = {duty.kind for duty in (await office.case(opened[1])).duties if duty.done_at is None}
        assert len(owed) == 2
        passed = [entry for entry in office.log(opened[3]) if entry["type"] == "exception.passed"]
        assert len(passed) == 1
        assert any(ask.kind == "closing" for ask in (await office.case(opened[3])).asks)
        reasons = {office.log(case_id)[-1]["data"].get("reason") for case_id in pending}
        assert all("Northgate" in str(reason) for reason in reasons)
        assert check_database(place(office.path)).findings == ()
