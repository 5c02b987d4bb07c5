"""A domain changes owners on a day: the log entry, and the messages to both owners.

Where nobody owns the domain from that day on it is VACANT: its risk owner answers for the owner, and everybody who is named is informed
it. Source: governance-contract.md, section 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.authority.authorization import named_for
from bot.domain.case.transition import CLOCK, FileDigest, LogEvent, Value
from bot.domain.governance import wording
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.people import Person


@dataclass(frozen=True, slots=True)
class Open:
    """What goes over, as request ids: open questions, exceptions that are live, and what is owed by providers."""

    asks: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()


def owner_today(domain: Domain) -> str:
    """The owner as `TEAM/USER`; "" where nobody owns the domain."""
    return "" if domain.vacant else str(domain.owner)


def is_by_date(domain: Domain, was: str) -> bool:
    """Whether the change from `was` follows from the dates, not from other files."""
    return was == "" or any(str(term.person) == was for term in domain.terms)


def event(policy: Policy, domain: Domain, was: Person | None, found: Open) -> LogEvent:
    """`domain.handed_over`, or `domain.vacant` where nobody follows."""
    data: dict[str, Value] = {
        "domain": domain.id, "asks": found.asks, "exceptions": found.exceptions, "owed": found.owed, "to": domain.owner,
    }  # fmt: skip
    if was is not None:
        data["from"] = was
    kind = "domain.vacant" if domain.vacant else "domain.handed_over"
    return LogEvent(kind, CLOCK, data=data, policy=FileDigest(policy.organisation, policy.digest))


def hears(policy: Policy, domain: Domain, was: Person | None) -> tuple[Person, ...]:
    """Both owners; everybody named where nobody owns the domain now."""
    named = named_for(policy, domain) if domain.vacant else (domain.owner,)
    return tuple(dict.fromkeys((*([was] if was else []), *named)))


def text(policy: Policy, domain: Domain, was: Person | None, found: Open, day: date) -> str:
    """What they read: who answers from today on, and what goes over."""
    before = f" Until yesterday it was {wording.person(policy, was)}." if was else ""
    who = wording.person(policy, domain.owner)
    if domain.vacant:
        head = (
            f"{domain.name} is VACANT: nobody owns it since {wording.day(day)}. {who} answers as risk owner; name an owner."
        )
    else:
        head = f"{who} owns {domain.name} since {wording.day(day)}."
    return " ".join([head + before, *_listed(found)])


def _listed(found: Open) -> Sequence[str]:
    parts = (("Open questions", found.asks), ("Live exceptions", found.exceptions), ("Owed by providers", found.owed))
    lines = [
        f"{name}: {', '.join(ids[:20])}{f' and {len(ids) - 20} more' if len(ids) > 20 else ''}."
        for name, ids in parts
        if ids
    ]
    return ["This goes over:", *lines] if lines else ["Nothing is open in it."]
