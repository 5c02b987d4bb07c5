"""Prints a finding of `check` so that terminals and editors jump to it: `runbooks/responsibility.yaml:81:7`, and on a terminal the
line itself with a mark under the place."""

from __future__ import annotations

import re
from pathlib import Path

from bot.terminal import is_terminal
from runbooks.parsing.findings import PolicyFinding

_SHOWN = 1_000_000  # bytes of a file from which a line is shown
_NAMED = re.compile(r"`([^`]+)`")


def pointed(folder: Path, finding: PolicyFinding) -> list[str]:
    """The finding with file, line and column; on a terminal the line of the file too. The column is that of the first word in
    backquotes that the line holds, or else of its first character."""
    source = _line(folder / finding.file, finding.line)
    column = _column(source, finding.text)
    head = f"{folder / finding.file}:{finding.line}:{column}: {finding.severity}: {finding.text}"
    if not (is_terminal() and source.strip()):
        return [head]
    number = f"{finding.line:>5} | "
    return [head, f"{number}{source}", " " * (len(number) + column - 1) + "^", ""]


def _line(path: Path, number: int) -> str:
    """The line of a file, tabs as one space; empty where there is none."""
    try:
        if not path.is_file() or path.stat().st_size > _SHOWN:  # a pipe would be waited for without end
            return ""
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[number - 1].replace("\t", " ") if 0 < number <= len(lines) else ""


def _column(line: str, text: str) -> int:
    """Counts from 1."""
    places = [line.find(word) for word in _NAMED.findall(text)]
    return next((place for place in places if place >= 0), len(line) - len(line.lstrip())) + 1
