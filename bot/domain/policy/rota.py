"""Who is on call when, as values: shifts, rotations of weeks, and the events of an iCal source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from bot.domain.policy.people import Person


@dataclass(frozen=True, slots=True)
class Weeks:
    """A rotation: of every `of` weeks (Monday to Sunday), counted from the one that holds `since`, the `on`th."""

    of: int
    on: int
    since: date

    @property
    def turn(self) -> int:
        """The number of its weeks since the first Monday of the calendar, modulo `of`."""
        return (_week(self.since) + self.on - 1) % self.of

    def include(self, day: date) -> bool:
        """Whether `day` is of such a week; the rotation runs on without an end, also before `since`."""
        return _week(day) % self.of == self.turn


def _week(day: date) -> int:
    return (day.toordinal() - 1) // 7  # ordinal 1 is a Monday, so no year's end breaks the count


@dataclass(frozen=True, slots=True)
class Shift:
    """`days` are 0 (Monday) to 6; `start` and `end` minutes of the local day, `end` up to 1440 and after `start`.

    `weeks` None: every week."""

    days: frozenset[int]
    start: int
    end: int
    person: Person
    weeks: Weeks | None = None

    def on_day(self, day: date) -> bool:
        """Whether it begins on this local day."""
        return day.weekday() in self.days and (self.weeks is None or self.weeks.include(day))


@dataclass(frozen=True, slots=True)
class Spell:
    """One person from `start` to before `end`, aware UTC."""

    start: datetime
    end: datetime
    person: Person


@dataclass(frozen=True, slots=True)
class Rota:
    """Says when somebody is on call; only `people` can be named. `feed` is the address of an iCal source.

    `spells` are that source's events around now; they are not part of the files and change without them."""

    id: str
    source: Literal["static", "ical"]
    people: tuple[Person, ...]
    time_zone: str
    shifts: tuple[Shift, ...] = ()
    fallback: Person | None = None
    page: str | None = None
    feed: str | None = None
    overrides: tuple[Spell, ...] = ()
    spells: tuple[Spell, ...] = field(default=(), compare=False)
