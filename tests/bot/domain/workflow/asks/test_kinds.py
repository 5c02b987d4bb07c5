"""Every kind of ask is one row of the table."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from bot.domain.case.ask import OWN, Ask, AskKind, Reached, Step
from bot.domain.case.click import Click, Rejected
from bot.domain.case.model import Case
from bot.domain.decision_log.verify.case_order import TYPES
from bot.domain.policy.people import Person
from bot.domain.workflow.asks import engine
from bot.domain.workflow.asks.kinds import KINDS
from tests.bot.building import DEP2, HOUR, MINUTE, OWNER, RISK, T0, after, case_of, click, decide, policy, profile, types

BASE = policy()


def with_ask(kind: AskKind) -> tuple[Case, Ask]:
    if kind in OWN:
        case = case_of(BASE)
        return case, case.approval
    case = after(decide(case_of(BASE), BASE, click(OWNER), profile(OWNER), T0))
    case = replace(case, request=replace(case.request, subject=DEP2))
    steps, reached = (Step(0, "notify", "risk_owner", T0, state="fired"),), (Reached(RISK, "risk_owner", 0, T0),)
    ask = Ask(kind, 2, 1, (), T0, T0 + 2 * HOUR, steps=steps, reached=reached, seconds=60, due_at=T0 + HOUR)
    return case.with_ask(ask), ask


def presser(kind: AskKind) -> Person:
    """Not the only approver, who reviews nothing."""
    return OWNER if kind in OWN else RISK


def test_every_kind_has_a_row() -> None:
    assert set(KINDS) == set(get_args(AskKind))


def test_every_entry_that_a_row_names_is_a_type_of_the_log() -> None:
    assert {word for rules in KINDS.values() for word in (rules.begins, rules.overdue) if word} <= TYPES


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in OWN])
def test_a_button_that_the_kind_does_not_take_changes_nothing(kind: AskKind) -> None:
    case, ask = with_ask(kind)
    foreign = {action for rules in KINDS.values() for action in (*rules.answers, *rules.forms)} - set(KINDS[kind].answers)
    assert foreign
    for action in foreign:
        pressed = Click(RISK, action, 2, {})
        assert isinstance(engine.judge(case, ask, BASE, pressed, profile(RISK), T0 + MINUTE), Rejected)
        act = engine.answer(case, ask, BASE, pressed, profile(RISK), T0 + MINUTE)
        assert (act.after, types(act), act.entries[0].data["why"]) == (None, ["decision.refused"], "stale")


@pytest.mark.parametrize("action", ["less", "question"])
def test_a_button_that_opens_a_form_is_judged_and_answers_nothing(action: str) -> None:
    case, pressed = case_of(BASE), Click(OWNER, action, 1, {})
    assert engine.judge(case, case.approval, BASE, pressed, profile(OWNER), T0).roles == ("owner",)
    assert types(engine.answer(case, case.approval, BASE, pressed, profile(OWNER), T0)) == ["decision.refused"]


def test_what_gives_must_be_allowed_by_the_sets_that_still_bind_and_a_no_need_not() -> None:
    elsewhere = replace(BASE, domains={})
    for kind in (kind for kind in KINDS if kind != "finding"):  # a finding is a case of its own, and gives nothing
        case, ask = with_ask(kind)
        for action, answer in KINDS[kind].answers.items():
            person = presser(kind)
            act = engine.answer(case, ask, BASE, Click(person, action, ask.version, {}), profile(person), T0, (elsewhere,))
            assert (act.after is None) == answer.gives, (kind, action)


def test_what_opens_prolongs_or_restores_gives() -> None:
    giving = {(kind, action) for kind, rules in KINDS.items() for action, answer in rules.answers.items() if answer.gives}
    assert giving == {
        ("approval", "approve"),
        ("extension", "approve"),
        ("renewal", "approve"),
        ("restore", "restore"),
        ("lift", "lift"),
    }
