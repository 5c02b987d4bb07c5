"""A suspended provider: nothing of theirs goes on in the domain, at once, until an owner of it lifts the suspension."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.decision_log.entry_types import in_words
from bot.domain.decision_log.verify.decisions import Rejudge
from bot.domain.errors import DiskRefuses
from bot.domain.policy.people import Person
from bot.evidence.people import known_people
from bot.ports.commands import Press, ReplyAddress, SuspendProvider
from bot.service.providers import suspend_everywhere
from storage.log.check import check_database
from storage.log.evidence import stored_log
from tests.bot.building import DEP1, HOUR, LEAD, MACH, OWNER, PE1, PE2, RISK, SOC1, STRANGER, policy, runbook
from tests.bot.office import Office
from tests.bot.stopping import StoppableOffice
from tests.database import place

pytestmark = pytest.mark.both

BASE = policy(runbooks=[
    runbook("emergency"), runbook("box", domain="machines"),
    runbook("executed", executor=policy().runbooks["executed"].executor),
])  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", BASE) as running:
        await running.sweeper.sweep()
        yield running
        assert check_database(place(running.path)).findings == ()


def judged_again(office: Office) -> list[str]:
    """What an auditor finds who judges every decision again by the policy."""
    with stored_log(place(office.path)) as log:
        judge = Rejudge(lambda _digest: office.policy, known_people(log.disclosures()))
        entries = [(row.idx, json.loads(row.data)) for row in log.rows() if row.data is not None]
    return [str(finding) for idx, entry in entries for finding in judge.findings(idx, entry)]


async def suspended(office: Office, by: Person = OWNER, name: str = "northgate", reason: str = "Odd logins") -> None:
    await office.take_in(SuspendProvider(by, name, reason, ReplyAddress(by, channel="D0")))
    await office.worker.drain()
    await office.sweeper.sweep()


async def cases(office: Office) -> list[str]:
    return [m.id for m in await office.store.cases.system_cases() if m.kind == "provider"]


async def lifted(office: Office, by: Person = OWNER) -> None:
    (case_id,) = await cases(office)
    await office.take_in(Press(by, case_id, 1, "lift", ReplyAddress(by, channel="D0")))
    await office.worker.drain()


def answers(office: Office, person: Person) -> list[str]:
    return [str(a.get("text", "")) for a in office.answers() if a["to"] == person.user]


async def grant_of(office: Office, case_id: str) -> GrantState:
    grant = (await office.case(case_id)).grant
    assert grant is not None
    return grant.state


async def test_it_counts_at_once_for_everything_of_theirs_in_the_domains_of_anyone_who_pressed(office: Office) -> None:
    pending, opened = await office.file(PE1), await office.file(PE2, "executed")
    elsewhere, other = await office.file(PE1, "box"), await office.file(SOC1)
    await office.click(OWNER, opened)
    await suspended(office)
    assert await office.state(pending) is RequestState.EXPIRED
    assert await grant_of(office, opened) is GrantState.LAPSED
    assert [call.kind for call in (await office.case(opened)).calls] == ["open", "close"]
    assert await office.state(elsewhere) is RequestState.PENDING
    assert await office.state(other) is RequestState.PENDING
    expired = next(entry for entry in office.log(pending) if entry["type"] == "request.expired")
    assert expired["data"]["reason"] == "Northgate is suspended in Corporate directory. Write to #identity-help."
    (case_id,) = await cases(office)
    begun = office.log(case_id)[0]
    assert (begun["type"], begun["who"], begun["data"]) == (
        "provider.suspended", OWNER, {"domain": "directory", "provider": "northgate"},
    )  # fmt: skip
    assert any("is suspended in Corporate directory" in text for text in answers(office, LEAD))


async def test_nothing_is_filed_while_it_lasts_and_the_form_says_whom_to_write_to(office: Office) -> None:
    await suspended(office)
    act = office.form(PE1)
    (wrong,) = office.service.filing.check(act)
    assert (wrong.field, wrong.text) == (
        "runbook",
        "Northgate is suspended in Corporate directory. Write to #identity-help.",
    )
    case_id = await office.file(PE1)
    assert office.types(case_id) == ["request.refused"]
    assert await office.state(await office.file(PE1, "box")) is RequestState.PENDING


async def test_a_yes_that_was_pressed_before_the_sweep_opens_nothing(office: Office) -> None:
    case_id = await office.file(PE1)
    await office.take_in(SuspendProvider(RISK, "Northgate", "Odd logins", ReplyAddress(RISK, channel="D0")))
    await office.worker.drain()
    await office.click(OWNER, case_id)
    assert (await office.case(case_id)).grant is None


@pytest.mark.parametrize("person", [DEP1, PE1, LEAD, STRANGER])
async def test_nobody_but_owners_and_risk_owners_suspends(office: Office, person: Person) -> None:
    await suspended(office, person)
    assert await cases(office) == []
    assert any("Only owners and risk owners" in text for text in answers(office, person))


async def test_an_unknown_name_a_missing_reason_and_a_second_time_change_nothing(office: Office) -> None:
    await suspended(office, name="norhtgate")
    await suspended(office, reason=" ")
    assert await cases(office) == []
    await suspended(office)
    await suspended(office)
    assert len(await cases(office)) == 1
    told = answers(office, OWNER)
    assert any("no such provider" in text for text in told)
    assert any("Say why" in text for text in told)
    assert any("suspended in Corporate directory already" in text for text in told)


async def test_an_owner_of_the_domain_lifts_it_and_what_ended_stays_ended(office: Office) -> None:
    ended = await office.file(PE1)
    await suspended(office)
    for person in (DEP1, RISK, MACH, LEAD):
        await lifted(office, person)
    assert ("northgate", "directory") in office.service.current.policy.standing.providers
    await lifted(office)
    await office.sweeper.sweep()
    (case_id,) = await cases(office)
    assert office.types(case_id)[-1] == "provider.resumed"
    assert await office.state(ended) is RequestState.EXPIRED
    again = await office.file(PE1)
    await office.click(OWNER, again)
    assert await grant_of(office, again) is GrantState.OPEN
    assert any("is lifted" in text for text in answers(office, LEAD))
    assert judged_again(office) == []


async def test_it_survives_a_restart(office: Office) -> None:
    await suspended(office)
    await office.restart()
    await office.sweeper.sweep()
    assert office.types(await office.file(PE1)) == ["request.refused"]


async def test_the_host_suspends_in_every_domain_that_serves_the_provider(office: Office) -> None:
    here, there = await office.file(PE1), await office.file(PE2, "box")
    done = await suspend_everywhere(office.store, office.clock, BASE, BASE.providers["northgate"], "Odd logins")
    assert {d.id for d in done} == {"directory", "machines"}
    await office.sweeper.sweep()
    assert await office.state(here) is await office.state(there) is RequestState.EXPIRED
    assert await suspend_everywhere(office.store, office.clock, BASE, BASE.providers["northgate"], "Again") == []


async def test_a_provider_that_is_dropped_from_a_runbook_expires_what_it_asked_under_it(office: Office) -> None:
    case_id = await office.file(PE1)
    dropped = replace(BASE.runbooks["emergency"], providers=("watchfield",), sha256="77" * 32)
    changed = replace(BASE, runbooks={**BASE.runbooks, "emergency": dropped}, digest="ee" * 32)
    await office.adopt(changed)
    await office.sweeper.sweep()
    assert await office.state(case_id) is RequestState.EXPIRED


async def test_while_the_log_is_stopped_it_goes_through_the_emergency_file(tmp_path: Path) -> None:
    async with StoppableOffice(tmp_path / "countersign.db", BASE) as office:
        pending, opened = await office.file(PE1), await office.file(PE2)
        await office.click(OWNER, opened)
        await office.sweeper.sweep()
        office.standing.store.refused(DiskRefuses("The disk is full."))
        await suspend_everywhere(office.store, office.clock, BASE, BASE.providers["northgate"], "Odd logins")
        await office.sweeper.sweep()
        assert await office.state(pending) is RequestState.EXPIRED
        assert await grant_of(office, opened) is GrantState.LAPSED
        await office.standing.store.look()
        assert await grant_of(office, opened) is GrantState.LAPSED
        assert ("northgate", "directory") in office.service.current.policy.standing.providers
        assert all(office.types(case_id)[0] == "provider.suspended" for case_id in await cases(office))
        assert check_database(place(office.path)).findings == ()


async def test_the_timeline_says_that_it_ended_before_its_time(office: Office) -> None:
    pending, opened = await office.file(PE1), await office.file(PE2)
    await office.click(OWNER, opened)
    await suspended(office)
    for case_id, type_ in ((pending, "request.expired"), (opened, "grant.lapsed")):
        (entry,) = [entry for entry in office.log(case_id) if entry["type"] == type_]
        assert "before its time" in in_words(type_, "The clock", entry)
    later = await office.file(PE1, "box")
    await office.click(office.policy.domains["machines"].owner, later)
    office.clock.at += 2 * HOUR
    await office.sweeper.sweep()
    assert in_words("grant.lapsed", "The clock", office.log(later)[-1]) == "The time ran out; the approval ended"
