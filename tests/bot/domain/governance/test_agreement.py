"""Rows, digests, what a change gives, and what counts until it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.governance import agreement
from bot.domain.governance.agreement import Spoken, Standing, adopted, as_counted, due_rows, gives, matrix_rows
from bot.domain.policy.governance import Agreement
from bot.domain.policy.model import BreakGlass, FieldSpec, Limit, Policy
from tests.bot.building import (
    DAY,
    DEP2,
    HOUR,
    LEAD,
    MACH,
    NORTHGATE,
    OWNER,
    PE1,
    RISK,
    T0,
    policy,
    runbook,
    with_domain,
)

RULES = Agreement(365 * 86400, 30 * 86400, "hold")
BASE = policy(
    agreement=RULES, runbooks=[runbook("one"), runbook("two", requires=("risk_owner",), approvals=2)], digest="base"
)


def with_one(base: Policy = BASE, **changes: Any) -> Policy:
    return replace(base, runbooks={**base.runbooks, "one": replace(base.runbooks["one"], **changes)}, digest="new")


def standings(base: Policy = BASE, **changes: Any) -> dict[str, Standing]:
    """Everything agreed under `base`."""
    return {
        row.key: Standing(
            row.key, row.domain, row.digest, base.digest, **{"open": False, "since": T0, "agreed_at": T0, **changes}
        )
        for row in matrix_rows(base).values()
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"right": "immediate"}, {"kind": "reset"}, {"approvals": 3}, {"requires": ("deputies",)}, {"max_duration": 1},
        {"default_duration": 1}, {"rotate_within": 1}, {"not_before": 1}, {"review_within": 1}, {"review_every": 1},
        {"break_glass": BreakGlass(60, Limit(1, 60))}, {"providers": ("northgate",)}, {"escalation": "short"}, {"limit": Limit(1, 60)},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_agreed_changes_the_digest(changes: dict[str, Any]) -> None:
    assert matrix_rows(with_one(**changes))["one"].digest != matrix_rows(BASE)["one"].digest


@pytest.mark.parametrize(
    "changes", [{"body": "new"}, {"title": "new"}, {"sha256": "new"}, {"fields": (FieldSpec("a", "A", "text", hint="b"),)}, {"tell": "each"}], ids=str
)  # fmt: skip
def test_texts_and_hints_do_not(changes: dict[str, Any]) -> None:
    assert matrix_rows(with_one(**changes))["one"] == matrix_rows(BASE)["one"]


def test_people_of_domain_and_provider_are_part_of_a_row_and_pages_are_not() -> None:
    before = matrix_rows(BASE)["one"].digest
    assert matrix_rows(with_domain(BASE, deputies=(DEP2,)))["one"].digest != before
    fewer = replace(NORTHGATE, requesters=NORTHGATE.requesters[:1])
    assert matrix_rows(replace(BASE, providers={**BASE.providers, "northgate": fewer}))["one"].digest != before
    paged = replace(BASE.rotas["security"], page="env:X")
    assert matrix_rows(replace(BASE, rotas={"security": paged}))["one"].digest == before


def test_a_risk_statement_is_a_row_of_its_own_to_which_the_risk_owner_agrees_too() -> None:
    stated = with_domain(BASE, risk_statement="Two remain.")
    row = matrix_rows(stated)["domain:directory"]
    assert agreement.agreeing(stated, row) == ((OWNER, "owner"), (RISK, "risk_owner"))
    assert "domain:directory" not in matrix_rows(BASE)


def test_the_risk_owner_agrees_where_the_row_requires_them() -> None:
    rows = matrix_rows(BASE)
    assert [p for p, _ in agreement.agreeing(BASE, rows["one"])] == [OWNER]
    assert [p for p, _ in agreement.agreeing(BASE, rows["two"])] == [OWNER, RISK]


def test_who_may_answer() -> None:
    row = matrix_rows(BASE)["one"]
    found = [agreement.role_in(BASE, row, person) for person in (OWNER, LEAD, PE1, MACH, RISK)]
    assert found == ["owner", "lead", None, None, None]


@pytest.mark.parametrize(
    ("changes", "more"), [({"max_duration": 8 * 3600}, True), ({"max_duration": 3600}, False), ({"approvals": 2}, False)]
)
def test_what_a_change_gives(changes: dict[str, Any], more: bool) -> None:
    new = with_one(**changes)
    assert gives(BASE, new, matrix_rows(new)["one"]) is more


def test_a_new_deputy_gives_and_one_less_does_not() -> None:
    fewer = with_domain(BASE, deputies=(DEP2,))
    assert gives(fewer, BASE, matrix_rows(BASE)["one"])
    only_last_less = with_domain(BASE, deputies=BASE.domains["directory"].deputies[:1])
    assert not gives(BASE, only_last_less, matrix_rows(only_last_less)["one"])


class TestWhatIsNoted:
    def test_a_very_first_load_counts_nothing(self) -> None:
        found = {s.key: s for s in adopted(None, BASE, {}, T0)}
        assert {(s.open, s.base) for s in found.values()} == {(True, "")}

    def test_what_was_in_force_before_the_agreement_holds_nothing(self) -> None:
        found = adopted(replace(BASE, agreement=None, digest="old"), BASE, {}, T0)
        assert {(s.open, s.base) for s in found} == {(True, "base")}

    def test_what_came_with_the_agreement_counts_as_it_was(self) -> None:
        old = replace(BASE, agreement=None, digest="old")
        (one, two) = adopted(old, with_one(max_duration=8 * 3600), {}, T0)
        assert (one.key, one.open, one.base) == ("one", True, "old")
        assert (two.base, two.open) == ("new", True)

    def test_a_change_that_only_takes_away_stays_agreed(self) -> None:
        (one, _) = adopted(BASE, with_one(max_duration=3600), standings(), T0 + DAY)
        assert (one.open, one.base, one.digest) == (False, "new", matrix_rows(with_one(max_duration=3600))["one"].digest)

    def test_one_that_gives_is_open_and_counts_as_it_was_agreed(self) -> None:
        (one, two) = adopted(BASE, with_one(max_duration=8 * 3600), standings(), T0 + DAY)
        assert (one.open, one.base, one.since) == (True, "base", T0 + DAY)
        assert (two.open, two.base) == (False, "base")

    def test_a_second_change_before_an_answer_keeps_what_was_agreed(self) -> None:
        first = with_one(max_duration=8 * 3600)
        known = {s.key: s for s in adopted(BASE, first, standings(), T0)}
        second = replace(with_one(max_duration=12 * 3600), digest="second")
        (one, _) = adopted(first, second, known, T0 + HOUR)
        assert (one.open, one.base, one.since) == (True, "base", T0)

    def test_back_to_less_while_open_is_still_open(self) -> None:
        first = with_one(max_duration=8 * 3600)
        known = {s.key: s for s in adopted(BASE, first, standings(), T0)}
        (one, _) = adopted(first, replace(BASE, digest="back"), known, T0)
        assert (one.open, one.base) == (True, "base")

    def test_a_state_that_was_not_noted_in_step_is_never_taken_for_agreed(self) -> None:
        new = with_one(max_duration=8 * 3600)
        (one, _) = adopted(new, new, standings(), T0)
        assert (one.open, one.base) == (True, "base")


class TestWhatCounts:
    def test_what_is_held_is_the_stricter_of_both(self) -> None:
        held = as_counted(with_one(max_duration=8 * 3600, approvals=2), {"one": BASE}, []).runbooks["one"]
        assert (held.max_duration, held.approvals) == (4 * 3600, 2)

    def test_a_new_requester_waits(self) -> None:
        fewer = replace(NORTHGATE, requesters=NORTHGATE.requesters[:1])
        old = replace(BASE, providers={**BASE.providers, "northgate": fewer})
        held = as_counted(BASE, {"one": old}, [])
        assert held.providers["northgate"].requesters == fewer.requesters
        assert held.provider_of(PE1) is not None

    def test_a_new_emergency_can_be_asked_for_by_a_provider_that_is_agreed_and_opens_nothing_alone(self) -> None:
        new = replace(
            BASE, runbooks={**BASE.runbooks, "fire": runbook("fire", right="immediate", break_glass=BreakGlass(60, None))}
        )
        held = as_counted(new, {"fire": None}, []).runbooks["fire"]
        assert (held.providers, held.break_glass) == (("northgate", "watchfield"), None)

    def test_a_new_reset_and_a_new_provider_wait(self) -> None:
        new = replace(BASE, runbooks={**BASE.runbooks, "more": runbook("more", kind="reset")})
        assert as_counted(new, {"more": None}, []).runbooks["more"].providers == ()
        everything = dict.fromkeys(BASE.runbooks, None)
        assert all(r.providers == () for r in as_counted(BASE, everything, []).runbooks.values())

    def test_a_new_provider_waits_also_where_it_joins_what_counted(self) -> None:
        alone = replace(BASE, runbooks={"one": replace(BASE.runbooks["one"], providers=("northgate",))})
        fire = runbook("fire", right="immediate")
        new = replace(BASE, runbooks={"one": BASE.runbooks["one"], "fire": fire})
        held = as_counted(new, {"one": alone, "fire": None}, [])
        assert held.runbooks["one"].providers == held.runbooks["fire"].providers == ("northgate",)

    def test_where_it_is_not_known_what_counted_an_emergency_is_asked_for_a_yes(self) -> None:
        glass = with_one(right="immediate", break_glass=BreakGlass(60, None))
        held = as_counted(glass, dict.fromkeys(("one", "two"), agreement.with_a_yes(glass)), []).runbooks["one"]
        assert (held.providers, held.break_glass) == (glass.runbooks["one"].providers, None)

    def test_a_dispute_leaves_nothing_without_a_yes(self) -> None:
        alone = with_one(right="autonomous", escalation=None, limit=None)
        narrowed = as_counted(alone, {}, ["one"]).runbooks["one"]
        assert (narrowed.right, narrowed.escalation) == ("approval", "urgent")
        glass = with_one(right="immediate", break_glass=BreakGlass(60, None))
        narrowed = as_counted(glass, {}, ["one"]).runbooks["one"]
        assert (narrowed.right, narrowed.break_glass, narrowed.providers) == (
            "immediate",
            None,
            glass.runbooks["one"].providers,
        )


class TestWords:
    def test_a_row_is_agreed_once_everybody_has_confirmed_and_nobody_disputes(self) -> None:
        row = matrix_rows(BASE)["two"]
        owner = Spoken("two", row.digest, OWNER, "owner", "confirmed", T0)
        risk = Spoken("two", row.digest, RISK, "risk_owner", "confirmed", T0)
        assert not agreement.is_agreed(BASE, row, [owner])
        assert agreement.is_agreed(BASE, row, [owner, risk])
        assert not agreement.is_agreed(BASE, row, [owner, replace(risk, word="disputed")])
        assert not agreement.is_agreed(BASE, row, [owner, risk], since=T0 + HOUR)
        assert not agreement.is_agreed(BASE, row, [owner, replace(risk, digest="other")])

    def test_a_leads_dispute_blocks_nothing(self) -> None:
        row = matrix_rows(BASE)["one"]
        owner = Spoken("one", row.digest, OWNER, "owner", "confirmed", T0)
        lead = Spoken("one", row.digest, LEAD, "lead", "disputed", T0)
        assert agreement.is_agreed(BASE, row, [owner, lead])
        assert not agreement.disputed([lead], row)


class TestWhenSomebodyIsAsked:
    def asked(self, rows: dict[str, Standing], at: timedelta, scale: float = 1) -> list[str]:
        return [s.key for s in due_rows(BASE, rows.values(), T0 + at, scale)]

    def test_a_first_load_asks_at_once(self) -> None:
        assert self.asked(standings(open=True, agreed_at=None), timedelta()) == ["one", "two"]

    def test_changes_gather_a_day_of_policy_time(self) -> None:
        rows = {**standings(), "one": replace(standings()["one"], open=True)}
        assert self.asked(rows, DAY - timedelta(seconds=1)) == []
        assert self.asked(rows, DAY) == ["one"]
        assert self.asked(rows, DAY / 10, scale=10) == ["one"]

    def test_what_gathered_first_takes_the_others_with_it(self) -> None:
        late = replace(standings()["two"], open=True, since=T0 + 20 * HOUR)
        assert self.asked({"one": replace(standings()["one"], open=True), "two": late}, DAY) == ["one", "two"]

    def test_an_agreed_row_is_asked_about_again_when_its_time_is_over(self) -> None:
        assert self.asked(standings(), 364 * DAY) == []
        assert self.asked(standings(), 365 * DAY) == ["one", "two"]
        assert self.asked(standings(asked_at=T0 + 365 * DAY), 366 * DAY) == []

    def test_without_the_key_nobody_is_asked(self) -> None:
        assert list(due_rows(replace(BASE, agreement=None), standings(open=True).values(), T0 + DAY, 1)) == []
