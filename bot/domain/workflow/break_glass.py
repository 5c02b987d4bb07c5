"""Break-glass: access opens at once, everybody is asked at once, and the owner owes a ratification.

- Open quota and no debt are needed: a spent quota, or an overdue ratification or review of that provider in that domain,
  makes it an ordinary `immediate` request, and the form shows that and the reason.
- What answers the ratification, and what they do: `asks.ratification`.
Design, section 3.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.case.ask import Ask
from bot.domain.case.lifecycle import move_request
from bot.domain.case.model import Case, Grant
from bot.domain.case.transition import Transition
from bot.domain.decision_log import events, grant_events
from bot.domain.policy.model import BreakGlass, Policy, Role, Runbook
from bot.domain.timing import end_dates
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import afterwards
from bot.domain.workflow import notifications
from bot.domain.workflow.asks import engine
from bot.domain.workflow.follow_up import Effects
from bot.domain.workflow.wake import wake_at

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
    paged_too: tuple[Role, ...] = ("risk_owner",) if runbook.break_glass.overdue_since is not None else ()
    everybody = tuple(dict.fromkeys((*runbook.requires, "deputies", "on_call", *paged_too)))
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
    effects = Effects(opened, drafts, notifications.outcome(opened, policy))
    effects = effects.then(engine.step(opened, ask, policy, presence, now))
    return Transition(None, effects.case, effects.drafts, effects.says, wake_at(effects.case, policy, now))
