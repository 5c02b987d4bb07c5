"""Rotas: who is on call when.

Only `people` can be named. A static rota needs shifts that never overlap in one week; overrides never overlap. Hours that no shift covers are a warning
when nobody is the fallback. An iCal rota needs a feed, a file of this folder or an https address.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from math import gcd, lcm
from zoneinfo import ZoneInfo

from bot.domain.policy.business_hours import instant
from bot.domain.policy.model import Hours
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota, Shift, Spell, Weeks
from runbooks.parsing.addresses import may_be_fetched
from runbooks.parsing.findings import did_you_mean
from runbooks.parsing.folder import problems_of
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.scalars import day, moment
from runbooks.parsing.schema import HoursShape, RotaShape, ShiftShape
from runbooks.parsing.units import DAY_MINUTES, DAYS, clock, minutes
from runbooks.parsing.yaml_positions import Path
from runbooks.rules.people import Parties

_MONDAY, _WEEKS = date(2026, 1, 5), 106  # rotations of different lengths are followed for two years


def read_rotas(parties: Parties, files: Mapping[str, bytes]) -> dict[str, Rota]:
    """Rotas by id; `files` are those of the set, among them the feeds."""
    found: dict[str, Rota] = {}
    for name, shape in (parties.matrix.shape.rotas or {}).items():
        path: Path = ("rotas", name)
        sheet = parties.matrix.sheet
        check_zone(sheet, shape.time_zone, (*path, "time_zone"))
        _source(sheet, shape, path, files)
        rota = _rota(parties, name, shape)
        found[name] = rota
        if shape.source == "static":
            _coverage(sheet, shape, rota, path)
    return found


def read_hours(sheet: ParsedFile, shape: HoursShape, path: Path) -> Hours:
    """Working hours of an escalation policy."""
    check_zone(sheet, shape.time_zone, (*path, "time_zone"))
    _span(sheet, shape, path)
    return Hours(_days(sheet, shape, path), minutes(shape.start), minutes(shape.end), shape.time_zone)


def check_zone(sheet: ParsedFile, name: str, path: Path) -> None:
    if name not in _zones():
        sheet.error(
            path,
            f"The time zone {name!r} is unknown: write an IANA name, like `Europe/London`.{did_you_mean(name, _zones())}",
        )


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _source(sheet: ParsedFile, shape: RotaShape, path: Path, files: Mapping[str, bytes]) -> None:
    if shape.source == "static":
        if not shape.shifts:
            sheet.error(path, "A static rota needs `shifts`: add them.")
        if shape.feed:
            sheet.error((*path, "feed"), "`feed` belongs to `source: ical`: remove it, or change `source`.")
        return
    if shape.shifts:
        sheet.error((*path, "shifts"), "`shifts` belong to `source: static`: remove them, or change `source`.")
    if not shape.feed:
        sheet.error(path, "An ical rota needs `feed`: add an https address or an `.ics` file of this folder.")
    elif "://" not in shape.feed and not shape.feed.startswith("env:"):
        _feed_file(sheet, shape.feed, (*path, "feed"), files)
    elif "://" in shape.feed and not may_be_fetched(shape.feed):
        sheet.error(
            (*path, "feed"), "This address is neither https nor on this machine: write the calendar's https address."
        )
    if not shape.fallback:
        sheet.warning(path, "A feed may name nobody, and then nobody is on call: add `fallback`.")


def _feed_file(sheet: ParsedFile, name: str, path: Path, files: Mapping[str, bytes]) -> None:
    if name not in files and name in {problem.file for problem in problems_of(files)}:
        return
    if name not in files:
        sheet.error(path, f"The file {name} is not in this folder: add it, or correct `feed`.")
    elif not files[name].lstrip(b"\xef\xbb\xbf").lstrip().upper().startswith(b"BEGIN:VCALENDAR"):
        sheet.error(path, f"The file {name} is no iCalendar: export it again, it begins with BEGIN:VCALENDAR.")


def _rota(parties: Parties, name: str, shape: RotaShape) -> Rota:
    path: Path = ("rotas", name)
    people = parties.people(shape.people, (*path, "people"), f"On call in rota `{name}`")
    shifts: list[Shift] = []
    for index, part in enumerate(shape.shifts or ()):
        here: Path = (*path, "shifts", index)
        _span(parties.matrix.sheet, part, here)
        days = _days(parties.matrix.sheet, part, here)
        person = _among(parties, part.person, (*here, "person"), people)
        if person is not None:
            shifts.append(Shift(days, minutes(part.start), minutes(part.end), person, read_weeks(part)))
        if part.weeks and part.weeks.on > part.weeks.of:
            parties.matrix.sheet.error(
                (*here, "weeks", "on"), f"`on` is 1 to {part.weeks.of}, the number of weeks in `of`."
            )
    _overlaps(parties.matrix.sheet, shape, path)
    fallback = _among(parties, shape.fallback, (*path, "fallback"), people) if shape.fallback else None
    overrides = _overrides(parties, shape, path, people) if shape.time_zone in _zones() else ()
    return Rota(name, shape.source, people, shape.time_zone, tuple(shifts), fallback, shape.page, shape.feed, overrides)


def _overrides(parties: Parties, shape: RotaShape, path: Path, people: tuple[Person, ...]) -> tuple[Spell, ...]:
    found: list[Spell] = []
    for index, part in enumerate(shape.overrides or ()):
        here: Path = (*path, "overrides", index)
        start, end = (real(text, ZoneInfo(shape.time_zone)) for text in (part.start, part.end))
        if start >= end:
            parties.matrix.sheet.error((*here, "from"), f"`from` {part.start} is not before `to` {part.end}: correct them.")
        for number, earlier in enumerate(found, start=1):
            if start < earlier.end and earlier.start < end:
                text = f"This override overlaps override {number}: end one before the other, or remove it."
                parties.matrix.sheet.error(here, text)
        person = _among(parties, part.person, (*here, "person"), people)
        if person is not None:
            found.append(Spell(start, end, person))
    return tuple(found)


def _among(parties: Parties, text: str, path: Path, people: tuple[Person, ...]) -> Person | None:
    person = parties.authority(text, path, f"`{path[-1]}`")
    if person is not None and person not in people:
        parties.matrix.sheet.error(
            path, f"{text} is not among the rota's `people`: add them there, a rota names nobody else."
        )
        return None
    return person


def _days(sheet: ParsedFile, shape: ShiftShape | HoursShape, path: Path) -> frozenset[int]:
    for index, name in enumerate(shape.days):
        if name in shape.days[:index]:
            sheet.error((*path, "days", index), f"`{name}` stands here a second time: remove one of them.")
    return frozenset(DAYS.index(name) for name in shape.days)


def _span(sheet: ParsedFile, shape: ShiftShape | HoursShape, path: Path) -> None:
    if minutes(shape.start) >= minutes(shape.end):
        sheet.error(
            (*path, "from"),
            f"`from` {shape.start} is not before `to` {shape.end}: correct them; what runs over midnight is written as "
            "two, up to `24:00` and from `00:00`.",
        )


def _overlaps(sheet: ParsedFile, shape: RotaShape, path: Path) -> None:
    shifts = shape.shifts or []
    for index, later in enumerate(shifts):
        for number, earlier in enumerate(shifts[:index], start=1):
            shared = [name for name in later.days if name in earlier.days]
            begin = max(minutes(later.start), minutes(earlier.start))
            if shared and _same_week(later, earlier) and begin < min(minutes(later.end), minutes(earlier.end)):
                sheet.error(
                    (*path, "shifts", index),
                    f"This shift overlaps shift {number} on {shared[0]} at {clock(begin)}: end one before the other.",
                )


def _same_week(one: ShiftShape, other: ShiftShape) -> bool:
    """Whether two rotations ever meet in one week: their turns agree modulo what their lengths share."""
    first, second = read_weeks(one), read_weeks(other)
    return first is None or second is None or (first.turn - second.turn) % gcd(first.of, second.of) == 0


def _coverage(sheet: ParsedFile, shape: RotaShape, rota: Rota, path: Path) -> None:
    gap = _gap(rota)
    if gap is not None and shape.fallback is None:
        sheet.warning(path, f"Nobody is on call on {gap}: add a shift or a `fallback`.")


def _gap(rota: Rota) -> str | None:
    """The first moment of the week that no shift covers; of a rotation, of the weeks after its start."""
    since = max((shift.weeks.since for shift in rota.shifts if shift.weeks), default=_MONDAY)
    monday = since - timedelta(days=since.weekday())
    rounds = min(lcm(*(shift.weeks.of for shift in rota.shifts if shift.weeks)), _WEEKS)
    for offset in range(7 * rounds):
        day, reached = monday + timedelta(days=offset), 0
        for shift in sorted((s for s in rota.shifts if s.on_day(day)), key=lambda s: s.start):
            if shift.start > reached:
                break
            reached = max(reached, shift.end)
        if reached < DAY_MINUTES:
            exact = f" ({day})" if rounds > 1 else ""
            return f"{DAYS[day.weekday()]} at {clock(reached)}{exact}"
    return None


def read_weeks(shape: ShiftShape) -> Weeks | None:
    """The weeks of a shift; None: every week."""
    weeks = shape.weeks
    return Weeks(weeks.of, weeks.on, day(weeks.start)) if weeks else None


def real(text: str, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a moment: with an offset exactly, else as wall time of the rota's zone."""
    return at_wall(moment(text), zone)


def at_wall(when: datetime, zone: ZoneInfo) -> datetime:
    """A time in UTC. A naive one is wall time of `zone`: in a gap its end, in a fold the earlier of the two."""
    if when.tzinfo is not None:
        return when.astimezone(UTC)
    return instant(when.date(), when.hour * 60 + when.minute, zone) + timedelta(seconds=when.second)
