"""Reads the rows of a pack's files one by one, without trusting them: a CSV line, or a line of the JSON list, in memory at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, TypeVar

from bot.evidence.files import Export

T = TypeVar("T")
_MOST, _LINE = 2**34, 2**21  # bytes of one file, and of one row


class Unreadable(Exception):
    """The file is no list of rows as a pack has it: `[`, a JSON object a line, `]`."""


def readable(rows: Iterator[T]) -> Iterator[T]:
    """The rows up to the first that cannot be read."""
    try:
        yield from rows
    except Unreadable:
        return


def rows_of(export: Export, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a JSON file. Raises Unreadable."""
    file = export.opened(f"{name}.json", _MOST)
    if file is None:
        raise Unreadable(name)
    with file:
        if file.readline(_LINE) != b"[\n":
            raise Unreadable(name)
        for line in iter(lambda: file.readline(_LINE), b"]\n"):
            yield _row(line)


def sheet_of(export: Export, name: str) -> Iterator[list[str]]:
    """The rows of a CSV file, without the first. Raises Unreadable."""
    file = export.opened(f"{name}.csv", _MOST)
    if file is None:
        return
    with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        try:
            lines = csv.reader(text)
            next(lines, None)
            yield from lines
        except (ValueError, csv.Error):
            raise Unreadable(name) from None


def _row(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.rstrip(b"\n").removesuffix(b","))
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(found, dict):
        raise Unreadable
    return found
