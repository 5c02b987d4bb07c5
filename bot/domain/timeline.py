"""What the engine would do with a request that nobody answers, by the engine itself.

A made-up case is filed and swept at each of its own wake-ups; what fired, what was skipped and why, and the end are the
timeline. The earliest yes is the first moment at which everybody asked so far, saying yes, would meet the quorum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import filing
from bot.domain.escalation import Fired, Presence, Skipped, advance, next_wake
from bot.domain.handover import hand_over, next_shift
from bot.domain.lifecycle import RequestState
from bot.domain.people import Person
from bot.domain.policy import Policy, Role, Runbook
from bot.domain.quorum import count
from bot.domain.request import Ask, Case, Vote
from bot.domain.rights import Allowed, standing


@dataclass(frozen=True, slots=True)
class Moment:
    """`what` is `ask`, `remind`, `skip` or `expire`; `why` only for a skip; `page`: beside Slack too."""

    at: datetime
    what: str
    role: Role | None = None
    people: tuple[Person, ...] = ()
    why: str = ""
    page: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """`earliest_yes` is None where no moment could bring the quorum."""

    filed_at: datetime
    moments: tuple[Moment, ...]
    earliest_yes: datetime | None


def explain(policy: Policy, runbook: Runbook, at: datetime, presence: Presence, scale: float = 1) -> Timeline:
    """The timeline of a request filed at `at` (aware UTC) by the runbook's first provider. No ladder: one empty line."""
    if runbook.escalation is None:
        return Timeline(at, (), at)
    case = filing.opened(policy, _form(policy, runbook), runbook, filing.Earlier(0, None, None, False), at, scale)
    moments: list[Moment] = []
    earliest: datetime | None = None
    now = at
    while now < case.approval.expires_at:
        result = advance(case, case.approval, policy, presence, now)
        case = case.with_approval(result.ask)
        moments += [_moment(event, now) for event in result.events]
        case, handed = _handed(case, policy, presence, now)
        moments += handed
        if earliest is None and _could_pass(case, case.approval, policy, now):
            earliest = now
        now = _next(case, policy, now)
    moments.append(Moment(case.approval.expires_at, "expire"))
    return Timeline(at, tuple(moments), earliest)


def upcoming(case: Case, policy: Policy, presence: Presence, after: datetime | None = None) -> Moment | None:
    """What comes next on a pending case if nobody answers, after the last that was asked; None when it is decided."""
    ask = case.approval
    if case.request.state is not RequestState.PENDING:
        return None
    due = _next(case, policy, after or max((r.at for r in ask.reached), default=ask.opened_at))
    if due >= case.approval.expires_at:
        return Moment(case.approval.expires_at, "expire")
    result = advance(case, case.approval, policy, presence, due)
    telling = [_moment(event, due) for event in result.events if isinstance(event, Fired)]
    case, handed = _handed(case.with_approval(result.ask), policy, presence, due)
    return next(iter([*telling, *handed]), None) or upcoming(case, policy, presence, due)


def _next(case: Case, policy: Policy, now: datetime) -> datetime:
    shift = next_shift(case, policy, now)
    return min([next_wake(case.approval), *([shift] if shift else [])])


def _handed(case: Case, policy: Policy, presence: Presence, now: datetime) -> tuple[Case, list[Moment]]:
    ask, reached = hand_over(case, case.approval, policy, presence, now)
    return case.with_approval(ask), [Moment(now, "ask", "on_call", (reached.person,))] if reached else []


def _moment(event: Fired | Skipped, now: datetime) -> Moment:
    step = event.step
    if isinstance(event, Skipped):
        return Moment(now, "skip", step.role, why=event.why)
    what = "ask" if step.action == "notify" else "remind"
    return Moment(now, what, step.role, tuple(r.person for r in event.people), page=step.page)


def _could_pass(case: Case, ask: Ask, policy: Policy, now: datetime) -> bool:
    votes = []
    for person in ask.asked:
        judged = standing(case, ask, policy, person)
        if isinstance(judged, Allowed):
            votes.append(Vote(person, "yes", judged.roles[0], now, case.request.seconds))
    return count(case, replace(ask, votes=tuple(votes)), policy).met


def _form(policy: Policy, runbook: Runbook) -> filing.Form:
    provider = policy.providers[runbook.providers[0]]
    team = min(provider.workspaces, default=policy.workspaces[0])
    asker = provider.requesters[0] if provider.requesters else None
    requester = Person(min(asker.teams), asker.user) if asker else Person(team, "U0SOMEBODY")
    return filing.Form("R-00000000", requester, runbook.id, "target", "reason", runbook.default_duration, {})
