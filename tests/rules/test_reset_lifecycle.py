"""Resets through the real service and store: attested, cooled off, announced, and verified in the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.case.operator_action import OperatorAction, OperatorActionState, OperatorChange
from bot.domain.case.transition import Transition
from bot.domain.policy.people import Person
from bot.ports.commands import Press, ReplyAddress
from storage.log.check import check_database
from tests.bot.building import HOUR, MINUTE, OWNER, PE1, STRANGER, T0, policy, runbook
from tests.bot.office import Office
from tests.database import place

pytestmark = pytest.mark.both

METHODS = ("manager_callback", "id_document")
RESET = runbook(
    "mfa", kind="reset", subject_verification=METHODS, not_before=1800, escalation="short", review_within=None
)  # fmt: skip


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", policy(runbooks=[RESET])) as running:
        yield running
        assert check_database(place(running.path)).findings == ()


async def attest(office: Office, case_id: str, name: str, at: datetime = T0, person: Person = PE1) -> None:
    word = Press(person, case_id, 1, "verify", ReplyAddress(person, channel="D0"), "call 4711", name, at=at.isoformat())
    await office.take_in(word)
    await office.worker.drain()


async def filed(office: Office, subject: Person = STRANGER) -> str:
    return await office.file(PE1, "mfa", subject=subject)


async def test_a_reset_is_attested_approved_cooled_off_and_opened_across_a_restart(office: Office) -> None:
    case_id = await filed(office)
    await office.click(OWNER, case_id)
    for name in METHODS:
        await attest(office, case_id, name)
    await office.click(OWNER, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    await office.restart()
    await office.forward(31 * MINUTE)
    assert office.types(case_id) == [
        "request.filed", "step.fired", "decision.refused", "subject.verified", "subject.verified", "request.approved",
        "grant.opened",
    ]  # fmt: skip
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert (grant.opened_at, grant.not_after) == (T0 + 30 * MINUTE, T0 + 30 * MINUTE + HOUR)


async def test_how_somebody_was_verified_leaves_the_state_and_goes_with_an_erasure_of_them(office: Office) -> None:
    case_id = await filed(office)
    for name in METHODS:
        await attest(office, case_id, name)
    await office.click(OWNER, case_id, "deny")
    await office.deliver()
    await office.store.operator.empty_over(10)

    def notes() -> list[str]:
        return [row["text"] for row in office.rows("SELECT text FROM note WHERE kind = 'verified' ORDER BY n")]

    assert notes() == [f"{name}: " for name in METHODS]
    told = [note.text for note in (await office.case(case_id)).approval.notes if note.kind == "verified"]
    assert [text.split(" (")[0] for text in told] == [f"{name}: call 4711" for name in METHODS]
    now = office.clock.now()
    act = OperatorAction("O-7K3M9QX2", "erase", "x", now, now + HOUR, STRANGER, state=OperatorActionState.CONFIRMED)
    await office.store.commit(Transition(None, None, operated=OperatorChange(None, act)))
    await office.store.operator.erase(act, office.policy, timedelta())
    told = [note.text for note in (await office.case(case_id)).approval.notes if note.kind == "verified"]
    assert told == [f"{name}: " for name in METHODS]


async def test_the_refused_yes_names_what_is_missing(office: Office) -> None:
    case_id = await filed(office)
    await attest(office, case_id, "id_document")
    await office.click(OWNER, case_id)
    (told,) = office.answers()
    assert (told["to"], told["sentence"], told["missing"]) == ("U0OWNER", "unverified", ["manager_callback"])


async def test_the_subject_is_informed_before_and_after_and_of_nothing_else(office: Office) -> None:
    case_id = await filed(office)
    for name in METHODS:
        await attest(office, case_id, name)
    await office.click(OWNER, case_id)
    await office.forward(31 * MINUTE)
    told = office.rows("SELECT purpose, data FROM outbox WHERE to_user = 'U0NOBODY' ORDER BY id")
    assert [(row["purpose"], row["data"]) for row in told] == [("subject_before", "{}"), ("subject_after", "{}")]


async def test_the_reference_is_nowhere_in_the_log(office: Office) -> None:
    case_id = await filed(office)
    await attest(office, case_id, "id_document")
    assert not [r for r in office.rows("SELECT data FROM log_entry") if b"4711" in r["data"]]


async def test_a_doubted_clock_opens_nothing_and_the_sweeper_waits(office: Office) -> None:
    case_id = await filed(office)
    for name in METHODS:
        await attest(office, case_id, name)
    await office.click(OWNER, case_id)
    office.clock.jumped = lambda: HOUR  # type: ignore[method-assign]
    await office.forward(40 * MINUTE)
    assert "grant.opened" not in office.types(case_id)
    (deadline,) = office.rows("SELECT due_ms FROM deadline")
    assert deadline["due_ms"] > office.clock.at.timestamp() * 1000
    office.clock.jumped = lambda: None  # type: ignore[method-assign]
    await office.forward(MINUTE)
    assert office.types(case_id)[-1] == "grant.opened"


async def test_what_nobody_opened_by_the_requests_end_expires_after_the_downtime(office: Office) -> None:
    case_id = await filed(office)
    for name in METHODS:
        await attest(office, case_id, name)
    await office.click(OWNER, case_id)
    office.sleep(4 * HOUR)
    await office.restart()
    await office.sweeper.sweep()
    assert office.types(case_id)[-1] == "request.expired"
    assert (await office.case(case_id)).grant is None


async def test_nobody_is_woken_by_a_stale_button_while_the_quorum_waits(office: Office) -> None:
    case_id = await filed(office)
    for name in METHODS:
        await attest(office, case_id, name)
    await office.click(OWNER, case_id)
    for person, deed in ((OWNER, "pass"), (PE1, "push")):
        await office.take_in(Press(person, case_id, 1, deed, ReplyAddress(person, channel="D0"), "now"))
        await office.worker.drain()
    assert office.types(case_id)[-2:] == ["decision.refused", "decision.refused"]
    assert (await office.case(case_id)).approval.asked == (OWNER,)
