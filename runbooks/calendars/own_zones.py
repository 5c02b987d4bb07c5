"""Time zones that a calendar defines under a name that is known, and otherwise than it is known.

A TZID is a name within one file, and the file's VTIMEZONE says what it means (RFC 5545, section 3.6.5). The parser takes
the zone that everybody knows by that name. Where the two differ at a time that an event names, or in the year after, the
definition of the file counts, and a warning says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from runbooks.calendars.event_faults import TIMES, listed, moments
from runbooks.calendars.ical_text import BadFeed

if TYPE_CHECKING:
    from icalendar import Calendar

_PROBES = tuple(timedelta(days=30 * month) for month in range(13))
_MOST = 200  # moments of one zone that are compared


def redefined(calendar: Calendar) -> tuple[str, ...]:
    """The TZIDs of the file's own zones that mean something else outside it. Raises BadFeed where one is defined twice."""
    own: dict[str, Any] = {}
    for zone in calendar.walk("VTIMEZONE"):
        name = str(zone.get("TZID", "")).strip()
        if own.setdefault(name.casefold(), zone).to_ical() != zone.to_ical():
            raise BadFeed(f"it defines the time zone {name!r} twice and differently")
    return tuple(str(zone["TZID"]).strip() for name, zone in own.items() if name and _differs(calendar, name, zone))


def _differs(calendar: Calendar, name: str, zone: Any) -> bool:
    used = sorted(set(_moments_in(calendar, name)), key=lambda moment: moment.replace(tzinfo=None))[-_MOST:]
    if not used:
        return False
    meant: tzinfo = zone.to_tz(lookup_tzid=False)
    later = [used[-1] + probe for probe in _PROBES if used[-1].year < 9998]
    return any(moment.utcoffset() != moment.replace(tzinfo=meant).utcoffset() for moment in (*used, *later))


def _moments_in(calendar: Calendar, name: str) -> Iterator[datetime]:
    for event in calendar.walk("VEVENT"):
        for part in (part for prop in TIMES for part in listed(event.get(prop))):
            with suppress(Exception):  # a time that the parser could not read says so when the event is judged
                yield from [moment for moment in moments(part) if _is_in(part, name) and _is_placed(moment)]


def _is_in(part: Any, name: str) -> bool:
    return str(part.params.get("TZID", "")).strip().casefold() == name


def _is_placed(moment: Any) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None
