"""Reads an entry's bytes back and says whether they are the one form that the log allows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.domain.decision_log.entry import MAX_BYTES, canonical, compact
from bot.domain.errors import EntryError

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = 1900, 9000


def parsed(data: bytes) -> tuple[Mapping[str, object] | None, str]:
    """The entry (None if it is none) and what is wrong with its form ("" if nothing)."""
    if len(data) > MAX_BYTES:
        return None, f"The entry has {len(data)} bytes; at most {MAX_BYTES} are allowed."
    try:
        entry = _DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        return None, f"The bytes are no entry: {error}."
    if not isinstance(entry, dict):
        return None, "The bytes are no JSON object."
    return entry, "" if _is_canonical(data, entry) else "The bytes are not the RFC 8785 form of what they say."


def read_stamp(text: object) -> int | None:
    """Milliseconds since 1970 of an RFC 3339 time in UTC with milliseconds and Z; None for anything else."""
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((at - _EPOCH).total_seconds() * 1000)


def read_moment(value: object) -> datetime | None:
    """An aware time of an entry, in UTC; None for anything else, and for the edges of the calendar, where sums overflow."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if read is None or read.tzinfo is None or not _YEARS[0] <= read.year <= _YEARS[1]:
        return None
    return read.astimezone(UTC)


def _is_canonical(data: bytes, entry: Mapping[str, object]) -> bool:
    """Re-serialised, it gives the same bytes.

    `parsed` refused floats and long numbers. Without nulls and keys outside ASCII either, the compact form is that of
    RFC 8785. Where one might occur, `canonical` decides.
    """
    try:
        if not data.isascii() or b"null" in data:
            return canonical(entry) == data
        return compact(entry) == data
    except (EntryError, RecursionError, UnicodeEncodeError):
        return False


def _refuse(text: str) -> object:
    raise ValueError(f"{text} is no number of the log")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        _refuse(text)
    return int(text)


_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_integer)
