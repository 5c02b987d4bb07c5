"""Faults of a policy file, addressed to the person who has to correct them.

A finding is one sentence: what is wrong, and what to do about it. An error refuses the whole set; a warning does not.
Every finding is collected: nobody should have to run `check` once per mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """`file` is relative to the folder (`.` is the folder itself), `line` counts from 1."""

    severity: Severity
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """The form that compilers use, so that editors can jump to it."""
        return f"{self.file}:{self.line}: {self.severity}: {self.text}"


@dataclass(slots=True)
class PolicyReport:
    """Collects findings; duplicates count once."""

    _found: dict[PolicyFinding, None] = field(default_factory=dict)

    def error(self, file: str, line: int, text: str) -> None:
        self._found[PolicyFinding("error", file, line, text)] = None

    def warning(self, file: str, line: int, text: str) -> None:
        self._found[PolicyFinding("warning", file, line, text)] = None

    def add(self, findings: Iterable[PolicyFinding]) -> None:
        self._found.update(dict.fromkeys(findings))

    @property
    def refused(self) -> bool:
        return any(finding.severity == "error" for finding in self._found)

    def names(self, file: str) -> bool:
        """Whether anything was found in `file`."""
        return any(finding.file == file for finding in self._found)

    def sorted(self) -> tuple[PolicyFinding, ...]:
        """By file (bytes of the path) and line; findings of one line keep the order in which they were made."""
        return tuple(sorted(self._found, key=lambda f: (f.file.encode("utf-8", "replace"), f.line)))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean `owner`?`, or nothing when no known word is near."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""


def listed(words: Iterable[str]) -> str:
    """`a, b or c`, in code quotes."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}" if quoted else "none"
