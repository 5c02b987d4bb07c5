"""What the engine would do with a request that nobody answers, by the engine itself.

A made-up case is filed and swept at each of its own wake-ups; what fired, what was skipped and why, and the end are the
timeline. The earliest yes is the first moment at which everybody asked so far, saying yes, would meet the quorum.
Whoever is asleep gets the card and keeps the authority; where nobody of a step could be woken, the next one fires at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.authority.authorization import Allowed, standing
from bot.domain.authority.quorum import count
from bot.domain.authority.signatures import counting_key, demanded
from bot.domain.case.ask import Ask, Vote
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy, Role, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Fired, Presence, Skipped, advance
from bot.domain.timing.steps import next_wake, people_of
from bot.domain.workflow import filing, filing_form
from bot.domain.workflow.findings import filing as findings
from bot.domain.workflow.shift_change import hand_over, next_shift

NIGHT = timedelta(hours=8)  # how long somebody who is asleep is taken to sleep


@dataclass(frozen=True, slots=True)
class Moment:
    """`what` is `ask`, `remind`, `skip`, `expire` or `hourly` (of a finding); `why` only for a skip; `page`: beside Slack too; `asleep`: of those.
    `missing`: of the role that a skip passes over, the people its reason applies to."""

    at: datetime
    what: str
    role: Role | None = None
    people: tuple[Person, ...] = ()
    why: str = ""
    page: bool = False
    asleep: tuple[Person, ...] = ()
    missing: tuple[Person, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Timeline:
    """`earliest_yes` is None where no moment could bring the quorum."""

    filed_at: datetime
    moments: tuple[Moment, ...]
    earliest_yes: datetime | None


def explain(
    policy: Policy, runbook: Runbook, at: datetime, presence: Presence, scale: float = 1, asleep: Set[Person] = frozenset()
) -> Timeline:
    """The timeline of a request filed at `at` (aware UTC) by the runbook's first provider. No ladder: one empty line."""
    if runbook.escalation is None:
        return Timeline(at, (), at)
    presence = replace(presence, quiet=dict.fromkeys(asleep, at + NIGHT))
    case = _made_up(policy, runbook, at, scale)
    moments: list[Moment] = []
    earliest: datetime | None = None
    for now, then, told in _run(case, policy, presence, at):
        moments += told
        if earliest is None and _could_pass(then, then.approval, policy, presence, now):
            earliest = now
    moments.append(_last(case))
    return Timeline(at, tuple(moments), earliest)


def ahead(case: Case, policy: Policy, presence: Presence) -> tuple[Moment, ...]:
    """All that is still to come on a pending case if nobody answers, its end included; nothing once it is decided."""
    if case.request.closed_at is not None:
        return ()
    last = max((r.at for r in case.approval.reached), default=case.approval.opened_at)
    runs = _run(case, policy, presence, _next(case, policy, last))
    moments = [moment for _, _, told in runs for moment in told]
    return (*moments, _last(case))


def upcoming(case: Case, policy: Policy, presence: Presence) -> Moment | None:
    """What comes next on a pending case if nobody answers; None when it is decided."""
    return next((m for m in ahead(case, policy, presence) if m.what != "skip"), None)


def _made_up(policy: Policy, runbook: Runbook, at: datetime, scale: float) -> Case:
    form = _form(policy, runbook)
    if runbook.kind == "finding":
        return findings.opened(policy, form, runbook, at, scale)
    return filing.opened(policy, form, runbook, filing.Earlier(0, None, None, False), at, scale)


def _run(
    case: Case, policy: Policy, presence: Presence, start: datetime
) -> Iterator[tuple[datetime, Case, tuple[Moment, ...]]]:
    """Each wake-up from `start` on, with the case after it and what happened."""
    now = start
    while now < _end(case):
        result = advance(case, case.approval, policy, presence, now)
        case, handed = _handed(case.with_approval(result.ask), policy, presence, now)
        yield now, case, (*(_moment(event, case, policy, presence, now) for event in result.events), *handed)
        now = _next(case, policy, now)


def _end(case: Case) -> datetime:
    """When the ladder ends: of a finding, which never expires, the time from which it is repeated every hour."""
    return case.approval.expires_at if case.finding is None else case.request.expires_at


def _last(case: Case) -> Moment:
    return Moment(_end(case), "expire" if case.finding is None else "hourly")


def _next(case: Case, policy: Policy, now: datetime) -> datetime:
    shift = next_shift(case, policy, now)
    return min([next_wake(case.approval), *([shift] if shift else [])])


def _handed(case: Case, policy: Policy, presence: Presence, now: datetime) -> tuple[Case, list[Moment]]:
    ask, reached = hand_over(case, case.approval, policy, presence, now)
    return case.with_approval(ask), [Moment(now, "ask", "on_call", (reached.person,))] if reached else []


def _moment(event: Fired | Skipped, case: Case, policy: Policy, presence: Presence, now: datetime) -> Moment:
    step = event.step
    if isinstance(event, Skipped):
        domain = policy.domains.get(case.request.domain)
        named = people_of(step.role, policy, domain, now) if domain is not None else ()
        missing = tuple(person for person in named if presence.away.get(person) == event.why)
        return Moment(now, "skip", step.role, tuple(r.person for r in event.told), why=event.why, missing=missing)
    what = "ask" if step.action == "notify" else "remind"
    people = tuple(r.person for r in event.people)
    return Moment(now, what, step.role, people, page=step.page, asleep=tuple(p for p, _ in event.quiet))


def _could_pass(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime) -> bool:
    votes, older = [], presence.binding(ask.opened_at)
    for person in ask.asked:
        judged = standing(case, ask, policy, person)
        if isinstance(judged, Allowed):
            key = counting_key(policy, person, demanded(case, ask.kind, policy, older), older)
            votes.append(Vote(person, "yes", judged.roles[0], now, case.request.seconds, credential=key))
    return count(case, replace(ask, votes=tuple(votes)), policy).met


def _form(policy: Policy, runbook: Runbook) -> filing_form.Form:
    provider = policy.providers[runbook.providers[0]]
    team = min(provider.workspaces, default=policy.workspaces[0])
    asker = provider.requesters[0] if provider.requesters else None
    requester = Person(min(asker.teams), asker.user) if asker else Person(team, "U0SOMEBODY")
    return filing_form.Form("R-00000000", requester, runbook.id, "target", "reason", runbook.default_duration, {})
