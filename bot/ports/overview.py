"""What health checks and metrics ask."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.ports.records import Backlog, Lateness


class Overview(Protocol):
    """Counts as of one moment; each is one step into an index."""

    async def backlog(self, now: datetime) -> Backlog:
        """What waits."""

    async def lateness(self, before: datetime) -> Lateness:
        """What is late; `before` is the latest deadline at which an open ask counts as overdue."""

    async def prove_writable(self) -> None:
        """Writes durably without changing anything. Raises StorageError, or SchemaError (another program's version)."""
