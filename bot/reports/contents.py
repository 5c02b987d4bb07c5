"""What somebody asks of a pack, and what was counted while it was written."""

from __future__ import annotations

from collections import Counter
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
class Totals:
    """What was counted while the files were written."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, requests.RequestLine] = field(default_factory=dict)
    first: str = ""
    last: str = ""
