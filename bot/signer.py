"""The signer: it signs what extends what it signed before, and nothing else.

`cover` is the gate to the outside: whoever is about to say something waits for it first, and then a checkpoint covers
every commit that they can have read. It signs after the commit, never before, and one signature may cover many commits;
a tail that a killed process left unsigned is covered by the first call. The memory in STATE_DIR is on the disk before the
note is stored or anybody hears of it, so a checkpoint that left the process is never ahead of the memory.
Before it signs, the new head must be shown to extend the remembered one (RFC 9162, 2.1.4). Otherwise the signer is
*stopped*: it says what it found, and stays so until a person begins a new epoch. Source: decision-log.md.

Whoever can write the database but not STATE_DIR cannot take back what was signed; whoever can write both and holds the key
can, and only an anchor shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from bot.domain.errors import NoteError
from bot.domain.ledger import root
from bot.domain.note import Checkpoint, sign
from bot.domain.proof import extends
from bot.keys import LOG_KEY, SigningKey, make_keys, read_key
from bot.memory import recall, remember

log = structlog.get_logger(__name__)


class SignedHead(Protocol):
    """The end of a log as committed; `edge` are the roots of its complete subtrees, largest first."""

    @property
    def origin(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def edge(self) -> tuple[bytes, ...]: ...


class SignedLog(Protocol):
    """What the signer asks of a store."""

    async def log_head(self) -> SignedHead: ...
    async def consistency(self, old: int) -> tuple[SignedHead, list[bytes]]: ...
    async def keep_checkpoint(self, size: int, root: bytes, note: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Why nothing is signed: a code of `log verify` and a sentence."""

    code: str
    text: str


class Signer:
    """One for each log. `stopped` is the finding that made it refuse, None while it signs."""

    def __init__(self, store: SignedLog, key: SigningKey, state_dir: Path) -> None:
        self._store, self._key, self._state_dir = store, key, state_dir
        self._one = asyncio.Lock()
        self._covered = -1
        self.stopped: Finding | None = None

    async def cover(self) -> Finding | None:
        """Returns None once a checkpoint covers every commit made before the call; else why none does.

        Raises StorageError where the disk refuses: then nothing is covered, and it may be tried again.
        """
        async with self._one:
            if self.stopped is None and (await self._store.log_head()).size != self._covered:
                self.stopped = await self._extend()
                if self.stopped is not None:
                    log.error("log.stopped", code=self.stopped.code, reason=self.stopped.text)
            return self.stopped

    async def _extend(self) -> Finding | None:
        try:
            memory = await asyncio.to_thread(recall, self._state_dir)
        except NoteError as error:
            return Finding("checkpoint", f"The signer's memory in {self._state_dir} is damaged: {error}")
        head = await self._store.log_head()
        refused = judge(memory, head)
        if refused is not None or memory is None:
            return refused
        head, path = await self._store.consistency(memory.size)
        found = Checkpoint(head.origin, head.size, root(head.edge))
        if not follows(memory, found, path):
            return Finding("fork", f"The log's first {memory.size} entries are not those that were signed.")
        await asyncio.to_thread(remember, self._state_dir, found)
        note = sign(found.text, [(self._key.vkey(found.origin), self._key.sign)])
        await self._store.keep_checkpoint(found.size, found.root, str(note))
        self._covered = found.size
        return None


def judge(memory: Checkpoint | None, head: SignedHead) -> Finding | None:
    """What the memory alone has against a head; None where a proof may decide."""
    if memory is None:
        return Finding("rollback", "STATE_DIR has no memory of this log: nobody can say whether entries were lost.")
    if memory.origin != head.origin:
        return Finding("fork", f"The memory is of the log {memory.origin}; this one is {head.origin}.")
    if memory.size > head.size:
        return Finding("rollback", f"{memory.size} entries were signed; the log has {head.size}.")
    return None


def follows(memory: Checkpoint, found: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the found head extends the remembered one."""
    return extends(memory.size, found.size, memory.root, found.root, path)


def signer_of(store: SignedLog, state_dir: Path) -> Signer:
    """The signer of an opened store; the first makes the keys. Raises KeyFileError, StorageError, NoteError."""
    known = recall(state_dir)
    if known is None or known.size == 0:
        make_keys(state_dir)  # a key that signed already and is gone is missed, never replaced in silence
    return Signer(store, read_key(state_dir / LOG_KEY), state_dir)
