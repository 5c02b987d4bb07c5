"""What an erasure is judged by: it is refused while something still needs what would be erased.

A hold, an open case of the subject, and the retention of evidence about a requester or decider each refuse
it. What is erased is everything that the log discloses about the subject; digests, and with them every proof, stay.
Source: decision-log.md, "Privacy and retention".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.case.transition import OPERATOR, FileDigest, LogEvent, Value
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person

AT_ONCE = 1_000  # digests in one entry


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """What is stored about a subject. `decided_until`: when the newest case ended that they asked for, decided on or
    revoked, or they last confirmed or refused an act of an operator."""

    named: bool
    holds: tuple[str, ...]
    open_cases: tuple[str, ...]
    decided_until: datetime | None


def refusal(standing: SubjectRecord, retention: timedelta, now: datetime) -> str | None:
    """Why nothing of the subject can be erased now; None if it can."""
    if not standing.named:
        return "The log names nobody by that, or they were erased already."
    if standing.holds:
        return f"A hold stands on it: {_some(standing.holds)}."
    if standing.open_cases:
        return f"Cases of theirs are still open: {_some(standing.open_cases)}."
    if standing.decided_until is not None and now < standing.decided_until + retention:
        until = standing.decided_until + retention
        return f"They asked, decided, revoked or confirmed; that evidence is kept until {until:%Y-%m-%d %H:%M} UTC (`retention`)."
    return None


def erased(subject: Person, digests: Sequence[str], policy: Policy) -> Iterator[LogEvent]:
    """The entries that name what is erased; one at least."""
    for start in range(0, max(len(digests), 1), AT_ONCE):
        some: tuple[Value, ...] = tuple(digests[start : start + AT_ONCE])
        data: dict[str, Value] = {"subject": subject, "digests": some}
        yield LogEvent("privacy.erased", OPERATOR, data=data, policy=FileDigest(policy.organisation, policy.digest))


def result(failed: Sequence[str]) -> str:
    """The result, with the messages that could not be edited."""
    if not failed:
        return "Everything that the log disclosed about them is erased."
    more = f", and {len(failed) - 20} more" if len(failed) > 20 else ""
    return (
        "Everything that the log disclosed about them is erased. These messages of ours could not be edited in Slack:"
        f" {'; '.join(failed[:20])}{more}."
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
