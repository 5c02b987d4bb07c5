"""Who is on call at one instant.

A shift covers its local wall times on its days; `fallback` covers what no shift does. Where neither does, nobody is on
call, and the caller treats the step as empty.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.hours import instant
from bot.domain.people import Person
from bot.domain.policy import Rota


def on_call(rota: Rota, at: datetime) -> Person | None:
    """The person on call at `at` (aware UTC), or None."""
    zone = ZoneInfo(rota.time_zone)
    today = at.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):  # a gap can push yesterday's end past midnight
        for shift in rota.shifts:
            if day.weekday() not in shift.days:
                continue
            if instant(day, shift.start, zone) <= at < instant(day, shift.end, zone):
                return shift.person
    return rota.fallback
