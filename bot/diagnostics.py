"""What `countersign doctor` finds: one sentence each, that says what is wrong and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
Area = Literal[
    "settings", "time zones", "policy", "database", "clock", "state", "tokens", "scopes", "people", "channels", "feeds",
    "live", "log", "anchors", "reconciliation", "signing",
]  # fmt: skip
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An error prevents an answer; a warning does not; info only describes something. `settings` are what exit code 2 is about."""

    severity: Severity
    area: Area
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.area}: {self.text}"


def error(area: Area, text: str) -> Diagnosis:
    return Diagnosis("error", area, text)


def warning(area: Area, text: str) -> Diagnosis:
    return Diagnosis("warning", area, text)


def listed(words: Iterable[str]) -> str:
    """`a, b and c`; of a long list the first few, and how many more there are."""
    given = list(words)
    shown = given if len(given) <= _SHOWN else [*given[: _SHOWN - 1], f"{len(given) - _SHOWN + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "nobody"
