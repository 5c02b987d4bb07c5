"""Findings through the real service, worker, sweeper and store: filed by anybody, acknowledged by the domain, never expired."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.lifecycle import FINDING, FindingState
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import (
    COLLEAGUE,
    DAY,
    DEP1,
    HOUR,
    LEAD,
    MINUTE,
    NORTHGATE,
    ONC1,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    T0,
    policy,
    runbook,
)
from tests.bot.office import Office
from tests.database import place

pytestmark = pytest.mark.both

FINDING_BOOK = runbook(
    "exposure", kind="finding", title="A credential is exposed", providers=("northgate",), max_duration=0, default_duration=0,
    review_within=None, due_within=3600,
)  # fmt: skip
BRIEF = runbook("brief", kind="finding", providers=("northgate",), escalation="short", due_within=None)
BASE = policy(runbooks=(runbook("emergency"), FINDING_BOOK, BRIEF))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Whatever happened in it, its log agrees with itself and with the policy."""
    async with Office(tmp_path / "countersign.db", BASE) as running:
        yield running
        assert check_database(place(running.path)).findings == ()


async def found(office: Office, by: Person = PE1, book: str = "exposure", **how: Any) -> str:
    told = {"target": "repo billing", "reason": "a token stands in the log", "seconds": 0} | how
    return await office.file(by, book, **told)


async def press(office: Office, person: Person, case_id: str, action: str, **how: Any) -> None:
    await office.take_in(Press(person, case_id, 1, action, ReplyAddress(person, channel="D0"), **how))
    await office.worker.drain()


def said(office: Office, purpose: str) -> list[tuple[str, str]]:
    rows = office.rows("SELECT to_user, channel FROM outbox WHERE purpose = :p ORDER BY id", p=purpose)
    return [(r["to_user"] or "", r["channel"] or "") for r in rows]


class TestFiling:
    async def test_asks_for_no_access_and_runs_the_ladder(self, office: Office) -> None:
        case_id = await found(office)
        case = await office.case(case_id)
        assert (case.request.state, case.grant, case.asks[0].kind) == (FindingState.OPEN, None, "finding")
        await office.forward(16 * MINUTE)
        assert office.steps(case_id) == [
            ("0m", "notify owner", {OWNER}), ("3m", "remind owner", {OWNER}), ("5m", "notify deputies", {DEP1, Person("T0HOME", "U0DEP2")}),
            ("10m", "notify on_call", {ONC1}), ("15m", "notify risk_owner", {RISK}),
        ]  # fmt: skip

    @pytest.mark.parametrize("by", [PE1, COLLEAGUE, LEAD, STRANGER, DEP1])
    async def test_is_for_everybody_of_the_provider_and_of_home(self, office: Office, by: Person) -> None:
        assert office.types(await found(office, by))[0] == "finding.filed"

    @pytest.mark.parametrize("by", [SOC1, Person("T0OTHER", "U0WHO")])
    async def test_is_for_nobody_else(self, office: Office, by: Person) -> None:
        assert office.types(await found(office, by)) == ["request.refused"]

    async def test_the_owner_who_files_one_is_not_asked_themselves(self, office: Office) -> None:
        case_id = await found(office, OWNER)
        assert OWNER not in (await office.case(case_id)).approval.asked
        await press(office, OWNER, case_id, "acknowledge")
        assert office.types(case_id)[-1] == "decision.refused"

    async def test_no_limit_on_requests_applies(self, office: Office) -> None:
        for number in range(5):
            case_id = await found(office, target=f"place {number}")
            assert office.types(case_id)[0] == "finding.filed"
        assert office.types(await office.file(PE1))[0] == "request.filed"

    async def test_free_text_is_logged_as_digests(self, office: Office) -> None:
        (first, *_) = office.log(await found(office))
        assert {"domain", "provider", "noticed_at", "late", "due_within"} <= set(first["data"])
        assert "token" not in str(first)
        assert "billing" not in str(first)

    @pytest.mark.parametrize(("ago", "late"), [(59 * MINUTE, False), (61 * MINUTE, True)])
    async def test_filed_later_than_due_within_is_late(self, office: Office, ago: timedelta, late: bool) -> None:
        case_id = await found(office, noticed_at=(T0 - ago).isoformat())
        assert office.log(case_id)[0]["data"]["late"] is late
        assert (await office.case(case_id)).late is late

    async def test_when_it_was_noticed_is_corrected_by_its_filer(self, office: Office) -> None:
        case_id = await found(office, noticed_at=(T0 - 10 * MINUTE).isoformat())
        await press(office, PE1, case_id, "correct", at=(T0 - 3 * HOUR).isoformat())
        assert office.log(case_id)[-1]["type"] == "finding.corrected"
        assert office.log(case_id)[-1]["data"]["late"] is True
        await press(office, PE2, case_id, "correct", at=(T0 - MINUTE).isoformat())
        assert office.types(case_id)[-1] == "decision.refused"


