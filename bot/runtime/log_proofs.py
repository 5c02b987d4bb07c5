"""Inclusion and consistency proofs: an entry is in the signed log; one checkpoint extends another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.clock import SystemClock
from bot.decision_log.keys import verify, vkeys
from bot.domain.decision_log.inclusion_proof import extends
from bot.domain.decision_log.signed_note import Checkpoint, VerifierKey, open_checkpoint
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import NoteError, SettingsError, TextFileError
from bot.domain.policy.handed_in import file_text
from bot.runtime.open_log import cover
from bot.settings import Settings
from storage.opening import open_database
from storage.sql_store import SqlStore


@dataclass(frozen=True, slots=True)
class Extended:
    """A checkpoint that extends another, and the RFC 9162 proof of it."""

    old: Checkpoint
    new: Checkpoint
    path: tuple[bytes, ...]


async def prove(settings: Settings, index: int) -> str | LogFinding:
    """The C2SP `tlog-proof` of an entry under the newest checkpoint, with the entry's bytes, or the finding why there is none.

    Raises StorageError, KeyFileError.
    """
    signed = await cover(settings)
    if isinstance(signed, LogFinding):
        return signed
    store = await open_database(settings.database, SystemClock(), read_only=True)
    try:
        found = await store.log.file(f"proof/{index}.tlog-proof")
    finally:
        await store.close()
    if found is None:
        return LogFinding("index", None, f"The log has no entry {index}; the last is {signed.size - 1}.")
    return found.decode()


async def extended(
    settings: Settings, old: str, new: str, keys: Sequence[VerifierKey] | None
) -> Extended | LogFinding:  # fmt: skip
    """Checks both signatures, and that the new checkpoint extends the old one by the stored tree. Each is a size or a note file.

    Raises SettingsError (there is no such checkpoint), StorageError (the tree lacks what the proof needs), KeyFileError.
    """
    store = await open_database(settings.database, SystemClock(), read_only=True)
    try:
        head = await store.log.head()
        known = vkeys(settings.state_dir, head.origin) if keys is None else keys
        notes = [await _note(store, name) for name in (old, new)]
        try:
            first, second = (open_checkpoint(note, known, verify) for note in notes)
        except NoteError as error:
            return LogFinding("signature", None, str(error))
        if not first.size <= second.size <= head.size:
            text = f"A checkpoint of {second.size} entries extends none of {first.size} in a log of {head.size}."
            return LogFinding("rollback", None, text)
        path = tuple(await store.log.between(first.size, second.size))
    finally:
        await store.close()
    if first.origin != second.origin or not extends(first.size, second.size, first.root, second.root, path):
        return LogFinding("fork", None, f"The checkpoint of {second.size} entries does not extend the one of {first.size}.")
    return Extended(first, second, path)


async def _note(store: SqlStore, name: str) -> str:
    if name.isascii() and name.isdecimal():
        found = await store.log.file(f"checkpoints/{int(name)}")
        if found is None:
            raise SettingsError(f"The log has no stored checkpoint of size {name}.")
        return found.decode()
    try:
        return file_text(await asyncio.to_thread(Path(name).read_bytes))
    except (OSError, TextFileError) as error:
        raise SettingsError(f"{name} is neither a checkpoint's size nor a note that can be read: {error}.") from None
