"""The database is lost: every replica takes away from what it remembers, gives nothing, and hands over what it did afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.decision_log.among_replicas import AmongReplicas
from bot.decision_log.failsafe_inbox import SHORT
from bot.domain.errors import DiskRefuses, NotLeading, Stopped, StorageError
from bot.service.approvals import ApprovalService
from storage.log.check import check_database
from tests.bot.building import DEP1, MINUTE, OWNER, PE1, policy
from tests.bot.stopping import StoppableOffice
from tests.database import place


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


@pytest.mark.parametrize("own_file", [True, False])
@pytest.mark.parametrize("runbook", ["emergency", "executed"])
async def test_a_no_that_is_entered_after_a_yes_ends_what_the_yes_gave(
    office: StoppableOffice, part: Part, own_file: bool, runbook: str
) -> None:
    """This replica was cut off alone: the leader could not know it, and approved. `own_file`: it leads when the database is back."""
    pending = await office.file(PE1, runbook)
    await office.forward(6 * MINUTE)  # the deputies are asked too
    await office.standing.stoppable.look()
    part.leads = False
    with office.lost():
        await office.click(DEP1, pending, "deny")
        assert (await state(office, pending))[0] == "denied"
    said_no_at = office.clock.at
    office.clock.at += MINUTE
    leader = ApprovalService(office.inner, office.directory, office.clock, office.scale, office.policy)
    yes: Any = await leader.actions.press(office.press(OWNER, pending))
    await leader.transactions.commit(yes)
    assert await state(office, pending) == ("approved", "revoked")  # for whoever reads here it has ended already
    office.clock.at += MINUTE
    part.leads = own_file
    await office.standing.stoppable.look()
    part.leads = True
    await office.worker.drain()
    part.leads = own_file
    await office.standing.stoppable.look()
    assert (await state(office, pending), office.lines()) == (("approved", "revoked"), [])
    types = office.types(pending)
    assert [t for t in types if t.startswith(("grant.", "request.")) and t != "request.filed"] == [
        "request.approved", "grant.opened", "grant.revoked",
    ]  # fmt: skip
    (revoked,) = [e for e in office.log(pending) if e["type"] == "grant.revoked"]
    assert revoked["data"]["taken_at"].startswith(f"{said_no_at:%Y-%m-%dT%H:%M:%S}")
    told = office.rows("SELECT to_user FROM outbox WHERE purpose = 'overtaken' ORDER BY id")
    assert [row["to_user"] for row in told] == [PE1.user, OWNER.user]
    calls = [(call.kind, call.state) for call in (await office.case(pending)).calls]
    assert calls == ([("open", "dropped"), ("close", "waiting")] if runbook == "executed" else [])
    assert check_database(place(office.path)).findings == ()


@pytest.mark.parametrize("others", [True, False])
async def test_a_yes_gives_nothing_meanwhile(office: StoppableOffice, part: Part, others: bool) -> None:
    """`others`: there are other replicas, which cannot have reported while the database is lost."""
    _, pending = await opened_and_pending(office)
    if others:
        part.unreported, part.patient = "Nothing is given: B has not reported.", True
    with office.lost():
        await office.click(OWNER, pending)
        assert ((await state(office, pending)), await office.told()) == (("pending", ""), [])
        office.clock.at += timedelta(seconds=SHORT)
        await office.worker.drain()
        assert ((await state(office, pending)), await office.told()) == (("pending", ""), ["stopped"])
    assert office.types(pending).count("request.approved") == 0


@pytest.mark.parametrize("leads", [True, False])
@pytest.mark.parametrize("back", [True, False])
async def test_a_yes_outlasts_a_short_loss_whichever_replica_took_it_in(
    office: StoppableOffice, part: Part, leads: bool, back: bool
) -> None:
    """`back`: the database is there again, and this replica has not noticed yet."""
    _, pending = await opened_and_pending(office)
    part.leads = leads
    if back:
        office.standing.stoppable.refused(LOST)
        await office.click(OWNER, pending)
    else:
        with office.lost():
            await office.click(OWNER, pending)
    await office.standing.stoppable.look()
    part.leads = True
    office.clock.at += timedelta(seconds=1)
    await office.worker.drain()
    assert (await state(office, pending))[0] == "approved"
    assert "stopped" not in await office.told()
    assert office.types(pending).count("request.approved") == 1


async def test_what_a_standby_took_in_meanwhile_is_handed_to_the_leader(office: StoppableOffice, part: Part) -> None:
    _, pending = await opened_and_pending(office)
    part.leads = False
    with office.lost():
        await office.take_in(office.press(OWNER, pending))  # nobody carries it out before the database is back
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


LOST = DiskRefuses("The database server was lost before it had committed; nothing was written.")


@pytest.mark.parametrize("leads", [True, False])
async def test_a_filing_is_acknowledged_only_once_it_is_stored(office: StoppableOffice, part: Part, leads: bool) -> None:
    part.leads = leads
    act = office.form(PE1)
    with office.lost(), pytest.raises(StorageError):
        await office.take_in(act, "key")
    await office.take_in(act, "key")  # Slack brings it again, and the log is still held to be stopped
    assert len(office.rows("SELECT id FROM inbox WHERE done_ms IS NULL")) == 1
    part.leads = True
    await office.standing.stoppable.look()
    await office.worker.drain()
    assert office.types(act.id) == ["request.filed", "step.fired"]


async def test_what_is_stored_outlasts_a_short_loss_of_the_database(office: StoppableOffice) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    office.standing.stoppable.refused(LOST)
    await office.worker.drain()
    assert (await office.told(), office.types(act.id)) == ([], [])
    await office.standing.stoppable.look()
    office.clock.at += timedelta(seconds=1)
    await office.worker.drain()
    assert office.types(act.id) == ["request.filed", "step.fired"]


async def test_what_is_stored_is_refused_with_a_sentence_when_the_loss_lasts(office: StoppableOffice) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    office.standing.stoppable.refused(LOST)
    office.clock.at += timedelta(seconds=SHORT)
    await office.worker.drain()
    assert (await office.told(), office.types(act.id)) == (["stopped"], [])


async def test_a_row_that_cannot_be_put_off_in_the_database_is_put_off_all_the_same(office: StoppableOffice) -> None:
    await office.take_in(office.form(PE1))
    (row,) = await office.store.inbox.unfinished(10)
    await office.write_protect()
    await office.store.inbox.put_off(row.id, office.clock.at + timedelta(seconds=1))
    assert await office.store.inbox.unfinished(10) == []
    office.clock.at += timedelta(seconds=1)
    assert [again.id for again in await office.store.inbox.unfinished(10)] == [row.id]


@pytest.mark.parametrize("yes", [True, False])
async def test_without_the_database_nobody_is_refused_what_another_replica_may_carry_out(
    office: StoppableOffice, yes: bool
) -> None:
    _, pending = await opened_and_pending(office)
    act = office.press(OWNER, pending) if yes else office.form(PE1, target="dc3")
    await office.told()
    await office.take_in(act)
    (row,) = await office.store.inbox.unfinished(10)
    office.standing.stoppable.refused(LOST)
    office.clock.at += timedelta(seconds=SHORT)
    with office.lost(), pytest.raises(StorageError):
        await office.service.carry_out(row)
    assert await office.told() == []
    await office.standing.stoppable.look()
    await office.worker.drain()
    assert (await state(office, pending if yes else act.id))[0] == ("approved" if yes else "pending")
    assert "stopped" not in await office.told()


async def test_a_replica_that_lost_the_lease_takes_nothing_away_by_itself(office: StoppableOffice) -> None:
    _, pending = await opened_and_pending(office)
    act: Any = await office.service.actions.press(office.press(OWNER, pending, "deny"))

    async def led_by_another(*_: Any) -> Any:
        raise NotLeading("Another replica leads; this one carries out nothing.")

    office.inner.transactions.write = led_by_another  # type: ignore[method-assign]
    with pytest.raises(NotLeading):
        await office.store.commit(act)
    assert office.lines() == []


@pytest.mark.parametrize("sent", [True, False])
async def test_what_is_held_counts_until_its_refusal_was_sent(office: StoppableOffice, sent: bool) -> None:
    """A kill lies between the refusal and the next look, before or after Slack took it."""
    _, pending = await opened_and_pending(office)
    await office.told()
    with office.lost():
        await office.take_in(office.press(OWNER, pending))
        office.clock.at += timedelta(seconds=SHORT)
        await office.worker.drain()
        assert not sent or await office.told() == ["stopped"]
    await office.close()
    await office.open()
    await office.standing.stoppable.look()
    await office.worker.drain()
    assert (await state(office, pending))[0] == ("pending" if sent else "approved")


@pytest.mark.parametrize("leads", [True, False])
async def test_what_is_held_is_stored_before_it_is_carried_out(office: StoppableOffice, part: Part, leads: bool) -> None:
    _, pending = await opened_and_pending(office)
    part.leads = leads
    with office.lost():
        await office.take_in(office.press(OWNER, pending), "once")
    await office.standing.stoppable.look()
    part.leads = True
    await office.worker.drain()
    await office.inner.inbox.take_in("once", office.press(OWNER, pending), {})  # Slack brought it to another replica too
    await office.worker.drain()
    assert office.types(pending).count("request.approved") == 1
    assert "decision.refused" not in office.types(pending)


@pytest.mark.parametrize("killed", [True, False])
async def test_a_stored_row_is_finished_once_its_answer_was_sent(office: StoppableOffice, killed: bool) -> None:
    act = office.form(PE1)
    await office.take_in(act)
    office.standing.stoppable.refused(LOST)
    office.clock.at += timedelta(seconds=SHORT)
    await office.worker.drain()
    assert office.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL") != []
    if killed:
        await office.close()
        await office.open()
        await office.worker.drain()  # what was refused is carried out by nobody
    await office.standing.stoppable.look()
    assert killed or office.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL") != []
    assert await office.told() == ["stopped"]
    assert office.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL") == []
    await office.worker.drain()
    assert office.types(act.id) == []


async def test_a_line_that_the_leader_took_away_too_is_not_refused_but_entered_once_the_log_is_back(
    office: StoppableOffice, part: Part
) -> None:
    _, pending = await opened_and_pending(office)
    part.leads = False
    with office.lost():
        await office.click(OWNER, pending, "deny")
    await office.standing.stoppable.look()  # handed over, to a leader whose own file has the same
    part.leads = True
    office.standing.stoppable.refused(LOST)
    await office.worker.drain()
    assert [row["outcome"] for row in office.rows("SELECT outcome FROM inbox WHERE done_ms IS NULL")] == [""]
    await office.standing.stoppable.look()
    office.clock.at += timedelta(seconds=1)
    await office.worker.drain()
    outcomes = office.rows("SELECT done_ms, outcome FROM inbox WHERE key LIKE 'emergency:%'")
    assert [(row["done_ms"] is not None, row["outcome"]) for row in outcomes] == [(True, "")]
    assert office.types(pending).count("request.denied") == 1


async def test_a_replica_that_lost_the_lease_leaves_what_it_said_to_the_leader(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    rows = await office.store.outbox.lease(office.clock.now(), office.clock.now() + timedelta(minutes=1), 100)
    (card,) = [row for row in rows if row.say.purpose == "card"]

    async def led_by_another(*_: Any, **__: Any) -> None:
        raise NotLeading("Another replica leads; this one carries out nothing.")

    office.inner.outbox.sent = led_by_another  # type: ignore[method-assign]
    await office.store.outbox.sent(card, "D0", "1.0", 1, [])
    assert [(copy.channel, copy.ts) for copy in await office.store.outbox.copies(case_id)] == [("D0", "1.0")]
