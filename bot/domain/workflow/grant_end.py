"""How an open grant ends before its time.

The requester presses **Finished** or **Not used**; everyone named in the domain may **Revoke**, at any time, reached or not;
somebody on the host may, while Slack is down. Taking access away is judged by whether anything is open: a grant that
ended, or whose time is over whether or not any timer ran, cannot end again (design, sections 1 and 4; rules 3 and 8). What
waits to be opened is revoked by ending the request: it is a no.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import Refused, may_revoke
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import GrantState, move_grant
from bot.domain.case.model import NOBODY, Case, Grant
from bot.domain.case.transition import OPERATOR, Actor, Transition, epoch_ms
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Profile
from bot.domain.timing import cooling_off, end_dates
from bot.domain.workflow import follow_up, notifications
from bot.domain.workflow.asks.approval import deny_on_host, stopped
from bot.domain.workflow.follow_up import DAY, Effects
from bot.domain.workflow.refusals import closed, refuse
from bot.domain.workflow.wake import wake_at

MOVES = {"finish": "finish", "unused": "not_used", "revoke": "revoke"}  # a button's action and the grant's move

ENDS_WITHIN = 14 * DAY  # seconds of policy time: an exception that a review withdrew (governance-contract.md, section 2)


def give_back(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The requester ends it: `click.action` is `finish` or `unused`."""
    if not policy.humans.same(click.person, case.request.requester):
        text = f"Only the requester reports this; people of the domain press Revoke. Write to {policy.contact}."
        return refuse(case, policy, click, Rejected(Refusal.UNAUTHORISED, "plain", {"text": text}))
    return _ended(case, policy, click, now)


def revoke(case: Case, policy: Policy, click: Click, profile: Profile, now: datetime) -> Transition:
    """Somebody named in the domain takes it away: one click."""
    allowed = may_revoke(case, policy, click.person, profile)
    if isinstance(allowed, Refused):
        return refuse(case, policy, click, Rejected(allowed.why, "plain", {"text": allowed.reason}))
    if cooling_off.waits(case) and closed(case, now) is None:
        return stopped(case, policy, click, now)
    return _ended(case, policy, click, now)


def revoke_on_host(case: Case, policy: Policy, reason: str, now: datetime) -> Transition | Rejected:
    """Somebody on the host ends an open grant while Slack is down."""
    if cooling_off.waits(case):
        return deny_on_host(case, policy, reason, now)
    grant = open_grant(case, now)
    return grant if isinstance(grant, Rejected) else _end(case, policy, grant, OPERATOR, "revoke", now, reason)


def disowned(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    """The person a request was filed for on the host denies having asked: it is revoked."""
    grant = open_grant(case, now)
    if isinstance(grant, Rejected):
        return refuse(case, policy, click, grant)
    reason = "The person this was filed for says that they did not ask."
    return _end(case, policy, grant, events.actor(policy, click.person), "revoke", now, reason)


def finish_on_host(case: Case, policy: Policy, now: datetime) -> Transition | Rejected:
    """Somebody on the host reports that the access was given back, while Slack is down."""
    grant = open_grant(case, now)
    return grant if isinstance(grant, Rejected) else _end(case, policy, grant, OPERATOR, "finish", now, "")


def _ended(case: Case, policy: Policy, click: Click, now: datetime) -> Transition:
    grant = open_grant(case, now)
    if isinstance(grant, Rejected):
        return refuse(case, policy, click, grant)
    return _end(case, policy, grant, events.actor(policy, click.person), MOVES[click.action], now, click.reason)


def _end(case: Case, policy: Policy, grant: Grant, who: Actor, move: str, now: datetime, reason: str) -> Transition:
    ended = replace(grant, state=move_grant(grant.state, move), ended_at=now, ended_by=who.person)
    ask = case.approval.because("revocation", who.person or NOBODY, now, reason)
    after = replace(case.with_approval(ask), grant=ended)
    said = Effects(
        after, (grant_events.grant_ended(after, policy, who, ended, reason),), notifications.outcome(after, policy, reason)
    )
    effects = said.then(follow_up.ended(after, policy, now))
    wake = wake_at(effects.case, policy, now)
    return Transition(case, effects.case, effects.drafts, effects.says, wake, grant.not_after, refresh=True)


def open_grant(case: Case, now: datetime) -> Grant | Rejected:
    """The grant, if it is open; else why there is nothing to end: `no_grant`, `ended` or `over`."""
    grant = case.grant
    if grant is None:
        return Rejected(Refusal.STALE, "no_grant", {})
    if grant.state is not GrantState.OPEN:
        ended, by = grant.ended_at or grant.not_after, str(grant.ended_by or "")
        return Rejected(Refusal.LOST, "ended", {"state": str(grant.state), "by": by, "at": epoch_ms(ended)})
    if now >= grant.not_after:
        return Rejected(Refusal.LATE, "over", {"at": epoch_ms(grant.not_after)})
    return grant


def shorten(case: Case, policy: Policy, withdrawn_at: datetime, now: datetime) -> Transition | None:
    """An exception that a review withdrew, with its new end; None where it ends as early already, or is over."""
    grant, until = case.grant, withdrawn_at + case.request.terms.real(ENDS_WITHIN)
    if grant is None or grant.state is not GrantState.OPEN or grant.not_after <= until:
        return None
    remind_at = end_dates.next_reminder(case, now, until, now)
    after = replace(case, grant=replace(grant, not_after=until, warned=False, remind_at=remind_at))
    says = notifications.expiring(after, policy)
    return Transition(case, after, (), says, wake_at(after, policy, now), refresh=True)
