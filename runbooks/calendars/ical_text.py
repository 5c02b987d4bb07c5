"""The bytes of a calendar as text that the parser reads the same way everywhere.

A line is folded by octets (RFC 5545, section 3.1), so a fold may split a letter: bytes are unfolded first, then
decoded. Time zones that the file defines (VTIMEZONE) are put before the events, because the parser knows only those that
it has seen; alarms (VALARM) say nothing about who is on call and are left out. A DURATION is kept once more as it is written
(`AS_WRITTEN`), because the parser makes one day of 24 hours, and a time that is in UTC and in a zone (`Z` beside TZID) loses
what nobody could decide. Text that is not UTF-8, and a time zone that would keep a reader busy, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text

MAX_ZONE_RULES = 60  # in all VTIMEZONEs of a file; calendars of offices have two or three a zone
AS_WRITTEN = "X-COUNTERSIGN-DURATION"
_PROPERTY = re.compile(r'((?:[^":]|"[^"]*")+):(.*)')
_TZID = re.compile(r';TZID="?([^";:,]*)"?', re.IGNORECASE)
_WALL = re.compile(r"\d{8}(T\d{6})?(/(\d{8}T\d{6}|P[\dA-Z]+))?")
_TIMES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"})
_UTC = frozenset({"UTC", "ETC/UTC", "GMT"})
_FOLD = re.compile(rb"\r?\n[ \t]")
_PARTS = frozenset({"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST", "BYMONTH", "BYDAY", "BYMONTHDAY"})


class BadFeed(Exception):
    """The feed cannot be read; the text gives the reason."""


def calendar_text(content: bytes) -> str:
    """The content lines of a calendar, unfolded, its time zones first. Raises BadFeed."""
    try:
        text = file_text(_FOLD.sub(b"", content))
    except TextFileError as error:
        raise BadFeed(f"it is not UTF-8 (line {error.line} of its unfolded text)") from None
    zones, others = _split([line for written in text.split("\n") for line in _readable(written)])
    _check_zones(zones)
    first = next((number for number, line in enumerate(others, 1) if _is(line, "BEGIN:VCALENDAR")), 0)
    return "\r\n".join([*others[:first], *zones, *others[first:]])


def in_own_zones(text: str, zones: Iterable[str]) -> str:
    """The text of a calendar with these time zones under names that nobody knows, so that its own definitions count."""
    for zone in zones:
        own, name = f"{zone} (as this calendar defines it)".replace("\\", r"\\"), re.escape(zone)
        text = re.sub(rf"(?im)^(TZID(?:;[^:\r\n]*)?:)[ ]*{name}[ ]*(?=\r?$)", rf"\g<1>{own}", text)
        text = re.sub(rf';TZID="?{name}"?(?=[;:])', f';TZID="{own}"', text, flags=re.IGNORECASE)
    return text


def _readable(line: str) -> Iterator[str]:
    """The line as the parser shall read it."""
    found = _PROPERTY.fullmatch(line)
    name = found[1].partition(";")[0].strip().upper() if found else ""
    zone = _TZID.search(found[1]) if found and name in _TIMES else None
    if (
        found
        and zone
        and zone[1].upper() not in _UTC
        and not all(_WALL.fullmatch(value) for value in found[2].strip().split(","))
    ):
        yield f"{name}:{found[2]} in a second zone"  # the parser keeps what was wrong with it, and the event is named
        return
    yield line
    if found and name == "DURATION":
        yield f"{AS_WRITTEN}:{found[2]}"


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of the VTIMEZONE components, and all others but those of alarms."""
    parts: dict[str, list[str]] = {"VTIMEZONE": [], "VALARM": [], "": []}
    inside = ""
    for line in lines:
        inside = inside or next((part for part in ("VTIMEZONE", "VALARM") if _is(line, f"BEGIN:{part}")), "")
        parts[inside].append(line)
        if inside and _is(line, f"END:{inside}"):
            inside = ""
    return parts["VTIMEZONE"], parts[""]


def _is(line: str, wanted: str) -> bool:
    return line.strip().upper() == wanted


def _check_zones(lines: list[str]) -> None:
    rules = list(_rules(lines))
    if len(rules) > MAX_ZONE_RULES:
        raise BadFeed(f"its time zones have more than {MAX_ZONE_RULES} rules")
    for rule in rules:
        parts = dict(part.partition("=")[::2] for part in rule.split(";"))
        if parts.get("FREQ") != "YEARLY" or not parts.keys() <= _PARTS:
            raise BadFeed("a time zone of its own changes in a way that is not understood")


def _rules(lines: list[str]) -> Iterator[str]:
    for line in lines:
        name, _, value = line.partition(":")
        if name.partition(";")[0].strip().upper() in ("RRULE", "EXRULE"):
            yield value.strip().upper()
