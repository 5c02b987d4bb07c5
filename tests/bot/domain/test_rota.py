"""Who is on call at one instant, also where the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy import Rota, Shift
from bot.domain.rota import on_call
from tests.bot.building import ONC1, ONC2, SECURITY, T0, WHOLE_WEEK

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
