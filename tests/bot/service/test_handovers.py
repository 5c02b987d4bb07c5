"""A domain changes hands on a day: open questions go over, both owners are informed, the log says it, nothing is orphaned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Policy
from tests.bot.building import DAY, DEP1, DEP2, MINUTE, ONC1, ONC2, OWNER, PE1, RISK, T0, home, policy, with_domain
from tests.bot.office import Office

INES = home("U0INES")
LAST, FIRST = T0.date(), (T0 + DAY).date()
MIDNIGHT = (T0 + DAY).replace(hour=0)


def dated(*terms: OwnerTerm, day: date = LAST) -> Policy:
    return with_domain(policy(), terms=terms).on(day)


TWO = (OwnerTerm(OWNER, None, LAST), OwnerTerm(INES, FIRST))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", dated(*TWO)) as running:
        await running.sweeper.sweep()
        running.clock.at = MIDNIGHT - MINUTE
        yield running


def entries(office: Office, kind: str) -> list[dict[str, object]]:
    return [entry for entry in office.log() if entry["type"] == kind]


def told(office: Office) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for answer in office.answers():
        if answer["sentence"] == "plain":
            found.setdefault(answer["to"], []).append(str(answer["text"]))
    return found


async def test_from_its_day_the_new_owner_is_in_force_and_the_old_one_is_not(office: Office) -> None:
    assert office.service.current.policy.domains["directory"].owner == OWNER
    office.clock.at = MIDNIGHT
    assert office.service.current.policy.domains["directory"].owner == INES
    case = await office.file(PE1)
    await office.click(OWNER, case)
    assert await office.state(case) is RequestState.PENDING
    await office.click(INES, case)
    assert await office.state(case) is RequestState.APPROVED


async def test_an_open_question_goes_over_at_midnight_and_is_logged(office: Office) -> None:
    case = await office.file(PE1)
    assert (await office.case(case)).approval.asked == (OWNER,)
    office.clock.at = MIDNIGHT
    await office.sweeper.sweep()
    ask = (await office.case(case)).approval
    assert ask.asked[:2] == (OWNER, INES)
    assert [r.role for r in ask.reached if r.person == INES] == ["owner"]
    (entry,) = entries(office, "domain.handed_over")
    assert entry["data"] == {"domain": "directory", "asks": [case], "exceptions": [], "owed": [], "from": OWNER, "to": INES}
    assert "handover" in str(office.log(case)[-1]["data"])
    await office.click(INES, case)
    assert await office.state(case) is RequestState.APPROVED


async def test_both_owners_learn_what_goes_over_once(office: Office) -> None:
    case = await office.file(PE1)
    office.clock.at = MIDNIGHT
    await office.sweeper.sweep()
    await office.restart()
    await office.sweeper.sweep()
    heard = told(office)
    assert set(heard) == {"U0OWNER", "U0INES"}
    (text,) = heard["U0INES"]
    assert text == (
        f"U0INES owns Corporate directory since 5 March 2026. Until yesterday it was U0OWNER. This goes over: Open questions: {case}."
    )
    assert len(entries(office, "domain.handed_over")) == 1


async def test_nobody_is_asked_twice_and_an_answered_question_stays(office: Office) -> None:
    done, still = await office.file(PE1), await office.file(PE1, "listed", target="alpha")
    await office.click(OWNER, done)
    office.clock.at = MIDNIGHT
    for _ in range(3):
        await office.sweeper.sweep()
    assert [r.person for r in (await office.case(still)).approval.reached].count(INES) == 1
    assert await office.state(done) is RequestState.APPROVED


async def test_a_hand_over_during_downtime_is_made_up(office: Office) -> None:
    case = await office.file(PE1)
    office.clock.at = MIDNIGHT + MINUTE
    await office.restart()
    await office.sweeper.sweep()
    assert INES in (await office.case(case)).approval.asked
    assert len(entries(office, "domain.handed_over")) == 1


async def test_a_first_look_hands_nothing_over(tmp_path: Path) -> None:
    async with Office(tmp_path / "first.db", dated(*TWO, day=FIRST)) as office:
        office.clock.at = MIDNIGHT
        await office.sweeper.sweep()
        assert entries(office, "domain.handed_over") == []
        assert told(office) == {}


async def test_a_vacant_domain_is_answered_by_its_risk_owner_and_everybody_named_is_notified(tmp_path: Path) -> None:
    async with Office(tmp_path / "vacant.db", dated(TWO[0])) as office:
        await office.sweeper.sweep()
        office.clock.at = MIDNIGHT - MINUTE
        case = await office.file(PE1)
        office.clock.at = MIDNIGHT
        await office.sweeper.sweep()
        (entry,) = entries(office, "domain.vacant")
        assert (entry["data"]["from"], entry["data"]["to"]) == (OWNER, RISK)  # type: ignore[index]
        assert set(told(office)) == {p.user for p in (OWNER, DEP1, DEP2, RISK, ONC1, ONC2)}
        assert "VACANT" in told(office)["U0DEP1"][0]
        await office.click(RISK, case)
        assert await office.state(case) is RequestState.APPROVED


async def test_another_file_is_no_hand_over_by_date(office: Office) -> None:
    office.service.current.sets = office.service.current.sets.with_current(
        replace(dated(OwnerTerm(INES, None, FIRST), day=LAST), digest="ef" * 32)
    )
    await office.sweeper.sweep()
    assert entries(office, "domain.handed_over") == []
