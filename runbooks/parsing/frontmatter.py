"""A runbook is front matter for the machine between two lines `---`, then a body for the person who executes it.

Text is UTF-8; a byte order mark and Windows line ends are taken as they are meant. The matrix is all head and no
body.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from runbooks.parsing.findings import PolicyFinding


@dataclass(frozen=True, slots=True)
class RunbookParts:
    """`head` is None when the file cannot be read; `first_line` is where the head starts."""

    head: str | None
    body: str = ""
    first_line: int = 1
    body_line: int = 1
    finding: PolicyFinding | None = None


@lru_cache(maxsize=1024)
def split(file: str, content: bytes) -> RunbookParts:
    """Head and body of a policy file's bytes."""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _refused(file, line, "A byte here is not UTF-8: save the file as UTF-8.")
    if not file.endswith(".md"):
        return RunbookParts(text)
    return _runbook(file, text)


def _runbook(file: str, text: str) -> RunbookParts:
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return _refused(file, 1, "The front matter is missing: begin the file with a line `---`.")
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            body = "\n".join(lines[number + 1 :]).strip("\n")
            return RunbookParts("\n".join(lines[1:number]) + "\n", body, 2, number + 2)
    return _refused(file, 1, "The front matter has no end: close it with a line `---`.")


def _refused(file: str, line: int, text: str) -> RunbookParts:
    return RunbookParts(None, finding=PolicyFinding("error", file, line, text))
