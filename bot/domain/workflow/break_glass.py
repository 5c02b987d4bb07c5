"""Break-glass: access opens at once, everybody is asked at once, and the owner owes a ratification.

- Open quota and no debt are needed: a spent quota, or an overdue ratification or review of that provider in that domain,
  turns it into an ordinary `immediate` request, and the form says so and why.
- Silence never ratifies. At the end of the window it is recorded as unratified; one window longer it can still be ratified.
- **Reject** revokes at once and opens a review that carries the rejection.
Design, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.domain.authority.authorization import is_barred
from bot.domain.case.ask import Ask, Remark, Vote
from bot.domain.case.lifecycle import AskState, GrantState, move_ask, move_grant, move_request
from bot.domain.case.model import Case, Grant
from bot.domain.case.transition import Transition
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import BreakGlass, Policy, Runbook
from bot.domain.timing import end_dates
from bot.domain.timing.escalation import Presence, advance
from bot.domain.timing.steps import afterwards
from bot.domain.workflow import follow_up, notifications
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.timers import later_stepped, wake_at

if TYPE_CHECKING:
    from bot.domain.case.click import Click

QUOTA_WINDOW = 30 * 86_400  # seconds of policy time in which debts count where the runbook sets no quota


def window_of(glass: BreakGlass) -> int:
    """How far back openings and debts count, in seconds of policy time."""
    return glass.quota.per if glass.quota else QUOTA_WINDOW


def debt(runbook: Runbook, opened: int, overdue: bool) -> str | None:
    """Why this break-glass is only an `immediate` request now; None if it opens at once.

    `opened`: openings of the provider in the domain within `window_of`; `overdue`: it owes a ratification or review there.
    """
    glass = runbook.break_glass
    if glass is None:
        return None
    if overdue:
        return "A ratification or review of an earlier break-glass is overdue, so nothing opens before a yes."
    if glass.quota is not None and opened >= glass.quota.count:
        return f"The quota of {glass.quota.count} break-glass openings is used up, so nothing opens before a yes."
    return None


def begin(case: Case, policy: Policy, runbook: Runbook, presence: Presence, now: datetime) -> Transition:
    """Opens a case that was just made for filing: grant, ratification, everybody asked. Its receipt is the caller's."""
    assert runbook.break_glass is not None
    terms = case.request.terms
    window = terms.real(runbook.break_glass.ratify_within)
    due = now + window
    first, *rest = afterwards(now, window)
    everybody = tuple(dict.fromkeys((*runbook.requires, "deputies", "on_call")))
    steps = (replace(first, also=everybody, page=True), *rest)
    ask = Ask("ratification", case.approval.version, 1, (), now, due + window, steps=steps, due_at=due, warn_at=due)
    request = replace(case.request, state=move_request(case.request.state, "open"), closed_at=now, expires_at=due)
    lasting = Grant(request.seconds, now, now + terms.real(request.seconds))
    grant = end_dates.grant(case, request.seconds, now) if case.dated else lasting
    opened = replace(case, request=request, asks=(ask,), grant=grant)
    who = events.actor(policy, request.requester)
    drafts = (
        events.filed(opened, policy),
        events.due(opened, policy, "breakglass.opened", who, due),
        *grant_events.grant_opened(opened, policy, request.requester, grant),
    )
    chore = Effects(opened, drafts, notifications.outcome(opened, policy))
    chore = chore.then(later_stepped(opened, policy, advance(opened, ask, policy, presence, now)))
    return Transition(None, chore.case, chore.drafts, chore.says, wake_at(chore.case, policy, now))


def ratify(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """The owner, or whoever was reached, stands for it afterwards."""
    after = _reviewed_by_others(case.with_ask(replace(ask, state=move_ask(ask.state, "yes"))), policy, vote)
    draft = events.answered(after, policy, "breakglass.ratified", vote, click.reason)
    says = (*notifications.channel_line(after, policy, "breakglass.ratified"), *notifications.paged(after, ask, "resolve"))
    return Effects(after, (draft,), says)


def _reviewed_by_others(case: Case, policy: Policy, vote: Vote) -> Case:
    """A review that is open already asks its next people now, where nobody whom it reached may answer it any more."""
    for ask in case.later:
        if ask.kind != "review" or ask.state is not AskState.OPEN:
            continue
        if not ask.asked or any(not is_barred(case, ask, policy, person) for person in ask.asked):
            continue
        index = next((s.index for s in ask.steps if s.state == "waiting" and s.action == "notify"), None)
        steps = tuple(replace(s, due_at=min(s.due_at, vote.at)) if s.index == index else s for s in ask.steps)
        case = case.with_ask(replace(ask, steps=steps))
    return case


def reject(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """It should not have been: what is open is revoked in the same act, and a review carries the rejection."""
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "no")))
    draft = events.answered(after, policy, "breakglass.rejected", vote, click.reason)
    says = (*notifications.channel_line(after, policy, "breakglass.rejected"), *notifications.paged(after, ask, "resolve"))
    chore = Effects(after, (draft,), says)
    grant = after.grant
    if grant is not None and grant.state is GrantState.OPEN:
        chore = chore.then(_revoked(chore.case, grant, policy, vote, click))
    return chore.then(_flagged(chore.case, policy, vote, click))


def _revoked(case: Case, grant: Grant, policy: Policy, vote: Vote, click: Click) -> Effects:
    if vote.at >= grant.not_after:
        return follow_up.grant_effects(case, policy, vote.at) or Effects(case)  # its time was over before: it lapsed
    ended = replace(grant, state=move_grant(grant.state, "revoke"), ended_at=vote.at, ended_by=vote.person)
    after = replace(case, grant=ended)
    draft = grant_events.grant_ended(after, policy, events.actor(policy, vote.person), ended, click.reason)
    said = Effects(after, (draft,), notifications.outcome(after, policy, click.reason))
    return said.then(follow_up.ended(after, policy, vote.at))


def _flagged(case: Case, policy: Policy, vote: Vote, click: Click) -> Effects:
    """The rejection stands in the review that is open; one is opened where there is none."""
    chore = Effects(case)
    if not any(a.kind == "review" and a.state is AskState.OPEN for a in case.later):
        window = case.request.terms.real(case.request.terms.review_within or follow_up.DAY)
        chore = follow_up.opened(case, policy, "review", window, vote.at)
    review = next(a for a in reversed(chore.case.later) if a.kind == "review" and a.state is AskState.OPEN)
    note = Remark("review", vote.person, vote.at, f"Rejected at the ratification. {click.reason}".strip())
    after = chore.case.with_ask(replace(review, notes=(*review.notes, note)))
    return chore.then(Effects(after, (events.answered(after, policy, "review.flagged", vote, click.reason),)))
