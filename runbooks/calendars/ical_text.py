"""The bytes of a calendar as text that the parser reads the same way everywhere.

A line is folded by octets (RFC 5545, section 3.1), so a fold may split a letter: bytes are unfolded first, then
decoded. Time zones that the file defines (VTIMEZONE) are put before the events, because the parser knows only those that
it has seen. Text that is not UTF-8, and a time zone that would keep a reader busy, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text

MAX_ZONE_RULES = 60  # in all VTIMEZONEs of a file; calendars of offices have two or three a zone
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
    zones, others = _split(text.split("\n"))
    _check_zones(zones)
    first = next((number for number, line in enumerate(others, 1) if _is(line, "BEGIN:VCALENDAR")), 0)
    return "\r\n".join([*others[:first], *zones, *others[first:]])


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of the VTIMEZONE components, and all others."""
    zones: list[str] = []
    others: list[str] = []
    inside = False
    for line in lines:
        inside = inside or _is(line, "BEGIN:VTIMEZONE")
        (zones if inside else others).append(line)
        inside = inside and not _is(line, "END:VTIMEZONE")
    return zones, others


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
