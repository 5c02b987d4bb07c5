"""Owners by date: who owns a domain on which day, and what dates are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from bot.domain.policy.model import Policy
from runbooks.loader import load_files
from tests.rules.test_policy_faults import M

Changed = Callable[[str, str, str], tuple[dict[str, bytes], int]]
TERMS = "owner: [{person: olga, until: 2026-12-31}, {person: U0INES, from: 2027-01-01%s}]"


def loaded(changed: Changed, owner: str, today: date | None = None) -> Policy:
    files, _ = changed(M, "owner: olga", owner)
    found = load_files(files, today=today)
    assert found.policy is not None, found.errors
    return found.policy


@pytest.mark.parametrize(
    ("day", "owner", "vacant"),
    [
        (date(2026, 12, 31), "U0OWNER", False),
        (date(2027, 1, 1), "U0INES", False),
        (date(2027, 6, 30), "U0INES", False),
        (date(2027, 7, 1), "U0RISK", True),
    ],
)
def test_the_owner_is_the_one_of_the_day_and_the_risk_owner_where_there_is_none(
    changed: Changed, day: date, owner: str, vacant: bool
) -> None:
    policy = loaded(changed, TERMS % ", until: 2027-06-30")
    domain = policy.on(day).domains["directory"]
    assert (domain.owner.user, domain.vacant) == (owner, vacant)
    assert loaded(changed, TERMS % ", until: 2027-06-30", today=day).domains["directory"] == domain


def test_a_policy_without_dated_owners_is_the_same_on_every_day(changed: Changed) -> None:
    policy = loaded(changed, "owner: olga")
    assert policy.on(date(2030, 1, 1)) is policy


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        ("owner: []", "name at least one"),
        (
            "owner: [{person: olga, until: 2026-12-31}, {person: U0INES, from: 2027-01-02}]",
            "nobody owns .*from: 2027-01-01",
        ),
        (
            "owner: [{person: olga, until: 2026-12-31}, {person: U0INES, from: 2026-12-31}]",
            "two people own .*from: 2027-01-01",
        ),
        ("owner: [{person: olga}, {person: U0INES, from: 2027-01-01}]", "overlap: write `until`"),
        ("owner: [{person: olga, from: 2027-01-02, until: 2027-01-01}]", "correct one of the two"),
        ("owner: [{person: U0PE1}]", "nobody of a provider decides"),
        ("owner: [{person: olga, since: 2027-01-01}]", "`since` .*remove it or use one of"),
        ("owner: 7", "must be text"),
    ],
)
def test_dates_that_leave_a_gap_or_overlap_are_refused_at_their_line(changed: Changed, owner: str, words: str) -> None:
    files, line = changed(M, "owner: olga", owner)
    found = load_files(files)
    assert found.policy is None
    assert [f.line for f in found.errors] == [line]
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found.errors[0].text)


def test_a_domain_that_ends_without_an_owner_needs_a_risk_owner(changed: Changed) -> None:
    files, _ = changed(M, "owner: U0MACH", "owner: [{person: U0MACH, until: 2027-06-30}]")
    assert "or a `risk_owner` who then answers" in load_files(files).errors[0].text
