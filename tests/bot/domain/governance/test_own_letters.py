"""Everybody who is named has their letters, in each row of their domains, and nobody else has any."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.governance.own_letters import own_letters
from bot.domain.policy.governance import Narrowed
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from tests.bot.building import AUDIT, DEP1, LEAD, MACH, ONC1, OWNER, PE1, RISK, STRANGER, policy, runbook, with_domain

BASE = with_domain(
    policy(runbooks=[runbook("emergency"), runbook("double", approvals=2, requires=("risk_owner",)),
                     runbook("unlock", right="autonomous", sha256="aa"), runbook("other", domain="machines")]),
    evidence_owner=MACH,
)  # fmt: skip


def letters(base: Policy, person: Person) -> dict[str, tuple[str, ...]]:
    return {row.runbook.id: row.letters for row in own_letters(base, person) if row.domain.id == "directory"}


@pytest.mark.parametrize(
    ("person", "emergency", "double"),
    [
        (OWNER, ("A, answers for it",), ("A, answers for it",)),
        (DEP1, ("R, decides once reached",), ("R, decides once reached",)),
        (ONC1, ("R, decides once reached",), ("R, decides once reached",)),
        (
            RISK,
            ("A, answers for the residual risk", "R, decides once reached"),
            ("A, answers for the residual risk", "R, has to say yes"),
        ),
        (MACH, ("A, answers for the evidence",), ("A, answers for the evidence",)),
        (PE1, ("R, asks and executes",), ("R, asks and executes",)),
        (LEAD, ("C, advises",), ("C, advises",)),
    ],
)
def test_each_role_has_its_letters(person: Person, emergency: tuple[str, ...], double: tuple[str, ...]) -> None:
    found = letters(BASE, person)
    assert (found["emergency"], found["double"]) == (emergency, double)


@pytest.mark.parametrize("person", [STRANGER, AUDIT])
def test_who_has_no_part_has_no_row(person: Person) -> None:
    assert list(own_letters(BASE, person)) == []


def test_a_narrowed_right_is_among_what_needs_authorisation() -> None:
    since = datetime(2026, 3, 2, tzinfo=UTC)
    narrow = Narrowed("autonomous", "unlock", "directory", "narrow", own=True, row="", sha256="aa", since=since)
    taken = replace(BASE, standing=replace(BASE.standing, narrowed=frozenset({narrow})))
    assert {row.runbook.id: row.column for row in own_letters(BASE, OWNER)}["unlock"] == "by_itself"
    assert {row.runbook.id: row.column for row in own_letters(taken, OWNER)}["unlock"] == "with_authorisation"
