"""A change of shift while a question is open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.workflow.timeline import explain
from bot.domain.workflow.timers import sweep, wake_at
from tests.bot.building import (
    HERE,
    HOUR,
    MINUTE,
    ONC1,
    ONC2,
    SECURITY,
    T0,
    after,
    asked,
    away,
    case_of,
    policy,
    types,
)  # fmt: skip

NOON = T0 + 3 * HOUR  # when the small organisation changes shifts
FILED = NOON - 20 * MINUTE


def escalated(base: Policy) -> Case:
    """Asked before noon, its on-call step fired ten minutes later."""
    return after(sweep(case_of(base, at=FILED), base, HERE, FILED + 10 * MINUTE, 0))


def test_the_next_one_on_call_is_asked_at_the_change_and_the_first_keeps_the_question() -> None:
    case = escalated(policy())
    assert ONC1 in asked(case)
    act = sweep(case, policy(), HERE, NOON, 0)
    assert act is not None
    handed = act.entries[-1]
    assert (handed.type, handed.data["action"], handed.data["to"], handed.data["step"]) == (
        "step.fired",
        "handover",
        (ONC2,),
        3,
    )
    assert [say.to for say in act.says if say.purpose == "card"][-1] == ONC2
    assert {ONC1, ONC2} <= set(asked(after(act)))
    assert "handover" not in [e.data.get("action") for e in sweep(after(act), policy(), HERE, NOON + MINUTE, 0).entries]  # type: ignore[union-attr]


def test_the_sweeper_looks_again_at_the_change_of_shift() -> None:
    case = after(sweep(escalated(policy()), policy(), HERE, FILED + 15 * MINUTE, 0))
    assert wake_at(case, policy(), FILED + 15 * MINUTE) == NOON
    assert wake_at(case, policy(), NOON) == case.approval.warn_at


def test_before_on_call_was_asked_a_change_of_shift_asks_nobody() -> None:
    case = case_of(policy(), at=NOON - 4 * MINUTE)
    act = sweep(case, policy(), HERE, NOON, 0)
    assert types(act) == ["step.skipped"]  # the reminder came too late; nothing else
    assert ONC2 not in asked(after(act))


@pytest.mark.parametrize("why", ["absent", "deactivated"])
def test_who_is_not_there_is_not_asked_at_the_change(why: str) -> None:
    act = sweep(escalated(policy()), policy(), away(U0ONC2=why), NOON, 0)  # type: ignore[arg-type]
    assert ONC2 not in asked(after(act))


@pytest.mark.parametrize("why", ["absent", "deactivated", "undeliverable"])
def test_a_skipped_on_call_step_is_handed_to_anyone_who_comes_on_shift(why: str) -> None:
    base, gone = policy(rotas=[replace(SECURITY, page="env:PAGE")]), away(U0ONC1=why)  # type: ignore[arg-type]
    case = after(sweep(case_of(base, at=FILED), base, gone, FILED + 10 * MINUTE, 0))
    assert ONC1 not in asked(case)
    assert [s.state for s in case.approval.steps if s.role == "on_call"] == ["skipped"]
    assert wake_at(case, base, FILED + 15 * MINUTE) == NOON
    act = sweep(case, base, gone, NOON, 0)
    assert (act.entries[-1].data["action"], act.entries[-1].data["to"]) == ("handover", (ONC2,))  # type: ignore[union-attr]
    [paged] = [r for r in after(act).approval.reached if r.person == ONC2]
    assert paged.paged


def test_a_step_that_found_an_empty_rota_is_handed_over_when_a_shift_begins() -> None:
    from_noon = policy(rotas=[replace(SECURITY, shifts=SECURITY.shifts[1:], fallback=None)])
    case = after(sweep(case_of(from_noon, at=FILED), from_noon, HERE, FILED + 10 * MINUTE, 0))
    assert ONC2 not in asked(case)
    assert ONC2 in asked(after(sweep(case, from_noon, HERE, NOON, 0)))


def test_a_skipped_step_is_handed_to_nobody_before_the_shift_changes() -> None:
    case = after(sweep(case_of(policy(), at=FILED), policy(), away(U0ONC1="absent"), FILED + 10 * MINUTE, 0))
    assert ONC1 not in asked(after(sweep(case, policy(), HERE, FILED + 12 * MINUTE, 0)))


def test_without_a_change_nobody_is_handed_anything() -> None:
    whole_day = replace(SECURITY.shifts[0], end=1440)
    base = policy(rotas=[replace(SECURITY, shifts=(whole_day,))])
    act = sweep(escalated(base), base, HERE, NOON, 0)
    assert ONC2 not in asked(after(act))


def test_a_feed_that_changed_its_mind_hands_over_although_it_never_changes_shifts_now() -> None:
    case = escalated(policy())
    rewritten = policy(rotas=[replace(SECURITY, shifts=(replace(SECURITY.shifts[1], start=0),))])
    act = sweep(case, rewritten, HERE, FILED + 11 * MINUTE, 0)
    assert [say.to for say in act.says if say.purpose == "card"] == [ONC2]  # type: ignore[union-attr]
    back = sweep(after(act), policy(), HERE, FILED + 12 * MINUTE, 0)
    assert types(back) == []  # the first one on call has the question still


def test_explain_draws_the_change_too() -> None:
    told = explain(policy(), policy().runbooks["emergency"], FILED, HERE)
    assert [m.people for m in told.moments if m.at == NOON] == [(ONC2,)]
