"""The database is lost: every replica takes away from what it remembers, gives nothing, and hands over what it did afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.decision_log.failsafe_store import AmongReplicas
from bot.domain.errors import Stopped, StorageError
from tests.bot.building import OWNER, PE1, policy
from tests.bot.stopping import StoppableOffice


class Part:
    """What this replica is to the others; a test changes it."""

    def __init__(self) -> None:
        self.leads, self.unreported, self.patient = True, "", False
        self.among = AmongReplicas(lambda: self.leads, lambda: self.unreported, lambda: self.patient)


@pytest.fixture
def part() -> Part:
    return Part()


@pytest.fixture
async def office(tmp_path: Path, part: Part) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy(), among=part.among) as opened:
        opened.service.host_acts = opened.standing.host_acts(opened.service.transactions.written)
        yield opened


async def opened_and_pending(office: StoppableOffice) -> tuple[str, str]:
    opened, pending = await office.file(PE1), await office.file(PE1, target="dc2")
    await office.click(OWNER, opened)
    await office.standing.stoppable.look()  # it remembers both
    return opened, pending


async def state(office: StoppableOffice, case: str) -> tuple[str, str]:
    found = await office.store.cases.case(case)
    return str(found.request.state), "" if found.grant is None else str(found.grant.state)


@pytest.mark.parametrize("leads", [True, False])
async def test_a_no_counts_at_once_and_is_entered_when_the_database_is_back(
    office: StoppableOffice, part: Part, leads: bool
) -> None:
    opened, pending = await opened_and_pending(office)
    part.leads = leads
    with office.lost():
        await office.click(PE1, opened, "finish")
        await office.click(OWNER, pending, "deny")
        assert await state(office, opened) == ("approved", "finished")
        assert (await state(office, pending))[0] == "denied"
        assert len(office.lines()) == 2
    assert office.types(pending).count("request.denied") == 0
    await office.standing.stoppable.look()
    if not leads:  # handed over, and the leader carries it out
        assert len(office.lines()) == 2
        part.leads = True
        await office.worker.drain()
        part.leads = False
        await office.standing.stoppable.look()
        part.leads = True
    (denied,) = [e for e in office.log(pending) if e["type"] == "request.denied"]
    assert "taken_at" in denied["data"]
    assert office.types(opened).count("grant.finished") == 1
    assert office.lines() == []


async def test_a_yes_gives_nothing_meanwhile(office: StoppableOffice) -> None:
    _, pending = await opened_and_pending(office)
    with office.lost():
        await office.click(OWNER, pending)
        assert (await state(office, pending)) == ("pending", "")
        assert await office.told() == ["stopped"]
    assert office.types(pending).count("request.approved") == 0


async def test_what_a_standby_took_in_meanwhile_is_handed_to_the_leader(office: StoppableOffice, part: Part) -> None:
    await opened_and_pending(office)
    part.leads = False
    with office.lost():
        await office.take_in(office.form(PE1, target="dc3"))  # nobody carries it out before the database is back
    await office.standing.stoppable.look()
    assert len(office.rows("SELECT id FROM inbox WHERE done_ms IS NULL")) == 1
    await office.worker.drain()
    assert len(office.rows("SELECT id FROM inbox WHERE done_ms IS NULL")) == 1  # a standby judges nothing
    part.leads = True
    await office.worker.drain()
    assert len(office.rows("SELECT id FROM inbox WHERE done_ms IS NULL")) == 0


async def test_until_all_have_reported_nothing_is_given_and_a_no_goes_on(office: StoppableOffice, part: Part) -> None:
    opened, pending = await opened_and_pending(office)
    part.unreported = "Nothing is given: B has not reported."
    await office.click(OWNER, pending)
    assert (await state(office, pending))[0] == "pending"
    assert part.unreported in office.standing.stoppable.findings()
    await office.click(PE1, opened, "finish")
    assert await state(office, opened) == ("approved", "finished")
    part.unreported = ""
    await office.click(OWNER, pending)
    assert (await state(office, pending))[0] == "approved"


async def test_in_the_first_seconds_a_yes_waits_instead_of_being_refused(office: StoppableOffice, part: Part) -> None:
    _, pending = await opened_and_pending(office)
    part.unreported, part.patient = "Nothing is given: B has not reported.", True
    act: Any = await office.service.actions.press(office.press(OWNER, pending))
    with pytest.raises(StorageError):
        await office.store.commit(act)
    part.patient = False
    with pytest.raises(Stopped):
        await office.store.commit(act)
