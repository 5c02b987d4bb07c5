"""What the clock does to a case: steps, expiry, lapse. Silence takes the same line as a click.

Everything that is due is due at once, however late it is: after downtime nothing waits for another turn. An ask that
passed its deadline expires, and its steps that nobody saw stay unfired (design, section 4; rules 6 and 7).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain import entries, saying
from bot.domain.escalation import Advance, Presence, advance, next_wake, undelivered
from bot.domain.lifecycle import GrantState, RequestState, move_ask, move_grant, move_request
from bot.domain.people import Person
from bot.domain.policy import Policy
from bot.domain.request import Case, Reached
from bot.domain.rights import conflicted
from bot.domain.transition import Transition


def sweep(case: Case, policy: Policy, presence: Presence, now: datetime, delivered: int) -> Transition | None:
    """What is due on a case at `now`; None when nothing will ever be. `delivered`: cards that Slack accepted."""
    if case.request.state is RequestState.PENDING:
        if now >= case.approval.expires_at:
            return _expire(case, policy, now, delivered)
        return _stepped(case, policy, advance(case, case.approval, policy, presence, now))
    if case.grant is not None and case.grant.state is GrantState.OPEN:
        return _lapse(case, policy, now)
    return None


def card_failed(
    case: Case, policy: Policy, presence: Presence, person: Person, reason: str, now: datetime
) -> Transition | None:
    """A card will never reach `person`: recorded, and if their step thereby reached nobody, the next one fires at once."""
    if case.request.state is not RequestState.PENDING or now >= case.approval.expires_at:
        return None
    ask, empty = undelivered(case.approval, person, reason)
    return _stepped(case, policy, advance(case, ask, policy, presence, now, pulling=empty))


def stand_in(case: Case, policy: Policy, presence: Presence, now: datetime) -> Transition | None:
    """The owner went away: a question that waits for them goes to the first deputy present, on their behalf."""
    domain = policy.domains.get(case.request.domain)
    ask = case.approval
    if case.request.state is not RequestState.PENDING or now >= ask.expires_at or domain is None:
        return None
    if domain.owner not in ask.asked or ask.vote_of(domain.owner) is not None:
        return None
    deputy = next((d for d in domain.deputies if presence.here(d) and not conflicted(case, policy, d)), None)
    if deputy is None or deputy in ask.asked:
        return None
    reached = Reached(deputy, "deputies", 0, now, for_owner=True)
    after = case.with_approval(replace(ask, reached=(*ask.reached, reached)))
    return Transition(
        case, after, (entries.stood_in(after, policy, reached),), (saying.card(after, reached),), wake_at(after)
    )


def wake_at(case: Case) -> datetime | None:
    """When the sweeper must look at the case again; None: never."""
    if case.request.state is RequestState.PENDING:
        return next_wake(case.approval)
    if case.grant is not None and case.grant.state is GrantState.OPEN:
        return case.grant.not_after
    return None


def _stepped(case: Case, policy: Policy, result: Advance) -> Transition:
    after = case.with_approval(result.ask)
    return Transition(
        before=case,
        after=after,
        entries=tuple(entries.step(after, policy, event) for event in result.events),
        says=tuple(say for event in result.events for say in saying.step(after, policy, event)),
        wake_at=wake_at(after),
        refresh=bool(result.events),
    )


def _expire(case: Case, policy: Policy, now: datetime, delivered: int) -> Transition:
    ask = replace(case.approval, state=move_ask(case.approval.state, "expire"))
    request = replace(case.request, state=move_request(case.request.state, "expire"), closed_at=now)
    after = replace(case, request=request).with_approval(ask)
    says = saying.outcome(after, policy)
    return Transition(
        case, after, (entries.expired(after, policy, delivered, now - case.approval.expires_at),), says, refresh=True
    )


def _lapse(case: Case, policy: Policy, now: datetime) -> Transition:
    assert case.grant is not None
    if now < case.grant.not_after:
        return Transition(case, case, wake_at=case.grant.not_after)
    grant = replace(case.grant, state=move_grant(case.grant.state, "lapse"), ended_at=now)
    after = replace(case, grant=grant)
    says = saying.outcome(after, policy)
    return Transition(case, after, (entries.grant_lapsed(after, policy, grant),), says, refresh=True)
