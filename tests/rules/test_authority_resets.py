"""An engineer takes nobody's authority away alone: resets of people with authority, through the real service and store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.authority.policy_rollout import Sets
from bot.domain.case.lifecycle import RequestState
from bot.domain.policy.model import BreakGlass, Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.authority_reset import holds_authority
from bot.ports.commands import Press, ReplyAddress
from tests.bot.building import (
    AUDIT,
    DEP1,
    DIRECTORY,
    MACH,
    MDEP,
    MINUTE,
    ONC1,
    OWNER,
    PE1,
    RISK,
    STRANGER,
    T0,
    policy,
    runbook,
)
from tests.bot.office import Office

pytestmark = pytest.mark.both

ALONE = runbook(
    "unlock", kind="reset", right="autonomous", escalation=None, review_within=None, subject_verification=("callback",)
)
GLASS = runbook("glass", kind="reset", right="immediate", break_glass=BreakGlass(4 * 3600, None))
ASKED = runbook("mfa", kind="reset", domain="machines", escalation="short", review_within=None)
BASE = policy(runbooks=[ALONE, GLASS, ASKED])


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "countersign.db", BASE) as running:
        yield running


async def attest(office: Office, case_id: str) -> None:
    at = office.clock.now().isoformat()
    await office.take_in(Press(PE1, case_id, 1, "verify", ReplyAddress(PE1, channel="D0"), "call", "callback", at=at))
    await office.worker.drain()


async def suspensions(office: Office) -> list[Person | None]:
    return [m.subject for m in await office.store.cases.system_cases() if m.kind == "suspension"]


def plain(office: Office, person: Person) -> list[str]:
    return [str(a["text"]) for a in office.answers() if a["to"] == person.user and a["sentence"] == "plain"]


@pytest.mark.parametrize("subject", [OWNER, DEP1, RISK, ONC1, MACH, AUDIT])
async def test_an_autonomous_reset_of_somebody_with_authority_opens_nothing_before_a_yes(
    office: Office, subject: Person
) -> None:
    case_id = await office.file(PE1, "unlock", subject=subject)
    await attest(office, case_id)
    await office.forward(2 * MINUTE)
    assert await office.state(case_id) is RequestState.PENDING
    assert await suspensions(office) == []
    await office.forward(16 * MINUTE)
    decider = DEP1 if subject == OWNER else OWNER
    await office.click(decider, case_id)
    assert await office.state(case_id) is RequestState.APPROVED


async def test_a_reset_of_anybody_else_opens_alone_as_before(office: Office) -> None:
    case_id = await office.file(PE1, "unlock", subject=STRANGER)
    await attest(office, case_id)
    assert await office.state(case_id) is RequestState.OPENED


async def test_a_break_glass_reset_of_somebody_with_authority_asks_first(office: Office) -> None:
    other, theirs = await office.file(PE1, "glass"), await office.file(PE1, "glass", target="srv-2", subject=DEP1)
    assert await office.state(other) is RequestState.OPENED
    assert await office.state(theirs) is RequestState.PENDING
    assert "breakglass.opened" not in office.types(theirs)


async def test_one_engineer_suspends_nobody(office: Office) -> None:
    for number, person in enumerate((OWNER, DEP1, RISK)):
        await attest(office, await office.file(PE1, "unlock", target=f"srv-{number}", subject=person))
    assert await suspensions(office) == []


async def test_anyone_who_gains_authority_while_the_reset_waits_is_not_reset_alone(office: Office) -> None:
    case_id = await office.file(PE1, "unlock", subject=STRANGER)
    await office.adopt(replace(BASE, domains={**BASE.domains, "directory": replace(DIRECTORY, deputies=(STRANGER,))}))
    await attest(office, case_id)
    assert await office.state(case_id) is RequestState.PENDING
    assert "holds authority now" in plain(office, PE1)[-1]


async def test_the_ladder_of_the_domain_is_asked_where_there_is_one(office: Office) -> None:
    domain = replace(DIRECTORY, default_escalation="short")
    await office.adopt(replace(BASE, domains={**BASE.domains, "directory": domain}))
    case = await office.case(await office.file(PE1, "unlock", subject=DEP1))
    assert case.request.expires_at == T0 + 240 * MINUTE
    assert [step.role for step in case.approval.steps] == ["owner", "deputies"]


def alone(deputies: tuple[Person, ...]) -> Policy:
    """Nobody but the owner and these deputies could decide in the directory."""
    return replace(BASE, domains={**BASE.domains, "directory": replace(DIRECTORY, deputies=deputies, on_call=None)})


async def reset_of(office: Office, subject: Person) -> None:
    case_id = await office.file(PE1, "mfa", target=subject.user, subject=subject)
    await office.click(MACH, case_id)
    assert await office.state(case_id) is RequestState.APPROVED


async def test_the_last_person_able_to_decide_keeps_it_and_risk_owner_and_auditors_are_informed(office: Office) -> None:
    await office.adopt(alone((DEP1,)))
    office.service.current.sets = Sets(office.service.current.sets.sets[-1:])
    await reset_of(office, DEP1)
    assert await suspensions(office) == [DEP1]
    await reset_of(office, OWNER)
    assert await suspensions(office) == [DEP1]
    for person in (RISK, AUDIT):
        assert "is not suspended: nobody else could decide there" in plain(office, person)[-1]
    (spared,) = [entry for entry in office.log() if entry["type"] == "authority.spared"]
    assert (spared["data"]["subject"], spared["data"]["domain"]) == (OWNER, "directory")
    assert plain(office, OWNER) == []


async def test_somebody_else_on_call_is_enough_to_suspend_the_owner(office: Office) -> None:
    domain = replace(DIRECTORY, deputies=())
    await office.adopt(replace(BASE, domains={**BASE.domains, "directory": domain}))
    office.service.current.sets = Sets(office.service.current.sets.sets[-1:])
    await reset_of(office, OWNER)
    assert await suspensions(office) == [OWNER]


def test_who_holds_authority() -> None:
    assert all(holds_authority(BASE, person) for person in (OWNER, DEP1, RISK, ONC1, MDEP, AUDIT))
    assert not holds_authority(BASE, STRANGER)
