"""Working hours: a delay that counts only inside them, also where the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.business_hours import add, instant
from bot.domain.policy.model import Hours
from tests.bot.building import HOUR, MINUTE, WHOLE_WEEK

WORKING_DAYS = frozenset(range(5))
LONDON = Hours(WORKING_DAYS, 9 * 60, 17 * 60, "Europe/London")
ZONE = ZoneInfo("Europe/London")


def london(*when: int) -> datetime:
    return datetime(*when, tzinfo=ZONE).astimezone(UTC)  # type: ignore[misc, arg-type]


def test_without_hours_every_second_counts() -> None:
    assert add(london(2026, 3, 7, 23, 0), 3 * HOUR, None) == london(2026, 3, 8, 2, 0)


def test_inside_the_hours_a_delay_passes_as_everywhere() -> None:
    assert add(london(2026, 3, 4, 10, 0), 2 * HOUR, LONDON) == london(2026, 3, 4, 12, 0)


def test_what_is_left_at_closing_time_goes_on_the_next_morning() -> None:
    assert add(london(2026, 3, 4, 16, 0), 2 * HOUR, LONDON) == london(2026, 3, 5, 10, 0)


def test_a_delay_that_ends_at_closing_time_ends_then_and_not_the_next_morning() -> None:
    assert add(london(2026, 3, 4, 16, 0), HOUR, LONDON) == london(2026, 3, 4, 17, 0)


def test_a_weekend_does_not_count() -> None:
    assert add(london(2026, 3, 6, 16, 30), HOUR, LONDON) == london(2026, 3, 9, 9, 30)


def test_filed_at_night_the_delay_starts_in_the_morning() -> None:
    assert add(london(2026, 3, 4, 3, 0), 30 * MINUTE, LONDON) == london(2026, 3, 4, 9, 30)


def test_no_delay_before_opening_time_is_due_at_opening_time() -> None:
    assert add(london(2026, 3, 4, 3, 0), timedelta(0), LONDON) == london(2026, 3, 4, 9, 0)


def test_an_hour_that_summer_time_skips_is_not_counted() -> None:
    night = Hours(WHOLE_WEEK, 0, 4 * 60, "Europe/London")  # 29 March 2026: 01:00 becomes 02:00
    assert add(london(2026, 3, 29, 0, 30), 2 * HOUR, night) == london(2026, 3, 29, 3, 30)


def test_an_hour_that_winter_time_repeats_counts_twice() -> None:
    night = Hours(WHOLE_WEEK, 0, 4 * 60, "Europe/London")  # 25 October 2026: 02:00 becomes 01:00
    assert add(london(2026, 10, 25, 0, 30), 2 * HOUR, night) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_wall_time_in_a_gap_means_the_end_of_the_gap() -> None:
    assert instant(date(2026, 3, 29), 90, ZONE) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_wall_time_that_happens_twice_means_the_earlier_one() -> None:
    assert instant(date(2026, 10, 25), 90, ZONE) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_minute_1440_is_the_next_midnight() -> None:
    assert instant(date(2026, 3, 4), 1440, ZONE) == datetime(2026, 3, 5, tzinfo=UTC)


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    minutes=st.integers(0, 3000),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    opens=st.integers(0, 1380),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    long=st.integers(60, 600),
)
def test_counting_minute_by_minute_agrees(
    start: datetime, minutes: int, zone: str, opens: int, days: frozenset[int], long: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    hours = Hours(days, opens, min(1440, opens + long), zone)
    end = add(start, timedelta(minutes=minutes), hours)
    place, counted, at = ZoneInfo(zone), 0, start
    while at < end:
        local = at.astimezone(place)
        open_then = local.weekday() in days and hours.start <= local.hour * 60 + local.minute < hours.end
        counted += open_then
        at += timedelta(minutes=1)
    hours_seen = range(int((end - start) / HOUR) + 26)
    offsets = {(start + n * HOUR).astimezone(place).utcoffset() for n in hours_seen}
    assert counted == minutes or len(offsets) > 1  # a changed clock is pinned by the tests above