class TestARepeat:
    async def test_of_the_same_place_in_the_domain_joins(self, office: Office) -> None:
        first = await found(office)
        second = await found(office, STRANGER, "brief", target="  REPO   Billing ", reason="seen it too")
        assert office.types(first)[-1] == "finding.joined"
        assert office.types(second) == []
        assert len(said(office, "card")) == 1
        assert [n.text for n in (await office.case(first)).approval.noted("joined")] == ["seen it too"]

    async def test_elsewhere_or_after_it_is_closed_is_a_finding_of_its_own(self, office: Office) -> None:
        first = await found(office)
        assert office.types(await found(office, target="repo payroll"))[0] == "finding.filed"
        await press(office, OWNER, first, "acknowledge")
        await press(office, OWNER, first, "close", text="rotated")
        assert office.types(await found(office))[0] == "finding.filed"

    async def test_two_at_one_instant_are_one_finding(self, office: Office) -> None:
        forms = [office.form(p, "exposure", target="x", seconds=0) for p in (PE1, PE2)]
        await office.together(*forms)
        assert sorted(len(office.types(form.id)) > 0 for form in forms) == [False, True]

    async def test_nobody_learns_the_id_of_another_partys_finding(self, office: Office) -> None:
        case_id = await found(office, STRANGER)
        await found(office, PE1)
        assert all(case_id not in str(answer) for answer in office.answers() if answer["to"] == "U0PE1")


class TestSilence:
    async def test_never_expires_it_and_risk_owner_and_channel_are_notified_every_hour(self, office: Office) -> None:
        case_id = await found(office)
        await office.forward(44 * MINUTE)
        assert said(office, "announce") == []
        await office.forward(2 * MINUTE)
        assert said(office, "announce") == [("", "C0DIRECTORY")]
        assert ("U0RISK", "") in said(office, "reminder")
        await office.forward(3 * HOUR, every=10 * MINUTE)
        assert len(said(office, "announce")) == 4
        await office.forward(10 * DAY, every=HOUR)
        assert (await office.state(case_id)) is FindingState.OPEN

    async def test_a_day_of_downtime_brings_one_message_and_not_one_an_hour(self, office: Office) -> None:
        await found(office)
        office.sleep(DAY)
        await office.sweeper.sweep()
        assert len(said(office, "announce")) == 1
        await office.forward(59 * MINUTE)
        assert len(said(office, "announce")) == 2

    async def test_a_risk_owner_whom_the_ladder_does_not_name_is_asked_at_its_end(self, office: Office) -> None:
        case_id = await found(office, book="brief")
        await office.forward(4 * HOUR + MINUTE, every=10 * MINUTE)
        assert RISK in (await office.case(case_id)).approval.asked
        await press(office, RISK, case_id, "acknowledge")
        assert office.log(case_id)[-1]["data"] == {"role": "risk_owner"}

    async def test_ends_once_somebody_acknowledges(self, office: Office) -> None:
        case_id = await found(office)
        await press(office, OWNER, case_id, "acknowledge")
        heard = len(said(office, "announce"))
        await office.forward(5 * HOUR, every=10 * MINUTE)
        assert (len(said(office, "announce")), office.steps(case_id)) == (heard, [("0m", "notify owner", {OWNER})])


