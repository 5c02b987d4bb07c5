"""Begins the log of a database that has none, with entry 0."""

from __future__ import annotations

import re
from pathlib import Path

from bot.clock import Clock
from bot.decision_log import signer_memory
from bot.domain.case.transition import SYSTEM, LogEvent
from bot.domain.errors import SettingsError
from storage.log.append import Ledger
from storage.session import Session

_ORIGIN = re.compile(r"[^\s+]{1,200}")


def check_origin(origin: str | None) -> None:
    """Raises SettingsError for a name that no log can have."""
    if origin is not None and not _ORIGIN.fullmatch(origin):
        raise SettingsError("COUNTERSIGN_LOG_ORIGIN is a name without blanks and plus signs, such as example.org/log.")


def begin_log(session: Session, clock: Clock, origin: str | None, state_dir: Path | None) -> None:
    """Inside a writing transaction. Raises SettingsError where the log has another name than `origin`."""
    row = session.row("log_head")
    if row is None:
        name = origin or f"countersign.local/{clock.salt()[:4].hex()}"
        if state_dir is not None:
            signer_memory.begin(state_dir, name)
        session.run("open_log", origin=name, edge=b"")
        ledger = Ledger(session, clock)
        ledger.append(LogEvent("log.opened", SYSTEM), clock.now())
        ledger.flush()
    elif origin is not None and not re.fullmatch(re.escape(origin) + r"(\.\d+)?", row["origin"]):
        raise SettingsError(
            f"The log's origin is {row['origin']} and stays so; COUNTERSIGN_LOG_ORIGIN says {origin}. Correct the setting."
        )
