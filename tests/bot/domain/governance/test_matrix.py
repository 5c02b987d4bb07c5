"""The letters of the matrix: one A an activity, never a provider's; who is once reached, required, or answers for nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.domain.governance.matrix import Consent, Holder, Row, column_of, rows
from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Policy
from tests.bot.building import DEP1, DEP2, MACH, ONC1, ONC2, OWNER, RISK, T0, policy, runbook, with_domain

NAMES = ["Ask", "Execute", "Decide", "Evidence", "Review", "Residual risk"]


def row(base: Policy, id_: str) -> Row:
    runbook = base.runbooks[id_]
    return next(r for r in rows(base, base.domains[runbook.domain]) if r.runbook == runbook)


def every(base: Policy) -> list[Row]:
    return [r for domain in base.domains.values() for r in rows(base, domain)]


def line(found: Row, name: str) -> tuple[set[Holder], Holder, set[Holder]]:
    activity = next(a for a in found.activities if a.name == name)
    return set(activity.responsible), activity.accountable, set(activity.consulted)


def test_every_activity_of_every_runbook_has_one_accountable_person_of_no_provider(example: Policy) -> None:
    for base in (policy(), example):
        found = every(base)
        assert {r.runbook.id for r in found} == set(base.runbooks)
        for each in found:
            assert [a.name for a in each.activities] == NAMES
            for activity in each.activities:
                person = activity.accountable.person
                assert person is not None
                assert base.provider_of(person) is None


def test_the_letters_are_those_of_the_contract() -> None:
    found = row(policy(), "emergency")
    owner = Holder("owner", OWNER)
    askers = {Holder("requester", provider="northgate"), Holder("requester", provider="watchfield")}
    assert line(found, "Ask") == line(found, "Execute") == (askers, owner, set())
    reached = {
        *(Holder("deputy", p, when="once reached") for p in (DEP1, DEP2)),
        *(Holder("on-call", p, when="once reached") for p in (ONC1, ONC2)),
        Holder("risk owner", RISK, when="once reached"),
    }
    leads = {Holder("lead", provider="northgate"), Holder("lead", provider="watchfield")}
    assert line(found, "Decide") == (reached, owner, leads)
    assert line(found, "Evidence") == (askers, owner, set())
    assert line(found, "Review") == (set(), owner, set())
    assert line(found, "Residual risk") == (set(), Holder("risk owner", RISK), set())
    assert found.channel == "C0DIRECTORY"


def test_what_the_owner_alone_approved_is_reviewed_by_the_risk_owner() -> None:
    review = next(a for a in row(policy(), "emergency").activities if a.name == "Review")
    assert review.instead == Holder("risk owner", RISK, when="what the owner alone approved")
    without = next(a for a in row(policy(), "token").activities if a.name == "Review")
    assert without.instead is None


def test_a_required_role_decides_beside_the_owner() -> None:
    responsible, _, _ = line(row(policy(), "double"), "Decide")
    assert Holder("risk owner", RISK, when="required beside") in responsible
    assert Holder("deputy", DEP1, when="once reached") in responsible


def test_the_evidence_owner_answers_for_evidence() -> None:
    base = with_domain(policy(), evidence_owner=DEP2)
    assert line(row(base, "emergency"), "Evidence")[1] == Holder("evidence owner", DEP2)


def test_without_a_risk_owner_the_owner_answers_for_what_remains() -> None:
    assert line(row(policy(), "token"), "Residual risk")[1] == Holder("owner", MACH)


def test_in_a_vacant_domain_the_risk_owner_answers() -> None:
    dated = with_domain(policy(), terms=(OwnerTerm(OWNER, None, date(2026, 12, 31)),))
    gone = row(dated.on(date(2027, 1, 1)), "emergency")
    assert line(gone, "Ask")[1] == Holder("risk owner", RISK, when="VACANT")
    assert all(h.person != RISK for h in line(gone, "Decide")[0])
    assert line(row(dated.on(date(2026, 12, 31)), "emergency"), "Ask")[1] == Holder("owner", OWNER)


@pytest.mark.parametrize(
    ("id_", "column"),
    [
        ("unlock", "by_itself"),
        ("emergency", "with_authorisation"),
        ("contain", "must_escalate"),
        ("glass", "must_escalate"),
    ],
)
def test_a_runbook_is_in_one_of_three_columns(id_: str, column: str) -> None:
    assert row(policy(), id_).column == column


def test_what_asks_for_no_access_must_be_escalated_whatever_its_right() -> None:
    assert column_of(runbook("leak", kind="finding")) == "must_escalate"


def test_consent_belongs_to_what_a_provider_does_by_itself() -> None:
    base = policy(runbooks=[runbook("unlock", right="autonomous", sha256="aa"), runbook("other", sha256="bb")])
    consent = Consent(OWNER)
    found = {r.runbook.id: r.consent for r in rows(base, base.domains["directory"], {"aa": consent, "bb": consent})}
    assert found == {"unlock": consent, "other": None}


@pytest.mark.parametrize(("refused", "column"), [(False, "with_authorisation"), (True, "by_itself")])
def test_a_right_that_a_review_narrowed_is_among_what_needs_authorisation(*, refused: bool, column: str) -> None:
    base = policy(runbooks=[runbook("unlock", right="autonomous", sha256="aa")])
    (found,) = rows(base, base.domains["directory"], {"aa": Consent(taken_at=T0, refused=refused)})
    assert found.column == column


def test_a_provider_without_leads_is_not_consulted() -> None:
    base = policy()
    alone = replace(base.providers["northgate"], leads=())
    found = row(replace(base, providers={**base.providers, "northgate": alone}), "emergency")
    assert line(found, "Decide")[2] == {Holder("lead", provider="watchfield")}
