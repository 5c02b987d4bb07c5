"""Break-glass: open at once, asked of everybody, and a debt until somebody ratifies it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.case.click import Click
from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import BreakGlass, Limit
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.approval import withdraw
from bot.domain.workflow.asks.engine import answer
from bot.domain.workflow.break_glass import debt
from bot.domain.workflow.grant_end import give_back
from bot.domain.workflow.timers import sweep
from tests.bot.building import (
    AUDIT,
    DEP1,
    DEP2,
    FIRST_TIME,
    HERE,
    HOUR,
    LEAD,
    MINUTE,
    ONC1,
    OWNER,
    PE1,
    RISK,
    SOC1,
    T0,
    after,
    case_of,
    click,
    decide,
    filing_of,
    policy,
    profile,
    runbook,
    said,
    types,
)  # fmt: skip

GLASS = runbook("glass", right="immediate", break_glass=BreakGlass(4 * 3600, Limit(2, 30 * 86400)))
BASE = policy(runbooks=[GLASS])


def broken() -> Case:
    return case_of(BASE, "glass")


def says(case: Case, person: Person, action: str, at: object = T0 + MINUTE, reason: str = "") -> Transition:
    pressed = Click(person, action, 1, {}, reason)
    return answer(case, case.asks[0], BASE, pressed, profile(person), at)  # type: ignore[arg-type]


def test_it_opens_at_the_filing_and_everybody_is_asked_and_informed() -> None:
    act = filing_of(BASE, "glass")
    case = after(act)
    assert (case.request.state, case.grant.state) == (RequestState.OPENED, GrantState.OPEN)  # type: ignore[union-attr]
    assert types(act) == ["request.filed", "breakglass.opened", "grant.opened", "step.fired"]
    assert set(case.asks[0].asked) == {OWNER, DEP1, DEP2, ONC1}
    assert said(act, "announce") == ["C0DIRECTORY"]
    assert {PE1} == set(said(act, "receipt")) == set(said(act, "outcome"))
    assert case.asks[0].steps[0].page


def test_its_ratification_is_owed_within_the_window_and_can_come_one_window_later() -> None:
    ask = broken().asks[0]
    assert (ask.kind, ask.due_at, ask.expires_at) == ("ratification", T0 + 4 * HOUR, T0 + 8 * HOUR)


@pytest.mark.parametrize("person", [OWNER, DEP1, ONC1])
def test_anyone_who_was_asked_ratifies_it_with_one_click(person: Person) -> None:
    act = says(broken(), person, "ratify")
    assert types(act) == ["breakglass.ratified"]
    assert after(act).asks[0].state is AskState.YES
    assert after(act).grant.state is GrantState.OPEN  # type: ignore[union-attr]


@pytest.mark.parametrize("person", [PE1, LEAD, SOC1, AUDIT, RISK])
def test_nobody_else_does(person: Person) -> None:
    assert types(says(broken(), person, "ratify")) == ["decision.refused"]


def test_a_rejection_revokes_at_once_and_opens_a_review_that_carries_it() -> None:
    act = says(broken(), OWNER, "reject", reason="no outage")
    assert types(act) == ["breakglass.rejected", "grant.revoked", "review.due", "review.flagged"]
    case = after(act)
    assert (case.grant.state, case.grant.ended_by) == (GrantState.REVOKED, OWNER)  # type: ignore[union-attr]
    assert [n.text for n in case.asks[-1].notes] == ["Rejected at the ratification. no outage"]
    assert case.asks[-1].state is AskState.OPEN


def test_a_rejection_after_the_end_flags_the_review_that_is_open() -> None:
    done = after(give_back(broken(), BASE, click(PE1, "finish"), T0 + MINUTE))
    act = says(done, OWNER, "reject", T0 + HOUR)
    assert types(act) == ["breakglass.rejected", "review.flagged"]


def test_a_rejection_after_a_lapse_that_nobody_noted_notes_it_and_leaves_one_review() -> None:
    act = says(broken(), OWNER, "reject", T0 + HOUR)
    assert types(act) == ["breakglass.rejected", "grant.lapsed", "review.due", "review.flagged"]
    swept = sweep(after(act), BASE, HERE, T0 + HOUR, 0)
    assert "review.due" not in types(swept)
    assert sum(ask.kind == "review" for ask in after(swept).asks) == 1


def test_silence_never_ratifies() -> None:
    case, logged = broken(), []
    for minute in range(0, 9 * 60, 30):
        act = sweep(case, BASE, HERE, T0 + minute * MINUTE, 0)
        if act is not None and act.after is not None:
            case = act.after
            logged += [t for t in types(act) if t.startswith("breakglass")]
    assert logged == ["breakglass.unratified"]
    assert case.asks[0].state is AskState.EXPIRED
    assert RISK in case.asks[0].asked


def test_it_can_still_be_ratified_after_the_window_and_not_after_the_second() -> None:
    late = after(sweep(broken(), BASE, HERE, T0 + 5 * HOUR, 0))
    assert types(says(late, OWNER, "ratify", T0 + 6 * HOUR)) == ["breakglass.ratified"]
    assert types(says(late, OWNER, "ratify", T0 + 8 * HOUR)) == ["decision.refused"]


def test_a_spent_quota_or_a_debt_makes_it_an_ordinary_immediate_request_and_says_why() -> None:
    assert debt(GLASS, 1, overdue=False) is None
    assert "quota of 2" in str(debt(GLASS, 2, overdue=False))
    assert "overdue" in str(debt(GLASS, 0, overdue=True))
    for earlier in (replace(FIRST_TIME, glass_opened=2), replace(FIRST_TIME, glass_overdue=True)):
        case = case_of(BASE, "glass", earlier=earlier)
        assert (case.request.state, case.approval.kind, case.grant) == (RequestState.PENDING, "approval", None)
        assert {OWNER, DEP1, DEP2, ONC1} <= set(case.approval.asked)


@pytest.mark.parametrize("action", ["approve", "accept", "flag"])
def test_a_ratification_takes_no_answer_to_another_question(action: str) -> None:
    assert types(says(broken(), OWNER, action)) == ["decision.refused"]


def test_what_is_opened_is_neither_denied_nor_withdrawn() -> None:
    assert types(decide(broken(), BASE, click(OWNER, "deny"), profile(OWNER), T0)) == ["decision.refused"]
    assert types(withdraw(broken(), BASE, click(PE1, "withdraw"), T0)) == ["decision.refused"]


def test_every_break_glass_has_a_review_after_its_end() -> None:
    case = after(give_back(broken(), BASE, click(PE1, "finish"), T0 + MINUTE))
    assert [a.kind for a in case.later] == ["ratification", "review"]


def reviewed() -> Case:
    done = after(give_back(broken(), BASE, click(PE1, "finish"), T0 + MINUTE))
    return after(sweep(done, BASE, HERE, T0 + 2 * MINUTE, 0))


def test_a_review_that_only_the_ratifier_has_is_put_to_the_deputies_at_once() -> None:
    done = reviewed()
    assert done.asks[-1].asked == (OWNER,)
    ratified = after(says(done, OWNER, "ratify", T0 + 2 * MINUTE))
    asked = after(sweep(ratified, BASE, HERE, T0 + 2 * MINUTE, 0))
    assert set(asked.asks[-1].asked) == {OWNER, DEP1, DEP2}


def test_a_review_that_somebody_else_may_answer_keeps_its_times() -> None:
    done = reviewed()
    ratified = after(says(done, DEP1, "ratify", T0 + 2 * MINUTE))
    assert ratified.asks[-1].steps == done.asks[-1].steps
