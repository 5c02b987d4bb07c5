"""The signer of a standby replica, and of the leader.

A standby signs nothing. It copies each checkpoint that the leader has signed into its own memory, once it has seen that the
checkpoint extends what it remembers; so when it leads, it signs only what extends the highest that was signed. A replica
without a memory believes nobody but a holder of the log's key: it asks the leader, with a nonce, for a signed size and root.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from bot.decision_log.keys import signing_keys, verify, vkeys
from bot.decision_log.signer import SignedLog, Signer
from bot.decision_log.signer_memory import recall, remember
from bot.domain.decision_log.inclusion_proof import extends
from bot.domain.decision_log.signed_note import Checkpoint, open_checkpoint, read_checkpoint, sign
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import NoteError
from bot.ports.records import SignedCheckpoint

_WAIT, _PAUSE = 3.0, 0.1  # seconds that a standby waits for the leader's signature, and between two looks
_STANDS_BY = LogFinding("checkpoint", None, "This replica does not lead; the leader signs and sends.")


class SharedLog(SignedLog, Protocol):
    """What a standby reads, in addition to a signer's reads."""

    async def last_checkpoint(self) -> str | None: ...
    async def between(self, old: int, new: int) -> Sequence[bytes]: ...


class LeasedSigner(Signer):
    """Signs and lets out only while the lease is valid by this machine's boot-time clock; else waits for the leader."""

    def __init__(
        self, log: SharedLog, state_dir: Path, lock: AbstractContextManager[None], leads: Callable[[], bool]
    ) -> None:
        super().__init__(log, state_dir, lock)
        self._log, self._leads = log, leads

    async def cover(self) -> SignedCheckpoint | LogFinding:
        if self._leads():
            return await super().cover()
        return await self._by_the_leader()

    async def _by_the_leader(self) -> SignedCheckpoint | LogFinding:
        size = (await self._log.head()).size
        for _ in range(round(_WAIT / _PAUSE)):
            note = await self._log.last_checkpoint()
            if note is not None and (newest := opened(self._state_dir, note)).size >= size:
                return SignedCheckpoint(newest.size, newest.root, note)
            await asyncio.sleep(_PAUSE)
        return _STANDS_BY


def opened(state_dir: Path, note: str) -> Checkpoint:
    """A note that this log's key signed. Raises NoteError."""
    return open_checkpoint(note, vkeys(state_dir, note.partition("\n")[0]), verify)


async def catch_up(log: SharedLog, state_dir: Path) -> int | None:
    """Copies the newest checkpoint into the memory if it extends it; the size remembered, None without a memory.

    Raises StorageError, NoteError.
    """
    memory, note = await asyncio.to_thread(recall, state_dir), await log.last_checkpoint()
    if memory is None or note is None or read_checkpoint(note).size <= memory.size:
        return None if memory is None else memory.size
    found = opened(state_dir, note)
    if found.origin != memory.origin:
        return memory.size  # a new epoch: its keeper vouches by hand
    path = await log.between(memory.size, found.size) if memory.size else ()
    if memory.size and not extends(memory.size, found.size, memory.root, found.root, path):
        raise NoteError(f"The checkpoint of {found.size} entries does not extend the {memory.size} that were signed.")
    await asyncio.to_thread(remember, state_dir, found)
    return found.size


def vouched_note(state_dir: Path, nonce: str) -> str | None:
    """The leader's answer to a replica without a memory: what it remembers, signed under a name that holds the nonce."""
    memory = recall(state_dir)
    if memory is None:
        return None
    about = Checkpoint(f"{memory.origin}/vouch/{nonce}", memory.size, memory.root)
    return str(sign(about.text, [(key.vkey(about.origin), key.sign) for key in signing_keys(state_dir)]))


def believe(state_dir: Path, origin: str, nonce: str, note: str) -> None:
    """Begins the memory with what a holder of the log's key said about this nonce. Raises NoteError, StorageError."""
    found = opened(state_dir, note)
    if found.origin != f"{origin}/vouch/{nonce}":
        raise NoteError("The note is about another replica.")
    remember(state_dir, Checkpoint(origin, found.size, found.root))
