"""What an entry's times are read as; an export is hostile input, and its times are compared and added to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.decision_log.entry_reader import read_moment


def test_a_time_with_any_zone_is_read_in_utc() -> None:
    assert read_moment("2026-12-01T05:00:00.000+02:00") == datetime(2026, 12, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [None, 7, "", "soon", "2026-12-01", "2026-12-01T03:00:00", "0001-01-01T00:00+14:00", "9999-12-31T23:59Z"]
)
def test_what_cannot_be_compared_or_added_to_is_no_time(value: object) -> None:
    assert read_moment(value) is None


@pytest.mark.parametrize("value", ["1970-01-01T00:00:00.000Z", "9000-12-31T23:59:59.999Z"])
def test_a_year_either_way_stays_within_the_calendar(value: str) -> None:
    read = read_moment(value)
    assert read is not None
    assert read - timedelta(days=400) < read < read + timedelta(days=400)
