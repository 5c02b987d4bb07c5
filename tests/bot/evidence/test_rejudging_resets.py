"""What the log says of a reset, judged again by the policy files it names."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.acts import Beside, Reply
from bot.domain.audit_decisions import Rejudge
from bot.domain.people import Person
from bot.domain.policy import Policy
from tests.bot.building import HOME, HOUR, OWNER, PE1, STRANGER, T0, policy, runbook
from tests.bot.office import Office

Entries = list[dict[str, Any]]
METHODS = ("manager_callback", "id_document")
RESET = runbook(
    "mfa", kind="reset", subject_verification=METHODS, not_before=1800, escalation="short", review_within=None
)  # fmt: skip
BASE = policy(runbooks=[RESET])


@pytest.fixture
async def entries(tmp_path: Path) -> Entries:
    """The log of one reset that was attested, approved, cooled off and opened; people as `TEAM/USER`."""
    async with Office(tmp_path / "countersign.db", BASE) as office:
        case_id = await office.file(PE1, "mfa", subject=STRANGER)
        for name in METHODS:
            word = Beside(PE1, case_id, 1, "verify", Reply(PE1), "call 4711", name, at=T0.isoformat())
            await office.take_in(word)
            await office.worker.drain()
        await office.click(OWNER, case_id)
        await office.forward(HOUR)
        return [_told(entry) for entry in office.log(case_id)]


def _told(value: Any) -> Any:
    if isinstance(value, Person):
        return str(value)
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items()}
    return [_told(inner) for inner in value] if isinstance(value, list) else value


def findings(entries: Entries, under: Policy = BASE) -> list[str]:
    people = {str(Person(HOME, user)): str(Person(HOME, user)) for user in ("U0OWNER", "U0PE1", "U0NOBODY")}
    judge = Rejudge(lambda digest: under, people)
    return [f.text for entry in entries for f in judge.findings(entry["i"], entry)]


def of_type(entries: Entries, kind: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["type"] == kind)


def a_yes_before_the_proof(entries: Entries) -> None:
    entries.remove(of_type(entries, "subject.verified"))


def a_yes_of_the_subject(entries: Entries) -> None:
    of_type(entries, "request.filed")["data"]["subject"] = str(OWNER)


def a_grant_before_its_time(entries: Entries) -> None:
    of_type(entries, "grant.opened")["ts"] = "2026-03-04T09:29:59.999Z"


def test_an_honest_reset_has_no_findings(entries: Entries) -> None:
    assert "subject.verified" in {entry["type"] for entry in entries}
    assert findings(entries) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (a_yes_before_the_proof, "a yes before manager_callback was attested"),
        (a_yes_of_the_subject, "request.approved by the subject"),
        (a_grant_before_its_time, "it opened before 2026-03-04T09:30:00.000Z"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_what_the_policy_does_not_allow_is_named(entries: Entries, change: Callable[[Entries], None], said: str) -> None:
    forged = copy.deepcopy(entries)
    change(forged)
    found = findings(forged)
    assert [text for text in found if said in text], found
