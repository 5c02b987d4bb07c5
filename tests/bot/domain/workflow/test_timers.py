"""What the clock does to a case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.workflow.asks.approval import withdraw
from bot.domain.workflow.timers import card_failed, sweep, wake_at
from tests.bot.building import (
    DEP1,
    DEP2,
    HERE,
    MINUTE,
    MS,
    ONC1,
    OWNER,
    PE1,
    T0,
    after,
    asked,
    case_of,
    click,
    decide,
    policy,
    profile,
    said,
    types,
)

END = T0 + 45 * MINUTE


def approved() -> Case:
    return after(decide(case_of(policy()), policy(), click(OWNER), profile(OWNER), T0))


def test_before_the_next_step_nothing_happens_but_another_look_later() -> None:
    act = sweep(case_of(policy()), policy(), HERE, T0 + MINUTE, 0)
    assert act is not None
    assert (types(act), act.says, act.refresh, act.wake_at) == ([], (), False, T0 + 3 * MINUTE)


def test_a_due_step_is_logged_and_said_and_every_copy_redrawn() -> None:
    act = sweep(case_of(policy()), policy(), HERE, T0 + 5 * MINUTE, 0)
    assert act is not None
    assert types(act) == ["step.skipped", "step.fired"]
    assert (set(said(act, "card")), act.refresh) == ({DEP1, DEP2}, True)


def test_a_reminder_goes_to_the_silent_ones_only() -> None:
    act = sweep(case_of(policy()), policy(), HERE, T0 + 3 * MINUTE, 0)
    assert said(act, "reminder") == [OWNER]


def test_at_the_deadline_the_request_expires_and_unseen_steps_stay_unfired() -> None:
    act = sweep(case_of(policy()), policy(), HERE, END, 2)
    case = after(act)
    assert (case.request.state, case.approval.state) == (RequestState.EXPIRED, AskState.EXPIRED)
    assert types(act) == ["request.expired"]
    assert act is not None
    assert dict(act.entries[0].data) == {"asked": (OWNER,), "delivered": 2}
    assert {s.state for s in case.approval.steps[1:]} == {"waiting"}
    assert (act.wake_at, said(act, "outcome"), said(act, "announce")) == (None, [PE1], ["C0DIRECTORY"])


def test_a_millisecond_before_the_deadline_it_does_not() -> None:
    assert after(sweep(case_of(policy()), policy(), HERE, END - MS, 0)).request.state is RequestState.PENDING


def test_silence_never_approves() -> None:
    case = case_of(policy())
    for minute in range(1, 46):
        case = after(sweep(case, policy(), HERE, T0 + minute * MINUTE, 0))
    assert (case.request.state, case.grant) == (RequestState.EXPIRED, None)


def test_an_open_grant_lapses_at_its_end_and_not_before() -> None:
    case = approved()
    assert case.grant is not None
    early = sweep(case, policy(), HERE, case.grant.not_after - MS, 0)
    assert early is not None
    assert (early.entries, after(early).grant.state, early.wake_at) == ((), GrantState.OPEN, case.grant.not_after)  # type: ignore[union-attr]
    act = sweep(case, policy(), HERE, case.grant.not_after, 0)
    grant = after(act).grant
    assert grant is not None
    assert (grant.state, grant.ended_at) == (GrantState.LAPSED, case.grant.not_after)
    assert types(act) == ["grant.lapsed", "review.due", "step.fired"]
    assert act is not None
    assert dict(act.entries[0].data)["closed_by"] == "clock"


def test_on_what_is_over_nothing_will_ever_be_due() -> None:
    denied = after(decide(case_of(policy()), policy(), click(OWNER, "deny"), profile(OWNER), T0))
    withdrawn = after(withdraw(case_of(policy()), policy(), click(PE1, "withdraw"), T0))
    expired = after(sweep(case_of(policy()), policy(), HERE, END, 0))
    for case in (denied, withdrawn, expired):
        assert wake_at(case, policy(), T0) is None
        assert sweep(case, policy(), HERE, END + 90 * MINUTE, 0) is None


def test_the_next_look_is_at_the_next_step_then_at_the_end_then_at_the_grants_warning() -> None:
    case = case_of(policy())
    assert wake_at(case, policy(), T0) == T0 + 3 * MINUTE
    later = after(sweep(case, policy(), HERE, T0 + 15 * MINUTE, 0))
    assert wake_at(later, policy(), T0 + 15 * MINUTE) == END - 5 * MINUTE
    assert wake_at(approved(), policy(), T0) == T0 + 50 * MINUTE


class TestACardThatNeverArrives:
    def test_the_owners_pulls_the_deputies_and_drops_the_reminder(self) -> None:
        act = card_failed(case_of(policy()), policy(), HERE, OWNER, "user_not_found", T0 + MINUTE)
        assert asked(after(act)) == {OWNER, DEP1, DEP2}
        assert types(act) == ["step.skipped", "step.fired"]

    def test_one_deputys_pulls_nothing_while_the_other_has_theirs(self) -> None:
        case = after(sweep(case_of(policy()), policy(), HERE, T0 + 5 * MINUTE, 0))
        act = card_failed(case, policy(), HERE, DEP1, "user_not_found", T0 + 6 * MINUTE)
        assert types(act) == []
        assert ONC1 in asked(after(card_failed(after(act), policy(), HERE, DEP2, "user_not_found", T0 + 6 * MINUTE)))

    def test_reported_twice_it_pulls_once(self) -> None:
        case = after(card_failed(case_of(policy()), policy(), HERE, OWNER, "user_not_found", T0 + MINUTE))
        assert types(card_failed(case, policy(), HERE, OWNER, "user_not_found", T0 + MINUTE)) == []

    @pytest.mark.parametrize("late", [True, False])
    def test_after_the_answer_or_the_deadline_it_changes_nothing(self, late: bool) -> None:
        case = case_of(policy()) if late else approved()
        at = END if late else T0 + MINUTE
        assert card_failed(case, policy(), HERE, OWNER, "user_not_found", at) is None


def test_a_domain_that_is_gone_still_lets_its_requests_expire() -> None:
    empty = policy(domains=())
    case = case_of(policy())
    act = sweep(case, empty, HERE, T0 + 5 * MINUTE, 0)
    assert {s.state for s in after(act).approval.steps} == {"fired", "skipped"}
    assert after(sweep(case, empty, HERE, END, 0)).request.state is RequestState.EXPIRED
    assert replace(case, grant=None) == case
