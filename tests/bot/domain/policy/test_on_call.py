"""Who is on call at one instant, also where the clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.on_call import gaps, next_change, on_call, spells
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota, Shift, Spell, Weeks
from tests.bot.building import ONC1, ONC2, OWNER, SECURITY, STRANGER, T0, WHOLE_WEEK

WEEKDAYS, WEEKEND = frozenset(range(5)), frozenset({5, 6})


def rota(*shifts: Shift, fallback: bool = True, zone: str = "Europe/London") -> Rota:
    return Rota("r", "static", (ONC1, ONC2), zone, shifts, ONC2 if fallback else None)


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_a_shift_covers_its_hours_from_its_first_second_to_before_its_last() -> None:
    day = rota(Shift(WEEKDAYS, 480, 1200, ONC1))
    assert on_call(day, at(2026, 3, 4, 8, 0)) == ONC1
    assert on_call(day, at(2026, 3, 4, 19, 59)) == ONC1
    assert on_call(day, at(2026, 3, 4, 20, 0)) == ONC2


def test_the_fallback_covers_what_no_shift_does() -> None:
    assert on_call(rota(Shift(WEEKDAYS, 480, 1200, ONC1)), at(2026, 3, 7, 12, 0)) == ONC2


def test_without_a_fallback_nobody_is_on_call_outside_the_shifts() -> None:
    assert on_call(rota(Shift(WEEKDAYS, 480, 1200, ONC1), fallback=False), at(2026, 3, 7, 12, 0)) is None


def test_hours_are_the_rotas_own_wall_time_in_summer_as_in_winter() -> None:
    day = rota(Shift(WHOLE_WEEK, 480, 1200, ONC1))
    assert on_call(day, at(2026, 7, 1, 7, 0)) == ONC1
    assert on_call(day, at(2026, 1, 7, 7, 0)) == ONC2


def test_a_night_before_the_clocks_change_ends_at_the_changed_hour() -> None:
    night = rota(Shift(WHOLE_WEEK, 0, 90, ONC1))  # to 01:30, which 29 March 2026 does not have
    assert on_call(night, at(2026, 3, 29, 0, 59)) == ONC1
    assert on_call(night, at(2026, 3, 29, 1, 0)) == ONC2


def test_the_repeated_hour_is_covered_through_its_second_time() -> None:
    morning = rota(Shift(WHOLE_WEEK, 0, 180, ONC1), Shift(WHOLE_WEEK, 180, 1440, ONC2), fallback=False)
    assert on_call(morning, at(2026, 10, 25, 0, 30)) == ONC1
    assert on_call(morning, at(2026, 10, 25, 1, 30)) == ONC1
    assert on_call(morning, at(2026, 10, 25, 3, 0)) == ONC2


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"]),
    cut=st.integers(1, 1439),
)
def test_shifts_that_cover_the_week_leave_no_second_uncovered(moment: datetime, zone: str, cut: int) -> None:
    full = rota(Shift(WHOLE_WEEK, 0, cut, ONC1), Shift(WHOLE_WEEK, cut, 1440, ONC2), fallback=False, zone=zone)
    assert on_call(full, moment) in (ONC1, ONC2)


def test_the_small_organisation_changes_shifts_at_noon() -> None:
    assert on_call(SECURITY, T0) == ONC1
    assert on_call(SECURITY, T0.replace(hour=12)) == ONC2


def test_a_rotation_alternates_over_a_year_of_53_weeks() -> None:
    since = date(2026, 1, 5)
    turns = [Shift(WHOLE_WEEK, 0, 1440, person, Weeks(2, on, since)) for on, person in ((1, ONC1), (2, ONC2))]
    both = rota(*turns, fallback=False)
    mondays = [at(2026, 12, 14, 12) + timedelta(weeks=n) for n in range(6)]  # across ISO week 53 of 2026
    assert [on_call(both, monday) for monday in mondays] == [ONC2, ONC1, ONC2, ONC1, ONC2, ONC1]
    assert on_call(both, at(2025, 12, 29)) == ONC2  # it runs back before its first week as well


def test_a_leap_day_is_a_day_like_any_other() -> None:
    day = rota(Shift(frozenset({1}), 0, 1440, ONC1))  # 29 February 2028 is a Tuesday
    assert on_call(day, at(2028, 2, 29, 12)) == ONC1
    assert on_call(day, at(2028, 3, 1, 12)) == ONC2


def test_an_override_counts_before_shifts_and_ends_to_the_second() -> None:
    usual = rota(Shift(WHOLE_WEEK, 0, 1440, ONC1))
    swapped = replace(usual, overrides=(Spell(at(2026, 3, 4, 9), at(2026, 3, 4, 11), ONC2),))
    assert [on_call(swapped, at(2026, 3, 4, *t)) for t in ((8, 59), (9, 0), (10, 59), (11, 0))] == [ONC1, ONC2, ONC2, ONC1]
    assert next_change(swapped, at(2026, 3, 4, 8), at(2026, 3, 5)) == at(2026, 3, 4, 9)


def test_gaps_are_the_times_of_a_hole_in_a_schedule() -> None:
    holed = rota(Shift(WHOLE_WEEK, 480, 1440, ONC1), fallback=False)
    assert gaps(holed, at(2026, 3, 4), at(2026, 3, 5, 12)) == (
        (at(2026, 3, 4), at(2026, 3, 4, 8)), (at(2026, 3, 5), at(2026, 3, 5, 8)),
    )  # fmt: skip
    assert gaps(replace(holed, fallback=ONC2), at(2026, 3, 4), at(2026, 3, 5)) == ()


@pytest.mark.parametrize(
    ("zone", "day", "seconds"),
    [
        ("Europe/London", at(2026, 3, 28, 12), 23 * 3600), ("Europe/London", at(2026, 10, 24, 12), 25 * 3600),
        ("America/New_York", at(2026, 3, 7, 17), 23 * 3600), ("America/New_York", at(2026, 10, 31, 17), 25 * 3600),
        ("Australia/Lord_Howe", at(2026, 10, 3, 3), 23.5 * 3600), ("Australia/Lord_Howe", at(2026, 4, 4, 3), 24.5 * 3600),
    ],
)  # fmt: skip
def test_the_day_of_a_change_of_clocks_is_covered_for_its_real_length(zone: str, day: datetime, seconds: float) -> None:
    daily = rota(Shift(frozenset({5}), 0, 1440, ONC2), Shift(frozenset({6}), 0, 1440, ONC1), zone=zone)
    (sunday,) = [s for s in spells(daily, day, day + timedelta(days=2)) if s[2] == ONC1]
    assert (sunday[1] - sunday[0]).total_seconds() == seconds


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    source=st.sampled_from(["static", "ical"]),
    named=st.lists(st.sampled_from([ONC1, ONC2, OWNER, STRANGER]), min_size=3, max_size=3),
)
def test_nobody_outside_the_rotas_people_is_ever_on_call(
    moment: datetime, source: Literal["static", "ical"], named: list[Person]
) -> None:
    over, fed, shift = (Spell(moment - timedelta(hours=n), moment + timedelta(hours=n), p) for n, p in enumerate(named, 1))
    any_rota = replace(rota(Shift(WHOLE_WEEK, 0, 1440, shift.person)), source=source, overrides=(over,), spells=(fed,))
    assert on_call(any_rota, moment) in (ONC1, ONC2)
    assert {person for _, _, person in spells(any_rota, moment, moment + timedelta(days=9))} <= {ONC1, ONC2}
