"""Absences: their begin and end, and the summary at the end.

A person who comes back, by command or because the time has passed, gets one summary of what others answered in their name; no summary
is sent if there was nothing. The message is written in the transaction that ends the absence, so that it is sent exactly
once, over restarts too. It names requests by id and title, who answered and the result, never a target or a reason.
Design, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.case.transition import Absence, Lane, Notification, Transition, Value, epoch_ms
from bot.domain.decision_log import events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import notifications

RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Absent:
    """Somebody's absence as stored: since when, through all that prolonged it, and until when."""

    person: Person
    since: datetime
    until: datetime


def leave(policy: Policy, person: Person, until: datetime, reply: dict[str, object]) -> Transition:
    """Away until then. An absence that is under way is prolonged or cut, and keeps its beginning."""
    draft = events.absence(policy, person, until)
    owned = [domain for domain in policy.domains.values() if domain.owner == person]
    deputies: list[Value] = [*dict.fromkeys(str(deputy) for domain in owned for deputy in domain.deputies)]
    says = (notifications.answer(None, person, reply, "away", until=epoch_ms(until), deputies=deputies),)
    return Transition(None, None, (draft,), says, absence=Absence(person, until))


def come_back(
    policy: Policy, person: Person, reply: dict[str, object], found: Absent | None, now: datetime, *, decided: bool
) -> Transition:
    """They said that they are back. `decided`: something was answered in their name."""
    says: tuple[Notification, ...] = (notifications.answer(None, person, reply, "away", until=0),)
    if found is None:
        return Transition(None, None, (events.absence(policy, person, None),), says)
    says += _summary(found, min(now, found.until)) if decided else ()
    return Transition(None, None, (events.absence(policy, person, None),), says, absence=Absence(person, None, found.until))


def passed(found: Absent, *, decided: bool) -> Transition:
    """The named time has passed: `absence.set` contains it already, so the log gets no second entry."""
    says = _summary(found, found.until) if decided else ()
    return Transition(None, None, says=says, absence=Absence(found.person, None, found.until))


def _summary(found: Absent, until: datetime) -> tuple[Notification, ...]:
    return (
        Notification(RETURNED, Lane.CARD, to=found.person, data={"since": epoch_ms(found.since), "until": epoch_ms(until)}),
    )
