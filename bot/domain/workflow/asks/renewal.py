"""**Renew**: an exception that is still needed after its date is asked for again, with a new date.

A renewal is a new decision of the same people by the runbook's own ladder and quorum, and each is an ask of its own. It
may reach `max_duration` from its asking, at most `max_renewals` of them get a yes, and a no to one is final for that
exception: it ends on its date. Only while the exception is open; an ask that is not answered by then dies with it.
What the runbook or the contract takes away meanwhile counts at once. Design, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.policy_rollout import met_by_all
from bot.domain.authority.quorum import count
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import AskState, GrantState, move_ask
from bot.domain.case.model import Case
from bot.domain.decision_log import grant_events
from bot.domain.governance import narrowing
from bot.domain.policy.model import Policy, Runbook
from bot.domain.timing import end_dates
from bot.domain.workflow import filing_form, notifications, refusals
from bot.domain.workflow.follow_up import Effects

NARROWED = "A review ended the renewals of this exception, so it ends on its date. Ask for a new exception."


def may_renew(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why this exception cannot be renewed by this person now, whatever the day; None if it can."""
    grant, runbook = case.grant, policy.runbooks.get(case.request.runbook)
    if not policy.humans.same(click.person, case.request.requester):
        return refusals.no(Refusal.UNAUTHORISED, f"Only the requester can renew it. Write to {policy.contact}.")
    if not case.dated:
        return refusals.no(Refusal.STALE, "Only a policy exception can be renewed. Ask again for new access.")
    if grant is None or grant.state is not GrantState.OPEN or now >= grant.not_after:
        return refusals.no(Refusal.LATE, "The exception has ended, so it cannot be renewed. Ask for a new one.")
    if runbook is None or runbook.escalation not in policy.escalation_policies:
        return refusals.no(Refusal.STALE, "The policy has no such runbook any more. Ask again under another one.")
    if narrowing.of_exception(policy, case.id) is not None:
        return refusals.no(Refusal.STALE, NARROWED)
    if filing_form.not_asked_by(policy, runbook, click.person, now.date()):
        return refusals.no(Refusal.UNAUTHORISED, f"Your provider may not ask for this any more. Write to {policy.contact}.")
    return _used_up(case, runbook)


def left(case: Case, runbook: Runbook | None) -> int:
    """How many renewals may still get a yes; what the policy took away since the filing counts at once."""
    allowed = (
        case.request.terms.max_renewals if runbook is None else min(case.request.terms.max_renewals, runbook.max_renewals)
    )
    return max(allowed - len(end_dates.renewals(case)), 0)


def longest(case: Case, runbook: Runbook) -> int:
    """How far a renewal may reach from its asking, in seconds of policy."""
    return min(case.request.terms.max_duration, runbook.max_duration)


def offered(case: Case, policy: Policy, now: datetime) -> bool:
    """Whether **Renew** is shown to the requester: from the first reminder on, while a press would count."""
    press = Click(case.request.requester, "renew", case.approval.version, {})
    return case.grant is not None and case.grant.warned and may_renew(case, policy, press, now) is None


def renew(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects | Rejected:
    """A yes; at the quorum the exception holds until the new date."""
    no = _outlived(case, ask, policy, vote.at)
    if no is not None:
        return no
    tally, grant = count(case, ask, policy), case.grant
    assert grant is not None
    if not (tally.met and met_by_all(older, case, ask)):
        return Effects(case.with_ask(ask), grant_events.extended(case, policy, vote, tally, None))
    until = _until(case, ask, policy.runbooks[case.request.runbook])
    case = case.with_ask(replace(ask, state=move_ask(ask.state, "yes")))
    seconds = round((until - grant.opened_at).total_seconds() * case.request.terms.scale)
    remind_at = end_dates.next_reminder(case, vote.at, until, vote.at)
    longer = replace(grant, seconds=seconds, not_after=until, warned=False, remind_at=remind_at)
    after = replace(case, grant=longer)
    says = (
        notifications.to_requester("extension", after, version=ask.version),
        *notifications.channel_line(after, policy, "exception.renewed"),
    )
    return Effects(after, grant_events.extended(after, policy, vote, tally, longer), says)


def _outlived(case: Case, ask: Ask, policy: Policy, now: datetime) -> Rejected | None:
    """Why a renewal that was asked for can get no yes any more: what the policy has taken away since. None if it can."""
    runbook, grant = policy.runbooks.get(case.request.runbook), case.grant
    if narrowing.of_exception(policy, case.id) is not None:
        return refusals.no(Refusal.STALE, NARROWED)
    if (
        runbook is None
        or filing_form.not_asked_by(policy, runbook, case.request.requester, now.date())
        or not left(case, runbook)
    ):
        return refusals.no(
            Refusal.STALE,
            "The policy no longer allows this renewal, so the exception ends on its date. Deny it, or leave it.",
        )
    if grant is not None and _until(case, ask, runbook) <= grant.not_after:
        return refusals.no(
            Refusal.STALE,
            "The runbook no longer allows a longer time, so the exception ends on its date. Deny it, or leave it.",
        )
    return None


def _until(case: Case, ask: Ask, runbook: Runbook) -> datetime:
    return ask.opened_at + case.request.terms.real(min(ask.seconds, longest(case, runbook)))


def _used_up(case: Case, runbook: Runbook) -> Rejected | None:
    asked = [a for a in case.later if a.kind == "renewal"]
    if any(a.state is AskState.OPEN for a in asked):
        return refusals.no(Refusal.LOST, "The renewal is already asked for. The people asked have it.")
    if any(a.state is AskState.NO for a in asked):
        return refusals.no(Refusal.LOST, "A renewal of this was denied, so it ends on its date. Ask for a new exception.")
    if left(case, runbook) == 0:
        return refusals.no(
            Refusal.STALE, "All renewals of this are used up, so it ends on its date. Ask for a new exception."
        )
    return None


def wrong_day(case: Case, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """Why the exception cannot be renewed until `click.until`; None if it can."""
    grant, runbook = case.grant, policy.runbooks[case.request.runbook]
    text = end_dates.wrong_day(click.until, now.date(), longest(case, runbook))
    if text is not None or click.until is None or grant is None:
        return refusals.no(Refusal.STALE, text or "Choose the day on which it ends.")
    if end_dates.end(click.until, now, longest(case, runbook), case.request.terms.scale) <= grant.not_after:
        return refusals.no(Refusal.STALE, "It holds at least as long already. Choose a later day.")
    return None
