"""Before a contract ends, owners and leads are notified: 30 and 7 days, 24 h and 2 h before, each once.

`contract_until` is a calendar date and its end the end of that day, UTC, on every clock; `TIME_SCALE` divides how long before it a
notice is given. After downtime, or for a date that is near already, only the shortest notice that is due is sent; the longer ones
count as given. A changed date is a new end, with notices of its own. Source: governance-contract.md, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from bot.domain.case.transition import Notification
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider
from bot.domain.workflow import notifications
from bot.domain.workflow.providers.suspension import leads_of, served

HOUR = 3600
BEFORE = (30 * 24 * HOUR, 7 * 24 * HOUR, 24 * HOUR, 2 * HOUR)  # seconds of policy time
Notice: TypeAlias = tuple[str, date, int]  # provider, last day, seconds before its end


@dataclass(frozen=True, slots=True)
class Due:
    """A provider whose end comes near, and the notices that are given with one message."""

    provider: Provider
    ends_at: datetime
    notices: tuple[Notice, ...]


def ends_at(last_day: date) -> datetime:
    """The end of a contract's last day, UTC."""
    return datetime.combine(last_day + timedelta(days=1), time(), UTC)


def due(policy: Policy, given: Set[Notice], now: datetime, scale: float) -> Iterator[Due]:
    """The ends of which notice is due now."""
    for provider in policy.providers.values():
        day = provider.contract_until
        if day is None or now >= ends_at(day) or provider.id in policy.standing.contracts_over:
            continue
        near = [s for s in BEFORE if now >= ends_at(day) - timedelta(seconds=s / scale)]
        new = tuple((provider.id, day, s) for s in near if (provider.id, day, s) not in given)
        if new and new[-1][2] == near[-1]:
            yield Due(provider, ends_at(day), new)


def says(policy: Policy, coming: Due, ids: Sequence[str]) -> tuple[Notification, ...]:
    """The message to the owners of the domains that serve the provider, and to its leads. `ids`: what is pending or open."""
    provider = coming.provider
    what = (
        f"Pending then expires, open access ends: {', '.join(ids)}." if ids else "Nothing of theirs is pending or open now."
    )
    text = (
        f"The contract of {provider.name} ends on {provider.contract_until}, at {coming.ends_at:%Y-%m-%d %H:%M} UTC. {what}"
        " Evidence and rotations stay owed; exceptions pass to their owner. If the contract goes on, change its date in the policy."
    )
    return tuple(notifications.answer(None, person, {}, "plain", text=text) for person in _told(policy, provider))


def _told(policy: Policy, provider: Provider) -> tuple[Person, ...]:
    owners = (domain.owner for domain in served(policy, provider.id))
    return tuple(dict.fromkeys((*owners, *leads_of(policy, provider))))
