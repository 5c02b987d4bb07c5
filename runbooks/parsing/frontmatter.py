"""A runbook is front matter for the machine between two lines `---`, then a body for the person who executes it.

Text is UTF-8, read by `file_text`; tabs of a body stay. The matrix is all head and no
body.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text
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
        text = file_text(content)
    except TextFileError as error:
        return _refused(file, error.line, str(error))
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
