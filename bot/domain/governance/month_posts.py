"""When a month's figures are posted, and to whom.

They are posted on the first working day (Monday to Friday, UTC) after the month, or within two weeks of it where somebody could get
no message before; each person gets a month once. Where the clock runs faster than the wall's, a month is 30 days of policy time and
every day is a working day; the figures are those of the calendar month all the same. Source: governance-contract.md, sections 6, 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

_MONTH = 30 * 86_400  # seconds of policy time
_LATEST = 14  # the last day on which a month is posted


@dataclass(frozen=True, slots=True)
class MonthPost:
    """One person's message; `argument` as `/countersign report` takes it."""

    person: Person
    argument: str


def due_month(now: datetime, scale: float) -> tuple[str, str] | None:
    """A name for the month that is to be posted now, the same until the next, and the calendar month; None: nothing is due."""
    today = now.astimezone(UTC).date()
    if scale > 1:
        return f"{int(now.timestamp() * scale // _MONTH)}", f"{today:%Y-%m}"
    first = today.replace(day=1)
    worked = any((first + timedelta(days=ago)).weekday() < 5 for ago in range(today.day))
    if not worked or today.day > _LATEST:
        return None
    month = f"{first - timedelta(days=1):%Y-%m}"
    return month, month


def posts(policy: Policy, month: str) -> Iterator[MonthPost]:
    """The owners of domains and the leads of providers, each with what concerns them."""
    for owner in dict.fromkeys(domain.owner for domain in policy.domains.values()):
        yield MonthPost(owner, f"owner {month}")
    for provider in policy.providers.values():
        for ref in provider.leads:
            home = ref.teams & frozenset(policy.workspaces)
            yield MonthPost(Person(min(home or ref.teams), ref.user), f"provider {month}")
