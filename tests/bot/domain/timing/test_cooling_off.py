"""Cooling-off: what the quorum opens waits until `not_before` has passed since the filing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import grant_end
from bot.domain.workflow.asks import approval
from bot.domain.workflow.delegation import stand_in
from bot.domain.workflow.timers import card_failed, sweep, wake_at
from tests.bot.building import (
    DEP2,
    HERE,
    HOUR,
    MINUTE,
    MS,
    OWNER,
    PE1,
    RISK,
    STRANGER,
    T0,
    after,
    asked,
    away,
    case_of,
    click,
    decide,
    policy,
    profile,
    runbook,
    said,
    types,
    with_domain,
)  # fmt: skip

BASE = policy(runbooks=[runbook("cool", kind="reset", not_before=1800, review_within=None)])
OPENS = T0 + 30 * MINUTE


def yes(case: Case, under: Policy = BASE, person: Person = OWNER, at: datetime = T0 + MINUTE) -> Transition:
    return decide(case, under, click(person), profile(person), at)


def waiting() -> Case:
    return after(yes(case_of(BASE, "cool")))


def test_the_quorum_opens_nothing_before_its_time_and_the_requester_is_notified_when_it_will() -> None:
    act = yes(case_of(BASE, "cool"))
    assert types(act) == ["request.approved"]
    assert act.entries[0].data["not_before"] == "2026-03-04T09:30:00.000Z"
    case = after(act)
    assert (case.request.state, case.grant, case.approval.opens_at) == (RequestState.PENDING, None, OPENS)
    assert wake_at(case, BASE, T0) == OPENS
    assert said(act, "cooling") == [PE1]


def test_at_its_time_it_opens_by_the_clock_for_as_long_as_was_given() -> None:
    act = sweep(waiting(), BASE, HERE, OPENS, 0)
    assert types(act) == ["grant.opened"]
    grant = after(act).grant
    assert grant is not None
    assert (grant.state, grant.opened_at, grant.not_after) == (GrantState.OPEN, OPENS, OPENS + HOUR)
    assert after(act).request.state is RequestState.APPROVED
    assert after(act).approval.state is AskState.YES
    assert said(act, "outcome") == [PE1]


def test_not_a_millisecond_earlier_and_nobody_else_is_asked_meanwhile() -> None:
    act = sweep(waiting(), BASE, HERE, OPENS - MS, 0)
    assert types(act) == []
    assert after(act).grant is None
    assert asked(after(act)) == {OWNER}
    assert stand_in(waiting(), BASE, away(U0OWNER="absent"), T0 + 2 * MINUTE) is None
    assert types(card_failed(waiting(), BASE, HERE, OWNER, "gone", T0 + 2 * MINUTE)) == []


def test_a_quorum_after_that_time_opens_at_once() -> None:
    assert types(yes(case_of(BASE, "cool"), at=OPENS)) == ["request.approved", "grant.opened"]


def test_a_restart_after_its_time_opens_it_first_thing_while_a_no_could_still_stop_it() -> None:
    act = sweep(waiting(), BASE, HERE, T0 + 45 * MINUTE - MS, 0)
    assert types(act) == ["grant.opened"]
    assert after(act).grant.opened_at == T0 + 45 * MINUTE - MS  # type: ignore[union-attr]
    over = sweep(waiting(), BASE, HERE, T0 + 45 * MINUTE, 0)
    assert types(over) == ["request.expired"]
    assert (after(over).grant, after(over).approval.opens_at) == (None, None)


def test_until_then_it_is_denied_withdrawn_or_revoked_by_anybody_named_and_nothing_ever_opens() -> None:
    at = T0 + 20 * MINUTE
    acts = [
        decide(waiting(), BASE, click(OWNER, "deny", reason="no"), profile(OWNER), at),
        approval.withdraw(waiting(), BASE, click(PE1, "withdraw"), at),
        grant_end.revoke(waiting(), BASE, click(RISK, "revoke"), profile(RISK), at),
        grant_end.revoke_on_host(waiting(), BASE, "stop", at),
    ]
    assert [types(act) for act in acts] == [  # type: ignore[arg-type]
        ["request.denied"], ["request.withdrawn"], ["request.denied"], ["request.denied"],
    ]  # fmt: skip
    for act in acts:
        case = after(act)  # type: ignore[arg-type]
        assert (case.grant, case.approval.opens_at) == (None, None)
        assert sweep(case, BASE, HERE, OPENS, 0) is None
    assert acts[2].entries[0].data == {"role": "risk_owner"}  # type: ignore[union-attr]


def test_somebody_named_nowhere_revokes_nothing() -> None:
    act = grant_end.revoke(waiting(), BASE, click(STRANGER, "revoke"), profile(STRANGER), T0 + 2 * MINUTE)
    assert types(act) == ["decision.refused"]


def test_the_yeses_are_counted_again_at_its_time_and_the_ladder_goes_on_where_they_no_longer_suffice() -> None:
    under = with_domain(BASE, owner=STRANGER)
    act = sweep(waiting(), under, HERE, OPENS, 0)
    assert "grant.opened" not in types(act)
    case = after(act)
    assert (case.request.state, case.approval.opens_at) == (RequestState.PENDING, None)
    assert DEP2 in asked(case)
    assert act is not None
    assert act.before == waiting()


def test_an_earlier_set_that_binds_must_allow_it_then_too() -> None:
    act = sweep(waiting(), BASE, HERE, OPENS, 0, [with_domain(BASE, owner=STRANGER)])
    assert "grant.opened" not in types(act)


def test_a_second_yes_meanwhile_may_give_less_and_moves_nothing() -> None:
    case = waiting()
    reached = replace(
        case.approval, reached=(*case.approval.reached, replace(case.approval.reached[0], person=DEP2, role="deputies"))
    )
    act = decide(case.with_approval(reached), BASE, replace(click(DEP2), seconds=600), profile(DEP2), T0 + 2 * MINUTE)
    assert types(act) == ["request.approved"]
    assert said(act, "cooling") == []
    opened = after(sweep(after(act), BASE, HERE, OPENS, 0)).grant
    assert opened is not None
    assert opened.not_after == OPENS + 10 * MINUTE


def test_time_scale_divides_the_wait() -> None:
    case = after(yes(case_of(BASE, "cool", scale=60), at=T0 + MS))
    assert case.approval.opens_at == T0 + MINUTE / 2


def test_a_request_that_was_closed_without_its_wait_being_noted_never_opens() -> None:
    """As the emergency file closes one while the log is stopped."""
    case = waiting()
    closed = replace(case, request=replace(case.request, state=RequestState.DENIED, closed_at=T0 + 2 * MINUTE))
    assert sweep(closed, BASE, HERE, OPENS, 0) is None
    assert wake_at(closed, BASE, T0) != OPENS
