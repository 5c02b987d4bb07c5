"""A line that was taken without the log is entered on a case that moved on: a no is never dropped, and silence takes nothing back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.decision_log.entry import stamp
from bot.domain.failsafe.clock_guard import gives
from bot.domain.failsafe.late_entry import entered
from bot.domain.failsafe.revocation import apply_to, taken
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.approval import deny_on_host, withdraw
from bot.domain.workflow.executor import planned
from bot.domain.workflow.grant_end import give_back, revoke, revoke_on_host
from bot.domain.workflow.more_time import extend
from bot.domain.workflow.providers.suspension import begin
from bot.domain.workflow.timers import sweep
from tests.bot.building import (
    DEP1,
    HERE,
    HOUR,
    LEAD,
    MINUTE,
    OWNER,
    PE1,
    T0,
    after,
    case_of,
    click,
    decide,
    policy,
    profile,
    said,
    types,
)

POLICY = policy()
NO_AT, YES_AT, BACK_AT = T0 + 6 * MINUTE, T0 + 7 * MINUTE, T0 + 9 * MINUTE


def stored(act: Transition | None) -> Case:
    """The case as the database has it after an act."""
    found = after(act)
    return replace(found, request=replace(found.request, version=found.request.version + 1))


def answered(case: Case, who: Person, action: str, at: datetime, version: int = 1) -> Transition:
    reason = "not today" if action in ("deny", "reject") else ""
    return decide(case, POLICY, click(who, action, version=version, reason=reason), profile(who), at)


def approved(runbook: str = "emergency") -> tuple[Case, Case]:
    """A request as another replica knew it, and as the leader has approved it since."""
    known = stored(sweep(case_of(POLICY, runbook), POLICY, HERE, T0 + 5 * MINUTE, 1))  # the deputies are asked too
    return known, stored(answered(known, OWNER, "approve", YES_AT))


def extended() -> tuple[Case, Case]:
    """The same of a grant that got more time since."""
    _, opened = approved()
    asked = stored(extend(opened, POLICY, replace(click(PE1, "extend"), seconds=1800), HERE, YES_AT + MINUTE))
    return opened, stored(answered(asked, OWNER, "approve", YES_AT + 2 * MINUTE, asked.asks[-1].version))


def done(act: object) -> Transition:
    """An act that was not refused."""
    assert isinstance(act, Transition)
    return act


def no(what: str, known: Case) -> Transition:
    """What somebody said while the database could not be reached."""
    if what == "deny on the host":
        return done(deny_on_host(known, POLICY, "not today", NO_AT))
    if what == "deny":
        return answered(known, DEP1, "deny", NO_AT)
    return withdraw(known, POLICY, click(LEAD if what == "withdraw of a lead" else PE1, "withdraw"), NO_AT)


AUTHORS = {"deny": DEP1, "withdraw": PE1, "withdraw of a lead": LEAD, "deny on the host": None}


@pytest.mark.parametrize("what", AUTHORS)
def test_a_no_that_meets_an_approved_request_ends_what_was_given(what: str) -> None:
    known, opened = approved()
    line = taken(no(what, known), NO_AT)
    act = entered(line, opened, BACK_AT)
    assert act is not None
    assert (act.before, act.refresh, gives(act)) == (opened, True, False)
    grant = after(act).grant
    assert grant is not None
    assert (grant.state, grant.ended_at, grant.ended_by) == (GrantState.REVOKED, BACK_AT, AUTHORS[what])
    assert after(act).request.state is RequestState.APPROVED
    assert types(act) == ["grant.revoked", "review.due"]
    end = act.entries[0]
    assert end.actor == line.act.entries[0].actor
    assert (end.data["taken_at"], end.data["not_after"]) == (stamp(NO_AT), stamp(grant.not_after))
    assert [one.name for one in end.private] == (["reason"] if "deny" in what else [])
    assert act.wake_at == after(act).asks[-1].steps[0].due_at  # the review is asked
    shown = apply_to(opened, line).grant  # the same for who reads before it is entered
    assert shown is not None
    assert shown.state is GrantState.REVOKED
    assert shown.opened_at == shown.ended_at  # never before it opened


@pytest.mark.parametrize("what", AUTHORS)
def test_requester_and_approvers_are_told_why_it_ended_whatever_was_said_before(what: str) -> None:
    known, opened = approved()
    act = entered(taken(no(what, known), NO_AT).saying(()), opened, BACK_AT)
    assert act is not None
    assert said(act, "overtaken") == [PE1, OWNER]
    assert said(act, "outcome") == [PE1]
    assert {say.purpose for say in act.says} == {"overtaken", "outcome"}  # none of the refusal that nobody needs any more


def test_an_executor_that_has_not_opened_yet_is_told_to_close() -> None:
    known, opened = approved("executed")
    opened = planned(known, opened, YES_AT)
    act = entered(taken(no("deny", known), NO_AT), opened, BACK_AT)
    calls = planned(opened, after(act), BACK_AT).calls
    assert [(call.kind, call.state) for call in calls] == [("open", "dropped"), ("close", "waiting")]


def test_a_no_to_an_access_that_has_ended_already_has_nothing_to_do() -> None:
    known, opened = approved()
    over = stored(done(revoke_on_host(opened, POLICY, "", YES_AT + MINUTE)))
    line = taken(no("deny", known), NO_AT)
    assert entered(line, over, BACK_AT) is None
    assert entered(line, opened, YES_AT + 2 * HOUR) is None  # its time is over: it lapses
    assert entered(line, stored(entered(line, opened, BACK_AT)), BACK_AT) is None  # it was entered before a kill


def test_silence_takes_nothing_from_a_yes_that_came_in_time() -> None:
    known, opened = approved()
    expiry = done(sweep(known, POLICY, HERE, known.request.expires_at, 1))
    assert after(expiry).request.state is RequestState.EXPIRED
    line = taken(expiry, known.request.expires_at)
    assert entered(line, opened, known.request.expires_at) is None
    opened, longer = extended()
    assert opened.grant is not None
    lapse = done(sweep(opened, POLICY, HERE, opened.grant.not_after, 1))
    assert types(lapse)[0] == "grant.lapsed"
    assert entered(taken(lapse, opened.grant.not_after), longer, opened.grant.not_after) is None
    assert apply_to(longer, taken(lapse, opened.grant.not_after)) == longer


@pytest.mark.parametrize(("action", "ends"), [("revoke", "revoked"), ("finish", "finished"), ("unused", "unused")])
def test_an_end_meets_a_grant_that_got_more_time_and_ends_it_with_all_that_follows(action: str, ends: str) -> None:
    opened, longer = extended()
    judged = (
        revoke(opened, POLICY, click(OWNER, action), profile(OWNER), YES_AT + MINUTE)
        if action == "revoke"
        else give_back(opened, POLICY, click(PE1, action), YES_AT + MINUTE)
    )
    act = entered(taken(judged, YES_AT + MINUTE), longer, BACK_AT + MINUTE)
    grant, was = after(act).grant, longer.grant
    assert grant is not None
    assert was is not None
    assert (str(grant.state), grant.ended_at, grant.not_after) == (ends, YES_AT + MINUTE, was.not_after)
    assert types(act) == [f"grant.{ends}", "review.due"]
    assert after(act).asks[-1].kind == "review"
    assert act is not None
    assert act.entries[0].data["not_after"] == stamp(was.not_after)
    assert PE1 in said(act, "overtaken")  # who was told that there is more time
    assert said(act, "outcome") == [PE1]


def test_an_end_meets_a_wish_for_more_time_that_nobody_has_answered() -> None:
    _, opened = approved()
    asked = stored(extend(opened, POLICY, replace(click(PE1, "extend"), seconds=1800), HERE, YES_AT + MINUTE))
    judged = give_back(opened, POLICY, click(PE1, "finish"), YES_AT + MINUTE)
    act = entered(taken(judged, YES_AT + MINUTE), asked, BACK_AT)
    assert types(act) == ["grant.finished", "extension.expired", "review.due"]
    assert after(act).asks[1].state is AskState.EXPIRED
    assert said(act, "overtaken") == []


@pytest.mark.parametrize("ratified", [True, False])
def test_a_rejected_break_glass_is_revoked_whether_or_not_it_was_ratified_meanwhile(ratified: bool) -> None:
    known = case_of(POLICY, "glass")
    moved = replace(known, request=replace(known.request, version=known.request.version + 3))  # it was asked again
    if ratified:
        moved = stored(answered(moved, OWNER, "ratify", YES_AT))
    act = entered(taken(answered(known, DEP1, "reject", NO_AT), NO_AT), moved, BACK_AT)
    assert act is not None
    grant = after(act).grant
    assert grant is not None
    assert (grant.state, grant.ended_by) == (GrantState.REVOKED, DEP1)
    rejected = [] if ratified else ["breakglass.rejected"]
    assert types(act) == [*rejected, "grant.revoked", "review.due", "review.flagged"]
    assert after(act).asks[0].state is (AskState.YES if ratified else AskState.NO)
    assert [note.person for note in after(act).asks[-1].noted("review")] == [DEP1]


def test_a_no_to_a_request_that_still_waits_keeps_its_author_and_its_reason() -> None:
    known = case_of(POLICY, "pair")
    once = stored(answered(known, OWNER, "approve", YES_AT))  # one of two
    act = entered(taken(no("deny", known), NO_AT), once, BACK_AT)
    assert types(act) == ["request.denied"]
    case = after(act)
    assert (case.request.state, case.approval.state) == (RequestState.DENIED, AskState.NO)
    assert [(v.person, v.answer) for v in case.approval.votes] == [(OWNER, "yes"), (DEP1, "no")]
    assert [note.text for note in case.approval.noted("denial")] == ["not today"]


def test_a_shorter_end_stays_the_shorter_one_whatever_was_given_since() -> None:
    opened, longer = extended()
    assert opened.grant is not None
    assert longer.grant is not None
    sooner = YES_AT + 20 * MINUTE
    judged = Transition(opened, replace(opened, grant=replace(opened.grant, not_after=sooner)), refresh=True)
    act = entered(taken(judged, NO_AT), longer, BACK_AT)
    grant = after(act).grant
    assert grant == replace(longer.grant, not_after=sooner)
    assert (types(act), act and act.wake_at) == ([], sooner - 5 * MINUTE)  # at ¾ its requester is warned
    warned = stored(sweep(stored(act), POLICY, HERE, sooner - 5 * MINUTE, 1))
    reminded = replace(warned, grant=replace(grant, remind_at=sooner))
    assert entered(taken(judged, NO_AT), reminded, BACK_AT) is None  # it was entered before a kill
    ended = stored(done(revoke_on_host(longer, POLICY, "", BACK_AT)))
    assert entered(taken(judged, NO_AT), ended, BACK_AT) is None


def test_the_suspension_of_a_provider_begins_once() -> None:
    begun = begin(POLICY, POLICY.providers["northgate"], POLICY.domains["directory"], OWNER, "breach", "R-00000009", NO_AT)
    act = entered(taken(begun, NO_AT), None, BACK_AT)
    assert types(act) == ["provider.suspended"]
    assert entered(taken(begun, NO_AT), stored(act), BACK_AT) is None


def test_what_waited_to_open_and_opened_meanwhile_is_revoked() -> None:
    waits = stored(answered(case_of(POLICY, "cooling"), OWNER, "approve", T0 + MINUTE))
    due = waits.approval.opens_at
    assert due is not None
    opened = stored(sweep(waits, POLICY, HERE, due, 1))
    assert opened.grant is not None
    act = entered(taken(revoke(waits, POLICY, click(OWNER, "revoke"), profile(OWNER), NO_AT), NO_AT), opened, due + MINUTE)
    assert types(act)[0] == "grant.revoked"
