"""The scheduled review of an autonomous right: its owner keeps it or withdraws it. Silence withdraws nothing.

The ask is opened long before its first step is due, and takes no answer until then. A right that was kept is asked about again
`review_every` later. Design, section 3; the case that carries the asks: `suspensions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.case.ask import Ask, Vote
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import move_ask
from bot.domain.case.model import Case, Terms
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.timing.steps import over_window
from bot.domain.workflow import notifications, refusals
from bot.domain.workflow.asks.closing import answered_or_late
from bot.domain.workflow.follow_up import DAY, Effects

REVIEW_WITHIN = 7 * DAY  # seconds of policy time in which an answer is owed


def due(case: Case) -> datetime:
    """When the newest review of a right asks its owner."""
    return case.asks[-1].steps[0].due_at


def not_due(case: Case, ask: Ask, now: datetime) -> Rejected | None:
    """Why the review of a right takes no answer at `now`; None while it is due and open."""
    if ask.steps[0].state == "waiting":
        text = "The review of this right is not due yet, so there is nothing to answer. Nothing was changed."
        return refusals.no(Refusal.STALE, text)
    return answered_or_late(case, ask, now)


def keep(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """The right stays, and is under review again."""
    terms = case.request.terms
    answered = case.with_ask(replace(ask, state=move_ask(ask.state, "yes")))
    following = over_window(
        "right", ask.version + 1, vote.at, window(terms), vote.at + terms.real(terms.review_within or DAY)
    )
    after = answered.with_ask(following)
    says = notifications.channel_line(after, policy, "right.kept")
    return Effects(after, (events.right_answered(after, policy, "right.kept", vote, due(after)),), says)


def withdraw(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """Nothing is possible under the right any more until its file changes; what is open runs out, or is revoked."""
    after = case.with_ask(replace(ask, state=move_ask(ask.state, "no")))
    says = notifications.channel_line(after, policy, "right.withdrawn")
    return Effects(after, (events.right_answered(after, policy, "right.withdrawn", vote, None),), says)


def window(terms: Terms) -> timedelta:
    """How long an answer is waited for before it is overdue: never longer than until the next review."""
    return terms.real(min(REVIEW_WITHIN, terms.review_within or REVIEW_WITHIN))
