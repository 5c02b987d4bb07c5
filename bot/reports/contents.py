"""What somebody asks of a pack, and what was counted while it was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.reports import requests
from bot.reports.reading import Scope


@dataclass(frozen=True, slots=True)
class Options:
    """What somebody asked for. `seed` "": the checkpoint's root."""

    scope: Scope
    framework: str | None = None
    sample: int = 25
    seed: str = ""


@dataclass(slots=True)
class FoundAccess:
    """An access that a reconciliation found without a grant, as its finding was filed; `outcome` is how it was closed, if it was."""

    case: str
    filed_at: str
    domain: str
    runbook: str
    target: str
    source: str
    outcome: str = "open"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last reconciliation of one domain."""

    ts: str
    source: str
    as_of: str
    counts: Mapping[str, int]


@dataclass(slots=True)
class Totals:
    """What was counted while the files were written."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, requests.RequestLine] = field(default_factory=dict)
    found: dict[str, FoundAccess] = field(default_factory=dict)  # by the finding's id
    runs: dict[str, LastRun] = field(default_factory=dict)  # by domain
    first: str = ""
    last: str = ""
