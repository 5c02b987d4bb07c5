"""Queries of the monthly figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Whose = Literal["provider", "owner"]


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """One month of a provider, or of an owner's domains: `flags` in words, and each figure as a label and a value."""

    title: str
    flags: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]


class MonthReports(Protocol):
    """Reports made from the log, off the event loop."""

    async def summary(self, whose: Whose, name: str, month: str) -> MonthSummary:
        """`name` is a provider's id, or `TEAM/USER` of an owner; `month` is like 2026-11. Raises SettingsError, StorageError."""