class TestHandling:
    async def test_open_acknowledged_closed(self, office: Office) -> None:
        case_id = await found(office)
        await press(office, OWNER, case_id, "close", text="too early")
        assert await office.state(case_id) is FindingState.OPEN
        await press(office, OWNER, case_id, "acknowledge")
        assert await office.state(case_id) is FindingState.ACKNOWLEDGED
        await press(office, DEP1, case_id, "close", text="rotated the token")
        assert await office.state(case_id) is FindingState.CLOSED
        kinds = [t for t in office.types(case_id) if t.startswith("finding.")]
        assert kinds == ["finding.filed", "finding.acknowledged", "finding.closed"]
        assert "rotated" not in str(office.log(case_id)[-1])
        assert ("U0PE1", "") in said(office, "outcome")

    def test_the_machine_is_a_line(self) -> None:
        assert FINDING == {
            FindingState.OPEN: {"acknowledge": FindingState.ACKNOWLEDGED},
            FindingState.ACKNOWLEDGED: {"close": FindingState.CLOSED},
            FindingState.CLOSED: {},
        }

    @pytest.mark.parametrize("person", [PE1, LEAD, STRANGER, DEP1])
    async def test_nobody_without_authority_acknowledges(self, office: Office, person: Person) -> None:
        case_id = await found(office, PE2)
        await press(office, person, case_id, "acknowledge")
        assert await office.state(case_id) is FindingState.OPEN
        assert office.types(case_id)[-1] == "decision.refused"

    @pytest.mark.parametrize("person", [PE1, LEAD, STRANGER])
    async def test_only_people_of_the_domain_close(self, office: Office, person: Person) -> None:
        case_id = await found(office)
        await press(office, OWNER, case_id, "acknowledge")
        await press(office, person, case_id, "close", text="nothing to see")
        assert await office.state(case_id) is FindingState.ACKNOWLEDGED

    async def test_on_it_holds_the_next_steps_and_a_question_is_answered(self, office: Office) -> None:
        case_id = await found(office)
        await press(office, OWNER, case_id, "hold")
        await press(office, OWNER, case_id, "question", text="which one?")
        await press(office, PE1, case_id, "answer", text="the deploy key")
        await office.forward(6 * MINUTE)
        assert [step for step in office.steps(case_id) if step[1] == "notify deputies"] == []
        assert {"request.held", "request.asked", "request.answered"} <= set(office.types(case_id))

    async def test_approve_means_nothing_on_a_finding_and_acknowledge_nothing_on_a_request(self, office: Office) -> None:
        case_id, request = await found(office), await office.file(PE1)
        for action in ("approve", "deny"):
            await press(office, OWNER, case_id, action, text="no")
        await press(office, OWNER, request, "acknowledge")
        assert await office.state(case_id) is FindingState.OPEN
        assert str(await office.state(request)) == "pending"

    async def test_a_doubted_clock_hinders_no_acknowledgement(self, office: Office) -> None:
        case_id = await found(office)
        office.clock.jumped = lambda: timedelta(hours=1)  # type: ignore[method-assign]
        await press(office, OWNER, case_id, "acknowledge")
        assert await office.state(case_id) is FindingState.ACKNOWLEDGED


class TestSight:
    async def test_a_lead_sees_home_peoples_findings_only_once_the_owner_shares_them(self, office: Office) -> None:
        case_id, read = await found(office, STRANGER), office.service.queries.read_case
        assert await read(LEAD, case_id) is None
        assert said(office, "lead") == []
        await press(office, RISK, case_id, "share")
        assert await read(LEAD, case_id) is None
        await press(office, OWNER, case_id, "share")
        assert await read(LEAD, case_id) is not None
        assert (await read(PE1, case_id), await read(SOC1, case_id)) == (None, None)
        assert said(office, "lead") == [("U0PLEAD", "")]

    async def test_a_provider_sees_its_own_and_its_lead_gets_a_copy(self, office: Office) -> None:
        case_id, read = await found(office, PE1), office.service.queries.read_case
        assert await read(LEAD, case_id) is not None
        assert await read(SOC1, case_id) is None
        assert said(office, "lead") == [("U0PLEAD", "")]

    async def test_the_queue_holds_it_until_it_is_closed(self, office: Office) -> None:
        case_id = await found(office)
        for person in (OWNER, LEAD):
            assert [c.id for c in await office.service.queries.read_queue(person)] == [case_id]
        await press(office, OWNER, case_id, "acknowledge")
        assert [c.id for c in await office.service.queries.read_queue(OWNER)] == [case_id]
        assert [one.state for one in await office.store.cases.requests(10, closed_too=False)] == ["acknowledged"]
        await press(office, OWNER, case_id, "close", text="done")
        assert await office.service.queries.read_queue(OWNER) == []
        assert await office.store.cases.requests(10, closed_too=False) == []


async def test_a_restart_loses_nothing(office: Office) -> None:
    case_id = await found(office, noticed_at=(T0 - 2 * HOUR).isoformat())
    before = await office.case(case_id)
    await office.restart()
    assert (await office.case(case_id)).finding == before.finding
    await office.forward(46 * MINUTE)
    assert len(said(office, "announce")) == 1


async def test_a_contract_that_ends_closes_no_finding(office: Office) -> None:
    case_id = await found(office)
    gone = replace(NORTHGATE, contract_until=(T0 - DAY).date())
    await office.adopt(replace(BASE, digest="ef" * 32, providers={**BASE.providers, "northgate": gone}))
    await office.forward(2 * DAY, every=HOUR)
    assert await office.state(case_id) is FindingState.OPEN
