"""Working days, as a review's window counts them, and the hour at which a narrowing falls.

A working day is one of the domain's `hours`, in its time zone; without them Monday to Friday, 09:00 to 17:00 UTC. Where the
clock runs faster than the wall's, every day of policy is one and its whole length counts: nobody's working day and no 10:00
is kept there. Source: governance-contract.md, sections 2 and 7.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.policy.model import Domain, Hours

USUAL = Hours(frozenset(range(5)), 9 * 60, 17 * 60, "UTC")
FALLS = time(10)
_GRACE = timedelta(minutes=30)  # after 10:00; later than that it waits for the next working day
_DAY = 86_400


def hours_of(domain: Domain | None) -> Hours:
    """The domain's working hours, or the usual ones."""
    return USUAL if domain is None or domain.hours is None else domain.hours


def number(now: datetime, hours: Hours, scale: float) -> int:
    """Which day it is: equal for two moments of one day, and growing."""
    if scale > 1:
        return int(now.timestamp() * scale // _DAY)
    return now.astimezone(ZoneInfo(hours.time_zone)).date().toordinal()


def works(now: datetime, hours: Hours, scale: float) -> bool:
    """Whether it is working time."""
    if scale > 1:
        return True
    local = now.astimezone(ZoneInfo(hours.time_zone))
    return local.weekday() in hours.days and hours.start <= local.hour * 60 + local.minute < hours.end


def falls_at(previewed_at: datetime, hours: Hours, scale: float) -> datetime:
    """The first moment at which a narrowing may fall: 10:00 of a working day, a day after its preview at the earliest."""
    earliest = previewed_at + timedelta(seconds=_DAY / scale)
    if scale > 1:
        return earliest
    zone = ZoneInfo(hours.time_zone)
    day = earliest.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, FALLS, zone).astimezone(UTC)
        if moment >= earliest and day.weekday() in hours.days:
            return moment
        day += timedelta(days=1)


def falls_now(now: datetime, previewed_at: datetime, hours: Hours, scale: float) -> bool:
    """Whether a narrowing that was previewed then falls at `now`."""
    if now < falls_at(previewed_at, hours, scale):
        return False
    if scale > 1:
        return True
    local = now.astimezone(ZoneInfo(hours.time_zone))
    since = local - datetime.combine(local.date(), FALLS, local.tzinfo)
    return local.weekday() in hours.days and timedelta(0) <= since < _GRACE


def out_of_hours(at: datetime, hours: Hours) -> bool:
    """Whether a use is outside working hours, by the wall clock."""
    return not works(at, hours, 1)
