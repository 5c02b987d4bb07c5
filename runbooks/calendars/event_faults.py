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


_STATES = ("", "TENTATIVE", "CONFIRMED", "CANCELLED")
_ONCE = {"SUMMARY": "titles", "DTSTART": "beginnings", "DTEND": "ends", "DURATION": "durations", "STATUS": "states"}


def fault(event: Any) -> str | None:
    """Why an event (a VEVENT component) does not count, as the rest of a sentence about it; None where it does. Raises whatever
    the parser raises where a property could not be read."""
    zone = next(_unknown_zones(event), None)
    if zone is not None:
        return f"is in the time zone {zone!r}, which the calendar does not define and nobody knows"
    twice = next((what for name, what in _ONCE.items() if isinstance(event.get(name), list)), None)
    if twice is not None:
        return f"has several {twice}"
    if str(event.get("STATUS", "")).strip().upper() not in _STATES:
        return f"has the state {str(event['STATUS'])[:MAX_TITLE]!r}, which is not understood"
    return _rule_fault(event) or _exception_fault(event) or _end_fault(event)


def faults_between(events: list[Any]) -> dict[str, str]:
    """Why events do not count together, by UID: several versions of one, or an exception of another kind than its series."""
    found: dict[str, str] = {}
    series: dict[tuple[str, str], Any] = {}
    for event in (event for event in events if "UID" in event and "RECURRENCE-ID" not in event):
        key = (str(event["UID"]), str(event.get("SEQUENCE", 0)))
        if series.setdefault(key, event) is not event:
            found[key[0]] = "has the same UID as another event"
    days = {uid: _is_day(getattr(event.get("DTSTART"), "dt", None)) for (uid, _), event in series.items()}
    for event in (event for event in events if "UID" in event and "RECURRENCE-ID" in event):
        uid = str(event["UID"])
        if days.get(uid, False) != _is_day(getattr(event["RECURRENCE-ID"], "dt", None)) and uid in days:
            found[uid] = "begins at a time and has an exception for a day without one, or the other way round"
    return found


def title(event: Any) -> str:
    """The event's SUMMARY as far as a finding shows it."""
    return ", ".join(str(text).strip() for text in listed(event.get("SUMMARY")))[:MAX_TITLE]


def listed(value: Any) -> list[Any]:
    """A property's values: none, one or several."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _unknown_zones(event: Any) -> Iterator[str]:
    """The TZIDs that the parser left aside: the time stayed without a zone."""
    for name in TIMES:
        for part in listed(event.get(name)):
            zone = getattr(part, "params", {}).get("TZID")
            if zone and any(isinstance(moment, datetime) and moment.tzinfo is None for moment in moments(part)):
                yield str(zone)


def moments(part: Any) -> Iterator[Any]:
    """The times of a property: one, or several of a list; of a period its beginning."""
    for one in getattr(part, "dts", [part]):
        value = getattr(one, "dt", None)
        yield value[0] if isinstance(value, tuple) else value


def _rule_fault(event: Any) -> str | None:
    if "EXRULE" in event:
        return "repeats except by a rule (EXRULE), which no longer belongs into calendars"
    for rule in listed(event.get("RRULE")):
        if (
            not set(rule.keys()) <= _RULE
            or ("COUNT" in rule and "UNTIL" in rule)
            or any(n < 1 for n in rule.get("COUNT", []))
        ):
            return "repeats in a way that is not understood"
    days = [_is_day(moment) for part in listed(event.get("RDATE")) for moment in moments(part)]
    start = getattr(event.get("DTSTART"), "dt", None)
    if start is not None and any(day != _is_day(start) for day in days):
        return "begins at a time and is repeated on days without one, or the other way round"
    return None


def _exception_fault(event: Any) -> str | None:
    """RFC 5545, section 3.8.4.4: an exception may hold for what follows, and no longer for what was before."""
    instead = event.get("RECURRENCE-ID")
    if instead is None or instead.params.get("RANGE", "THISANDFUTURE").upper() == "THISANDFUTURE":
        return None
    return "is an exception for a range that is not understood"


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
    if length is not None and _is_day(start) and length.seconds:
        return "begins with a day and lasts for hours"
    if (end is not None and end <= start) or (length is not None and length.total_seconds() <= 0):
        return "ends when or before it begins"
    return None


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)
