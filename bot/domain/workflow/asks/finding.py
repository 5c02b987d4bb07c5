"""A finding's ask: put to people until somebody with authority acknowledges it. It decides nothing and never expires.

After the end of its ladder the risk owner and the channel are notified every hour of policy time. A risk owner the ladder does not
name is asked then, and has authority from then on. Source: governance-contract.md, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import is_barred
from bot.domain.case.ask import Ask, Reached, Vote
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import move_ask, move_finding
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent, Notification
from bot.domain.decision_log import finding_events
from bot.domain.policy.model import Policy
from bot.domain.workflow import notifications
from bot.domain.workflow.follow_up import Effects

HOUR = 3600  # seconds of policy time


def acknowledge(case: Case, ask: Ask, policy: Policy, vote: Vote, click: Click, older: Sequence[Policy]) -> Effects:
    """Somebody with authority has it: the ladder ends, and those who were paged are relieved."""
    request = replace(case.request, state=move_finding(case.request.state, "acknowledge"))
    after = replace(case, request=request).with_approval(replace(ask, state=move_ask(ask.state, "yes"), warn_at=None))
    says = (
        *notifications.paged(after, after.approval, "resolve"),
        *notifications.finding_moved(after),
        *notifications.channel_line(after, policy, "finding.acknowledged"),
    )
    return Effects(after, (finding_events.acknowledged(after, policy, vote),), says)


def unacknowledged(case: Case, ask: Ask, policy: Policy, now: datetime) -> Effects:
    """The ladder's end, or an hour since the last time: notifies risk owner and channel, and sets the next time."""
    hour = case.request.terms.real(HOUR)
    passed = (now - case.request.expires_at) // hour
    again = replace(ask, warn_at=case.request.expires_at + (passed + 1) * hour)
    says = notifications.channel_line(case, policy, "finding.unacknowledged")
    asked, drafts, more = _risk_owner(case, again, policy, now)
    return Effects(case.with_approval(asked), drafts, (*more, *says))


def _risk_owner(
    case: Case, ask: Ask, policy: Policy, now: datetime
) -> tuple[Ask, tuple[LogEvent, ...], tuple[Notification, ...]]:
    """Reminds the risk owner, or asks one who was not asked yet."""
    domain = policy.domains.get(case.request.domain)
    person = domain.risk_owner if domain is not None else None
    if person is None or is_barred(case, ask, policy, person):
        return ask, (), ()
    if any(r.person == person and r.role == "risk_owner" for r in ask.reached):
        return ask, (), (notifications.reminder(case, ask, person),)
    reached = Reached(person, "risk_owner", max((s.index for s in ask.steps), default=0), now)
    told = notifications.card(case, reached) if person not in ask.asked else notifications.reminder(case, ask, person)
    return replace(ask, reached=(*ask.reached, reached)), (finding_events.risk_owner_asked(case, policy, reached),), (told,)
