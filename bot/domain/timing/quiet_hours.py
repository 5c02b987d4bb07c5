"""When a message may ring: between 09:00 and 18:00 where its reader lives.

It is kept by the reviews and the other asks after the yes; a ratification and everything before the yes ring at any hour.
A message outside it is held, no deadline moves. Where the clock runs faster than the wall's, a day lasts minutes, and
nobody's night is kept. Design, section 4.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.case.ask import AT_ANY_HOUR, Ask

OPENS, CLOSES = time(9), time(18)


def kept_by(ask: Ask) -> bool:
    """Whether the cards and reminders of an ask keep to the day."""
    return ask.due_at is not None and ask.kind not in AT_ANY_HOUR


def rings_at(now: datetime, time_zone: str) -> datetime:
    """The first moment from `now` on at which it may ring; `time_zone` as Slack names it, UTC where nobody knows it."""
    zone = _zone(time_zone)
    local = now.astimezone(zone)
    if OPENS <= local.time() < CLOSES:
        return now
    day = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
    return datetime.combine(day, OPENS, zone).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
