"""What a function has inside a writing transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.clock import Clock
from bot.domain.case.transition import LogEvent
from bot.domain.errors import Stopped
from storage.log.append import Ledger
from storage.session import Session


@dataclass(frozen=True, slots=True)
class Tx:
    """The session and the log of one act. `now` was read after the transaction had begun."""

    session: Session
    ledger: Ledger
    now: datetime
    clock: Clock
    halted: str = ""  # why the log takes nothing

    def log(self, entries: Sequence[LogEvent]) -> None:
        """Appends entries. Raises EntryError, and Stopped while the signer refuses this log."""
        if entries and self.halted:
            raise Stopped(self.halted)
        for draft in entries:
            self.ledger.append(draft, self.now)
