"""Working hours: a delay that counts only inside them.

The clock runs from `start` to `end` of each local day named in `days`. A local hour that a change of summer time skips
does not exist and is not counted; one that it repeats counts twice: real seconds count, between the real instants that
the wall times name.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.policy.model import Hours

_HORIZON_DAYS = 3660


def add(start: datetime, delay: timedelta, hours: Hours | None) -> datetime:
    """The instant at which `delay` has passed since `start` (aware UTC), counted inside `hours` where given."""
    if hours is None:
        return start + delay
    zone = ZoneInfo(hours.time_zone)
    left = delay
    day = start.astimezone(zone).date()
    for _ in range(_HORIZON_DAYS):
        opens, closes = (instant(day, minute, zone) for minute in (hours.start, hours.end))
        begin = max(start, opens)
        if day.weekday() in hours.days and begin < closes:
            if begin + left <= closes:
                return begin + left
            left -= closes - begin
        day += timedelta(days=1)
    raise ValueError("the delay does not fit into ten years of working hours")


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The real instant (UTC) of a local wall time; `minute` up to 1440, the next midnight.

    A wall time in a gap means the instant at which the gap ends; in a fold the earlier of the two.
    """
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001
    local = naive.replace(tzinfo=zone, fold=0)
    real = local.astimezone(UTC)
    if real.astimezone(zone).replace(tzinfo=None) == naive:
        return real
    later = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _end_of_gap(min(real, later), max(real, later), zone)


def _end_of_gap(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The instant between `low` and `high` at which the zone's offset changes, to the second."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
