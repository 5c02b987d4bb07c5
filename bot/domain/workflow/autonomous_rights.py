"""Autonomous rights: the provider may execute now, and the owner is notified.

- Nobody is asked: the grant opens with the filing. Where the runbook wants the subject verified, or has a cooling-off, it
  opens when both are satisfied, and the request is pending until then.
- `tell: each` informs the owner at each opening; `daily` sends them one message for all of a day, a day after the first of them.
- `limit` counts what the provider filed under the runbook in a sliding window, refused filings aside. It is counted at the
  filing, one filing of a provider at a time, and shown in the form.
The right itself is reviewed on schedule and may be withdrawn (`matters`). Design, sections 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.case.model import Case, Grant
from bot.domain.case.transition import Notification
from bot.domain.decision_log import events, grant_events
from bot.domain.governance import narrowing
from bot.domain.policy.model import Limit, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.timing import cooling_off, end_dates
from bot.domain.workflow import notifications
from bot.domain.workflow.authority_reset import holds_authority
from bot.domain.workflow.follow_up import DAY, Effects


def withdrawn(policy: Policy, sha256: str) -> bool:
    """Whether the right that this runbook file defines was withdrawn."""
    return sha256 in policy.standing.withdrawn


def gone(case: Case, policy: Policy, now: datetime) -> str | None:
    """Why nothing opens any more for a request that still waits under an autonomous right; None while the right is in force.

    Nobody approves it, so what policy and owner have taken away since the filing counts at once.
    """
    request = case.request
    runbook, provider = policy.runbooks.get(request.runbook), policy.providers.get(request.provider)
    if withdrawn(policy, request.runbook_sha256) or (runbook is not None and withdrawn(policy, runbook.sha256)):
        return WITHDRAWN
    if runbook is not None and narrowing.narrowed(policy, runbook, request.requester) is not runbook:
        return NARROWED
    if runbook is None or runbook.right != "autonomous" or provider is None or provider.id not in runbook.providers:
        return GONE
    if request.kind == "reset" and request.subject is not None and holds_authority(policy, request.subject):
        return AUTHORITY
    over = provider.ended(now.date())
    return GONE if over or not provider.may_ask(request.requester) else None


WITHDRAWN = "This right was withdrawn by its owner. Nothing is possible under it until its runbook changes."
NARROWED = "A review narrowed this meanwhile, so nothing opens without a yes. Ask again, and the owner is asked."
AUTHORITY = "This person holds authority now, so nothing opens without a yes. Ask again, and the owner is asked."
GONE = "The policy no longer gives this right, so nothing opens under it. Ask again under what it says now."


@dataclass(frozen=True, slots=True)
class Used:
    """How often a provider used a runbook within its limit's window, and when the oldest of these was filed."""

    count: int = 0
    oldest: datetime | None = None


def spent(limit: Limit | None, used: Used, scale: float) -> str | None:
    """Why the limit allows no further filing now; None if it does."""
    if limit is None or used.count < limit.count:
        return None
    again = used.oldest + timedelta(seconds=limit.per / scale) if used.oldest and used.count == limit.count else None
    when = f" The next is possible after {again:%Y-%m-%d %H:%M:%S} UTC." if again else ""
    return f"The limit of {limit.count} in {_words(limit.per)} is used up for your provider.{when}"


def left(limit: Limit, used: Used) -> str:
    """The form's note on a limit that is not used up."""
    return f"{used.count} of {limit.count} in {_words(limit.per)} are used."


def waits_until(runbook: Runbook, now: datetime, scale: float) -> datetime:
    """When a request under an autonomous right expires that has to wait for proof or its time: a day after that time."""
    return now + timedelta(seconds=((runbook.not_before or 0) + DAY) / scale)


def begin(case: Case, policy: Policy, now: datetime) -> Effects:
    """A case that was just made for filing, opened at once or waiting for proof or its time. Its receipt is the caller's."""
    filed = Effects(case, (events.filed(case, policy),), notifications.to_subject(case, "before"))
    return filed if case.unverified() else filed.then(ready(case, policy, now))


def ready(case: Case, policy: Policy, now: datetime) -> Effects:
    """Nothing is left to be verified: it opens, now or at its time."""
    opens_at = cooling_off.until(case, now)
    if opens_at is None:
        return opened(case, policy, now, case.request.requester)
    waiting = case.with_approval(replace(case.approval, opens_at=opens_at))
    return Effects(waiting, (), (notifications.to_requester("cooling", waiting),))


def opened(case: Case, policy: Policy, now: datetime, by: Person | None) -> Effects:
    """The grant opens for all that was asked, and the owner is notified as the current runbook defines. `by` None: by the clock."""
    seconds = case.request.seconds
    lasting = Grant(seconds, now, now + case.request.terms.real(seconds))
    grant = end_dates.grant(case, seconds, now) if case.dated else lasting
    after = cooling_off.opened(case, grant, by)
    says = (*notifications.outcome(after, policy), *told(after, policy, now))
    return Effects(after, grant_events.grant_opened(after, policy, by, grant), says)


def told(case: Case, policy: Policy, now: datetime) -> tuple[Notification, ...]:
    """Notifies the owner: at once, or in one message a day."""
    domain, runbook = policy.domains.get(case.request.domain), policy.runbooks.get(case.request.runbook)
    if domain is None:
        return ()
    if runbook is not None and runbook.tell == "each":
        return (notifications.used(case, domain.owner),)
    return (notifications.digest(domain.owner, now, now + case.request.terms.real(DAY)),)


def _words(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return f"{seconds // size} {name}" + ("s" if seconds != size else "")
    return f"{seconds} seconds"
