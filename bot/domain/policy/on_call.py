"""Who is on call at one instant.

An override counts before everything. Then a static rota's shift covers its local wall times on its days of its weeks;
an iCal rota's feed has been converted to spells (`runbooks.calendars.ical`), and of two that overlap the one that began later
counts. `fallback` covers what none of these does. Where it is missing too, nobody is on call, and the caller treats the
step as empty. Nobody outside the rota's `people` is ever on call, whatever a feed contains.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.policy.business_hours import instant
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota, Spell

AHEAD = timedelta(days=14)  # how far coverage is looked at (issue 4)


def on_call(rota: Rota, at: datetime) -> Person | None:
    """The person on call at `at` (aware UTC), or None."""
    person = _named(rota.overrides, at) or (_named(rota.spells, at) if rota.source == "ical" else _on_shift(rota, at))
    return person if person is not None and person in rota.people else rota.fallback


def spells(rota: Rota, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Person | None]]:
    """Who is on call from when until when (aware UTC), without holes, from `start` to `end`; neighbours differ."""
    begin, person = start, on_call(rota, start)
    for moment in _edges(rota, start, end):
        found = on_call(rota, moment)
        if found != person:
            yield begin, moment, person
            begin, person = moment, found
    if begin < end:
        yield begin, end, person


def next_change(rota: Rota, after: datetime, until: datetime) -> datetime | None:
    """The first instant after `after` and not after `until` at which somebody else, or nobody, is on call."""
    person = on_call(rota, after)
    return next((moment for moment in (*_edges(rota, after, until), until) if on_call(rota, moment) != person), None)


def gaps(rota: Rota, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The times between `start` and `end` at which nobody is on call, the fallback included."""
    return tuple((begin, close) for begin, close, person in spells(rota, start, end) if person is None)


def _named(listed: tuple[Spell, ...], at: datetime) -> Person | None:
    there = [spell for spell in listed if spell.start <= at < spell.end]
    return max(there, key=lambda spell: spell.start).person if there else None


def _on_shift(rota: Rota, at: datetime) -> Person | None:
    zone = ZoneInfo(rota.time_zone)
    today = at.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):  # a gap can push yesterday's end past midnight
        for shift in rota.shifts:
            if shift.on_day(day) and instant(day, shift.start, zone) <= at < instant(day, shift.end, zone):
                return shift.person
    return None


def _edges(rota: Rota, start: datetime, end: datetime) -> list[datetime]:
    """Every instant strictly between at which anything begins or ends, in order."""
    zone = ZoneInfo(rota.time_zone)
    found = {moment for spell in (*rota.overrides, *rota.spells) for moment in (spell.start, spell.end)}
    day, last = (moment.astimezone(zone).date() for moment in (start - timedelta(days=1), end))
    while rota.shifts and day <= last:
        for shift in rota.shifts:
            if shift.on_day(day):
                found |= {instant(day, shift.start, zone), instant(day, shift.end, zone)}
        day += timedelta(days=1)
    return sorted(moment for moment in found if start < moment < end)
