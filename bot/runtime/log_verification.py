"""Verifies the whole stored log: its bytes (`storage.log.check`), every signed note, and the signer's memory.

The memory is outside the database. If it is ahead of the log, entries are gone (`rollback`); if its root differs, the
entries are not those that were signed (`fork`). Source: decision-log.md, "Checkpoint and signer".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.decision_log.keys import vkeys
from bot.decision_log.signer_memory import recall
from bot.domain.decision_log.signed_note import Checkpoint, VerifierKey
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import KeyFileError, NoteError, SchemaError
from bot.ports.database import Location
from storage.log.check import Against, LogCheck, check_database, check_newest
from storage.snapshot import snapshot


@dataclass(frozen=True, slots=True)
class TrustBase:
    """What is trusted besides the database: the verifier keys (None: those of `state_dir`) and the folder of memory and keys.

    `remembers`: whether the memory there is of this log. `over`: returns True to cancel the check; `progress` counts verified entries.
    """

    keys: Sequence[VerifierKey] | None
    state_dir: Path
    remembers: bool = True
    over: Callable[[], bool] = lambda: False
    progress: Callable[[int], object] = lambda _: None


def verify(path: Location, vouching: TrustBase) -> LogCheck:
    """Checks a database file. Raises StorageError, SchemaError."""
    against, damaged = _against(vouching)
    return check_database(path, against=against, found=damaged, over=vouching.over, progress=vouching.progress)


def verify_newest(path: Location, vouching: TrustBase) -> tuple[LogCheck, int] | None:
    """Checks what came after the last `log.verified`; with it comes how many entries that one covered. None where only a check of
    the whole log can tell. Raises StorageError, SchemaError."""
    against, damaged = _against(vouching)
    return None if damaged else check_newest(path, against, vouching.over, vouching.progress)


def _against(vouching: TrustBase) -> tuple[Against, tuple[LogFinding, ...]]:
    memory, damaged = _memory(vouching)
    return Against(lambda origin: _keys(origin, vouching), memory, remembers=vouching.remembers), damaged


def entries_of(path: Location) -> int:
    """The number of entries of a database's log; 0 if it has none, and where another version wrote it. Raises StorageError."""
    try:
        with snapshot(path) as session:
            head = session.row("log_head")
    except SchemaError:
        return 0
    return 0 if head is None else int(head["size"])


def _memory(vouching: TrustBase) -> tuple[Checkpoint | None, tuple[LogFinding, ...]]:
    try:
        return (recall(vouching.state_dir) if vouching.remembers else None), ()
    except NoteError as error:
        return None, (LogFinding("checkpoint", None, f"The signer's memory in {vouching.state_dir} is damaged: {error}"),)


def _keys(origin: str, vouching: TrustBase) -> Sequence[VerifierKey]:
    """The verifier keys; empty if they cannot be read, and then no signature is valid."""
    if vouching.keys is not None:
        return vouching.keys
    try:
        return vkeys(vouching.state_dir, origin)
    except (KeyFileError, NoteError):
        return ()
