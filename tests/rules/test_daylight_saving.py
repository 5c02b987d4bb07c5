"""The hour that is skipped and the hour that comes twice, in three places of the world; and a day that comes every four years.

A wall time in a gap means its end, one that comes twice for the earlier of the two: in shifts, overrides and working
hours alike. A calendar's own times follow RFC 5545, where a time in a gap is reckoned with the offset before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.policy.business_hours import add, instant
from bot.domain.policy.model import Hours
from bot.domain.policy.on_call import gaps, next_change, on_call, spells
from bot.domain.policy.rota import Rota, Shift, Spell
from runbooks.calendars.ical import read_feed
from runbooks.rules.on_call import real
from tests.bot.building import DAY, HOUR, MINUTE, ONC1, ONC2, WHOLE_WEEK
from tests.runbooks.calendars.test_ical import feed


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]


@dataclass(frozen=True)
class Change:
    """`minute` of the local `day` is skipped or comes twice; `means` is the instant that it means.

    `moved`: how far the clock is set; `calendar`: what RFC 5545 makes of the same wall time."""

    zone: str
    day: date
    minute: int
    means: datetime
    moved: timedelta
    calendar: datetime

    @property
    def place(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def wall(self) -> str:
        return f"{self.day}T{self.minute // 60:02d}:{self.minute % 60:02d}"

    @property
    def midnight(self) -> datetime:
        return instant(self.day, 0, self.place)


LONDON_GAP = Change("Europe/London", date(2026, 3, 29), 90, at(2026, 3, 29, 1), HOUR, at(2026, 3, 29, 1, 30))
YORK_GAP = Change("America/New_York", date(2026, 3, 8), 150, at(2026, 3, 8, 7), HOUR, at(2026, 3, 8, 7, 30))
HOWE_GAP = Change("Australia/Lord_Howe", date(2026, 10, 4), 135, at(2026, 10, 3, 15, 30), HOUR / 2, at(2026, 10, 3, 15, 45))
LONDON_FOLD = Change("Europe/London", date(2026, 10, 25), 90, at(2026, 10, 25, 0, 30), HOUR, at(2026, 10, 25, 0, 30))
YORK_FOLD = Change("America/New_York", date(2026, 11, 1), 90, at(2026, 11, 1, 5, 30), HOUR, at(2026, 11, 1, 5, 30))
HOWE_FOLD = Change("Australia/Lord_Howe", date(2026, 4, 5), 105, at(2026, 4, 4, 14, 45), HOUR / 2, at(2026, 4, 4, 14, 45))

in_a_gap = pytest.mark.parametrize("change", [LONDON_GAP, YORK_GAP, HOWE_GAP], ids=lambda c: c.zone)
in_a_fold = pytest.mark.parametrize("change", [LONDON_FOLD, YORK_FOLD, HOWE_FOLD], ids=lambda c: c.zone)
in_either = pytest.mark.parametrize(
    "change", [LONDON_GAP, YORK_GAP, HOWE_GAP, LONDON_FOLD, YORK_FOLD, HOWE_FOLD], ids=lambda c: f"{c.zone} {c.day}"
)


def split(change: Change) -> Rota:
    """One person up to the wall time, another one from it, every day; nobody else."""
    shifts = (Shift(WHOLE_WEEK, 0, change.minute, ONC1), Shift(WHOLE_WEEK, change.minute, 1440, ONC2))
    return Rota("r", "static", (ONC1, ONC2), change.zone, shifts)


@in_either
def test_a_shift_changes_at_the_instant_that_the_wall_time_means(change: Change) -> None:
    rota = split(change)
    assert next_change(rota, change.midnight, change.midnight + DAY) == change.means
    assert (on_call(rota, change.means - timedelta(seconds=1)), on_call(rota, change.means)) == (ONC1, ONC2)


@in_either
def test_the_day_has_no_hole_and_no_second_change(change: Change) -> None:
    rota, end = split(change), instant(change.day + timedelta(days=1), 0, change.place)
    assert gaps(rota, change.midnight - DAY, end + DAY) == ()
    assert list(spells(rota, change.midnight, end)) == [
        (change.midnight, change.means, ONC1), (change.means, end, ONC2),
    ]  # fmt: skip


@in_either
def test_an_override_begins_and_ends_at_the_instant_that_its_wall_time_means(change: Change) -> None:
    assert real(change.wall, change.place) == change.means
    always = Rota("r", "static", (ONC1, ONC2), change.zone, (Shift(WHOLE_WEEK, 0, 1440, ONC1),))
    until = replace(always, overrides=(Spell(change.midnight, change.means, ONC2),))
    since = replace(always, overrides=(Spell(change.means, change.midnight + DAY, ONC2),))
    second = timedelta(seconds=1)
    assert [on_call(until, m) for m in (change.means - second, change.means)] == [ONC2, ONC1]
    assert [on_call(since, m) for m in (change.means - second, change.means)] == [ONC1, ONC2]


def test_an_override_with_an_offset_means_exactly_that_one_of_the_two() -> None:
    assert real("2026-10-25T01:30+00:00", ZoneInfo("Europe/London")) == LONDON_FOLD.means + HOUR


@in_a_gap
def test_working_hours_that_would_open_in_the_gap_open_at_its_end(change: Change) -> None:
    hours = Hours(WHOLE_WEEK, change.minute, change.minute + 120, change.zone)
    assert add(change.midnight, 10 * MINUTE, hours) == change.means + 10 * MINUTE


@in_a_gap
def test_what_the_gap_skips_of_working_hours_is_not_counted(change: Change) -> None:
    hours = Hours(WHOLE_WEEK, 0, 720, change.zone)
    ends = instant(change.day, 720, change.place)
    assert ends - change.midnight == 12 * HOUR - change.moved
    assert add(change.midnight, 12 * HOUR - change.moved, hours) == ends
    tomorrow = instant(change.day + timedelta(days=1), 0, change.place)
    assert add(change.midnight, 12 * HOUR, hours) == tomorrow + change.moved


@in_a_fold
def test_what_comes_twice_of_working_hours_counts_twice(change: Change) -> None:
    hours = Hours(WHOLE_WEEK, change.minute, change.minute + 60, change.zone)
    long = HOUR + change.moved
    assert add(change.midnight, long, hours) == change.means + long
    tomorrow = instant(change.day + timedelta(days=1), change.minute, change.place)
    assert add(change.midnight, long + MINUTE, hours) == tomorrow + MINUTE


@in_either
def test_a_calendars_own_time_is_what_the_standard_says(change: Change) -> None:
    rota = Rota("r", "ical", (ONC1, ONC2), change.zone, fallback=ONC2, feed="a.ics")
    stamp = f"{change.day:%Y%m%d}T{change.minute // 60:02d}{change.minute % 60:02d}00"
    event = f"UID:1\nDTSTART;TZID={change.zone}:{stamp}\nDURATION:PT6H\nSUMMARY:U0ONC1"
    (spell,) = read_feed(feed(event), rota, (), change.midnight).spells
    assert spell.start == change.calendar


@in_either
def test_a_calendar_that_repeats_by_wall_time_covers_the_day_of_the_change_whole(change: Change) -> None:
    rota = Rota("r", "ical", (ONC1, ONC2), change.zone, feed="a.ics")
    first, next_ = (f"{change.day - timedelta(days=n):%Y%m%d}T120000" for n in (7, 6))
    event = f"DTSTART;TZID={change.zone}:{first}\nDTEND;TZID={change.zone}:{next_}\nRRULE:FREQ=DAILY\nSUMMARY:U0ONC1"
    known = replace(rota, spells=read_feed(feed(f"UID:1\n{event}"), rota, (), change.midnight).spells)
    noon = instant(change.day, 720, change.place)
    assert gaps(known, noon - 2 * DAY, noon + 2 * DAY) == ()


class TestALeapDay:
    def test_working_hours_count_it(self) -> None:
        hours = Hours(frozenset(range(5)), 540, 1020, "Europe/London")
        assert add(at(2028, 2, 28, 16), 2 * HOUR, hours) == at(2028, 2, 29, 10)
        assert add(at(2028, 2, 29, 16), 2 * HOUR, hours) == at(2028, 3, 1, 10)

    def test_an_override_may_be_of_it_and_no_other_year_has_one(self) -> None:
        assert real("2028-02-29T08:00", ZoneInfo("America/New_York")) == at(2028, 2, 29, 13)
        with pytest.raises(ValueError):
            real("2027-02-29T08:00", ZoneInfo("America/New_York"))

    def test_a_calendar_that_repeats_yearly_on_it_is_silent_in_other_years(self) -> None:
        rota = Rota("r", "ical", (ONC1, ONC2), "UTC", fallback=ONC2, feed="a.ics")
        body = feed("UID:1\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY\nSUMMARY:U0ONC1")
        assert [s.start for s in read_feed(body, rota, (), at(2028, 2, 20)).spells] == [at(2028, 2, 29)]
        assert read_feed(body, rota, (), at(2027, 2, 20)).spells == ()

    def test_a_night_over_it_is_one_night_like_any_other(self) -> None:
        rota = Rota(
            "r", "static", (ONC1, ONC2), "UTC", (Shift(WHOLE_WEEK, 0, 480, ONC1), Shift(WHOLE_WEEK, 480, 1440, ONC2))
        )
        days = list(spells(rota, at(2028, 2, 28), at(2028, 3, 2)))
        assert [(begin, person) for begin, _, person in days[2:4]] == [
            (at(2028, 2, 29), ONC1), (at(2028, 2, 29, 8), ONC2),
        ]  # fmt: skip
