"""The signer's memory: the last (origin, size, root) it signed, in STATE_DIR and outside the database.

A restored or rewritten database cannot bring it along. It is stored as the text of a checkpoint, replaced as
a whole and forced to the disk before the checkpoint is shown to anybody. `begin` is called when a log is opened: a log
that is not opened here and has no memory is one that somebody else must vouch for.
"""

from __future__ import annotations

import os
from pathlib import Path

from bot.domain.decision_log.merkle_tree import root
from bot.domain.decision_log.signed_note import Checkpoint, read_checkpoint
from bot.domain.errors import NoteError, StorageError

MEMORY = "log.memory"


def recall(state_dir: Path) -> Checkpoint | None:
    """The last signed checkpoint; None where nothing is remembered. Raises StorageError, NoteError (damaged)."""
    try:
        text = (state_dir / MEMORY).read_text()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise NoteError(f"{state_dir / MEMORY} is not text.") from None
    except OSError as error:
        raise StorageError(f"The signer's memory {state_dir / MEMORY} cannot be read: {error.strerror}.") from None
    return read_checkpoint(text)


def remember(state_dir: Path, signed: Checkpoint) -> None:
    """Replaces the memory; on return it is on the disk. Raises StorageError, and then the old one is unchanged."""
    path = state_dir / MEMORY
    draft = path.with_name(MEMORY + ".new")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
            file.write(signed.text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(state_dir, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StorageError(f"The signer's memory {path} cannot be written: {error.strerror}.") from None


def begin(state_dir: Path, origin: str) -> None:
    """Notes that a new log begins. A memory of signed entries is kept: then the database was lost, and the signer reports it."""
    known = recall(state_dir)
    if known is None or known.size == 0:
        remember(state_dir, Checkpoint(origin, 0, root(())))


def signed_name(state_dir: Path, origin: str) -> str:
    """The name under which the log is signed now: a new epoch changes it; `origin` where nothing is remembered."""
    try:
        known = recall(state_dir)
    except (StorageError, NoteError):
        return origin
    return origin if known is None else known.origin
