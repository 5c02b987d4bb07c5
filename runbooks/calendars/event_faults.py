"""What an event holds that is not understood: it is named and the event does not count, because a guess could put
somebody else on call.

Checks the components of a calendar as written in the file, before repeats are expanded. An event whose rule,
zone or end is not understood takes its exceptions (RECURRENCE-ID) with it, for they hang on its times.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
MAX_TITLE = 75
_RULE = frozenset({  # RFC 5545, section 3.3.10; RSCALE and SKIP (RFC 7529) are not followed
    "FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO",
    "BYMONTH", "BYSETPOS", "WKST", "BYEASTER",
})  # fmt: skip


def fault(event: Any) -> str | None:
    """Why an event (a VEVENT component) does not count, as the rest of a sentence about it; None where it does. Raises whatever
    the parser raises where a property could not be read."""
    zone = next(_unknown_zones(event), None)
    if zone is not None:
        return f"is in the time zone {zone!r}, which the calendar does not define and nobody knows"
    if "EXRULE" in event:
        return "repeats except by a rule (EXRULE), which no longer belongs into calendars"
    if any(not set(rule.keys()) <= _RULE for rule in listed(event.get("RRULE"))):
        return "repeats in a way that is not understood"
    return _end_fault(event)


def title(event: Any) -> str:
    """The event's SUMMARY as far as a finding shows it."""
    return str(event.get("SUMMARY", "")).strip()[:MAX_TITLE]


def listed(value: Any) -> list[Any]:
    """A property's values: none, one or several."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _unknown_zones(event: Any) -> Iterator[str]:
    """The TZIDs that the parser left aside: the time stayed without a zone."""
    for name in TIMES:
        for part in listed(event.get(name)):
            zone = getattr(part, "params", {}).get("TZID")
            if zone and any(isinstance(moment, datetime) and moment.tzinfo is None for moment in _moments(part)):
                yield str(zone)


def _moments(part: Any) -> Iterator[Any]:
    for one in getattr(part, "dts", [part]):
        value = getattr(one, "dt", None)
        yield value[0] if isinstance(value, tuple) else value


def _end_fault(event: Any) -> str | None:
    start, end, length = (getattr(event.get(name), "dt", None) for name in ("DTSTART", "DTEND", "DURATION"))
    if start is None:
        return "has no beginning"
    if end is not None and length is not None:
        return "has an end and a duration"
    if end is None and length is None:
        return None if _is_day(start) else "has no end"
    if end is not None and _is_day(start) != _is_day(end):
        return "begins with a day and ends at a time, or the other way round"
    if end is not None and not _is_day(start) and (start.tzinfo is None) != (end.tzinfo is None):
        return "begins in a time zone and ends in none, or the other way round"
    if (end is not None and end <= start) or (length is not None and length.total_seconds() <= 0):
        return "ends when or before it begins"
    return None


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)
