"""The stored high-water mark of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from bot.domain.case.transition import LogEvent
from bot.domain.failsafe.clock_jump import Mark


class ClockMarks(Protocol):
    """How far time has come. A jump that is stored stays until an operator accepts it."""

    async def mark(self) -> Mark | None:
        """The mark, the log's last entry included; None where none was ever stored."""

    async def keep(self, mark: Mark, entries: Sequence[LogEvent] = ()) -> None:
        """Stores the mark and logs `entries`."""

    async def request_acceptance(self) -> bool:
        """An operator accepts the stored jump; False where there is none. The clock keeper carries it out."""

    async def acceptance_requested(self) -> bool:
        """Whether a stored jump is accepted and not carried out yet."""

    async def accept(self, accept: Callable[[], Mark], entry: LogEvent) -> None:
        """Logs `entry` and clears the stored jump. `accept` is called inside the transaction and sets the clock, so that
        no entry is written in between; where time steps back, open grants end that much earlier."""
