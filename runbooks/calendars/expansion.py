"""The repeats of a calendar's events between two moments.

An event that cannot be expanded is left out with all that shares its UID, and named: the others count. The end of an event
that lasts exact hours (`DURATION:PT12H`) is reckoned in time that passes, not by the wall clock (RFC 5545, section 3.3.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from runbooks.calendars.event_faults import title
from runbooks.calendars.ical_text import AS_WRITTEN

if TYPE_CHECKING:
    from icalendar import Calendar

_LONGEST = timedelta(days=400)  # a single event is read as if it were no longer to each side of now
_DURATION = re.compile(
    r"\+?P(?:\d+W)?(?:(?P<days>\d+)D)?T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?", re.IGNORECASE
)


def occurrences(calendar: Calendar, start: datetime, end: datetime) -> tuple[list[Any], tuple[str, ...]]:
    """The occurrences that touch `start` to `end` (aware UTC), and the titles of the events that cannot be expanded."""
    for event in calendar.walk("VEVENT"):
        _clip(event, start - _LONGEST, end + _LONGEST)
    try:
        return _between(calendar, start, end), ()
    except Exception:  # noqa: BLE001 -- a foreign parser stumbles: over which event?
        return _one_by_one(calendar, start, end)


def end_of(event: Any) -> date:
    """When an occurrence ends. `event.end` is by the wall clock, also where exact hours are meant."""
    written = _DURATION.fullmatch(str(event.get(AS_WRITTEN, "")).strip())
    start: date = event.start
    if written is None or not isinstance(start, datetime) or start.tzinfo is None or "DURATION" in event:
        found: date = event.end
        return found
    exact = timedelta(**{unit: int(text) for unit, text in written.groupdict().items() if text and unit != "days"})
    nominal: timedelta = event.end - start - exact
    return (start + nominal).astimezone(UTC) + exact


def _between(calendar: Calendar, start: datetime, end: datetime) -> list[Any]:
    import recurring_ical_events

    found: list[Any] = recurring_ical_events.of(calendar).between(start, end)
    return found


def _one_by_one(calendar: Calendar, start: datetime, end: datetime) -> tuple[list[Any], tuple[str, ...]]:
    found: list[Any] = []
    broken: dict[str, None] = {}
    everything = calendar.subcomponents
    for events in _by_uid(calendar):
        calendar.subcomponents = events
        try:
            found += _between(calendar, start, end)
        except Exception:  # noqa: BLE001 -- as above
            broken |= dict.fromkeys(title(event) for event in events)
    calendar.subcomponents = everything
    return found, tuple(broken)


def _by_uid(calendar: Calendar) -> Iterator[list[Any]]:
    groups: dict[str, list[Any]] = {}
    for event in calendar.walk("VEVENT"):
        groups.setdefault(str(event.get("UID", "")) or str(id(event)), []).append(event)
    yield from groups.values()


def _clip(event: Any, first: datetime, last: datetime) -> None:
    """Cuts an event that does not repeat to what can be reckoned with: it may begin in the year 1, or end in 9999."""
    from icalendar import vDDDTypes

    if any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID")):
        return
    for name, wrong, limit in (("DTSTART", -1, first), ("DTEND", 1, last)):
        moment = getattr(event.get(name), "dt", None)
        if moment is not None and (moment.year - limit.year) * wrong > 0 and name in event and "DTEND" in event:
            event[name] = vDDDTypes(limit if isinstance(moment, datetime) else limit.date())
