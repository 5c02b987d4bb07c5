"""Keys of governance in the matrix: agreement, reviews, owners by date. Each is off if absent.

Durations are whole seconds of policy time; a window of a review counts working days. Source: governance-contract.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from bot.domain.policy.people import Person


@dataclass(frozen=True, slots=True)
class Agreement:
    """Owners confirm their rows of the matrix every `every`, within `window`; `hold`: a change counts only once confirmed."""

    every: int
    window: int
    unconfirmed: Literal["warn", "hold"]


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """How often the rights without prior consent are reviewed, within how many working days, and what silence does."""

    every: int
    break_glass_every: int
    window_days: int
    silence: Literal["narrow", "keep"]


@dataclass(frozen=True, slots=True)
class OwnerTerm:
    """Who owns a domain from the day `first` to the day `last`, both included, UTC; None: without a limit."""

    person: Person
    first: date | None = None
    last: date | None = None

    def holds_on(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ItemKind = Literal["autonomous", "break_glass", "exception", "person"]


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a review took away in one domain. `of` is a runbook's id, a request's id, or `TEAM/USER`.

    `own`: somebody answered so, and it holds until the file with this SHA-256 changes; else a silence did it, and it holds
    while the content of the row is `row`, or until it is kept. `since` is when that was entered in the log.
    """

    kind: ItemKind
    of: str
    domain: str
    effect: Literal["narrow", "withdraw"]
    own: bool
    row: str
    sha256: str
    since: datetime
