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
from bot.domain.errors import KeyFileError, NoteError
from bot.ports.database import Location
from storage.log.check import Against, LogCheck, check_database
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
    memory, damaged = _memory(vouching)
    against = Against(lambda origin: _keys(origin, vouching), memory, remembers=vouching.remembers)
    return check_database(path, against=against, found=damaged, over=vouching.over, progress=vouching.progress)


def entries_of(path: Location) -> int:
    """The number of entries of a database's log; 0 if it has none. Raises StorageError, SchemaError."""
    with snapshot(path) as session:
        head = session.row("log_head")
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
