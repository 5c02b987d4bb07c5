"""Who could say yes, and who at minute 0."""

from __future__ import annotations

from runbooks.rules.quorum_reach import DomainPeople, minute_zero, possible_approvers

OWNER = frozenset({"O"})
NOBODY: frozenset[str] = frozenset()


def around(deputies: str = "", on_call: str = "", risk: str = "") -> DomainPeople:
    return DomainPeople(OWNER, frozenset(deputies), frozenset(on_call), frozenset(risk))


def test_people_are_counted_once_however_often_they_are_named() -> None:
    assert possible_approvers(around("OD", "D", "O"), "DC") == 3


def test_minute_0_of_an_approval_is_owner_deputies_and_required_roles() -> None:
    assert minute_zero(around("D", "C", "R"), "approval", (), 2) == (1, 1)
    assert minute_zero(around("D", "C", "R"), "approval", (), 3) == (0, 1)
    assert minute_zero(around("D", "C", "R"), "approval", ("risk_owner",), 3) == (1, 1)
    assert minute_zero(around("", "C", "R"), "approval", (), 2) == (0, 1)


def test_minute_0_of_an_immediate_one_also_asks_on_call_one_person_at_a_time() -> None:
    assert minute_zero(around("D", "ABC"), "immediate", (), 3) == (3, 3)
    assert minute_zero(around("D", "ABC"), "immediate", (), 4) == (0, 3)
    assert minute_zero(around("D", "AD"), "immediate", (), 3) == (1, 2)


def test_each_required_role_takes_a_person_of_its_own_beside_the_owner_or_a_deputy() -> None:
    assert minute_zero(around("", "", "O"), "approval", ("risk_owner",), 2) == (0, 1)
    assert minute_zero(around("D", "", "O"), "approval", ("risk_owner",), 2) == (1, 1)
    assert minute_zero(around("D", "R", "R"), "approval", ("risk_owner", "on_call"), 3) == (0, 1)
    assert minute_zero(around("D", "C", "R"), "approval", ("risk_owner", "on_call"), 3) == (1, 1)
    assert minute_zero(around("", "", ""), "approval", ("owner",), 2) == (0, 1)
