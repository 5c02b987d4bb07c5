"""The signer: it signs what extends what it signed before, and nothing else.

`cover` guards everything that leaves: a sender awaits it before it sends, and then a checkpoint covers
every commit that they can have read. It signs after the commit, never before, and one signature may cover many commits;
a tail that a killed process left unsigned is covered by the first call. The memory in STATE_DIR is on the disk before the
note is stored or sent, so a checkpoint that left the process is never ahead of the memory.
Before it signs, the new head must be shown to extend the remembered one (RFC 9162, 2.1.4). Otherwise the signer is
*stopped*: it reports its finding, and stays stopped until a person begins a new epoch. Source: decision-log.md.

From the look at the memory to the new one it holds the lock of STATE_DIR: another process that signs meanwhile could else
put an older memory over ours.
An attacker who can write the database but not STATE_DIR cannot take back what was signed; one who can write both and holds the key
can, and only an anchor shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import structlog

from bot.decision_log.keys import LOG_KEY, make_keys, read_key, signing_keys
from bot.decision_log.signer_memory import recall, remember
from bot.domain.decision_log.inclusion_proof import extends
from bot.domain.decision_log.merkle_tree import root
from bot.domain.decision_log.signed_note import Checkpoint, sign
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import KeyFileError, LogDamaged, NoteError
from bot.ports.log import SignedHead
from bot.ports.records import SignedCheckpoint

log = structlog.get_logger(__name__)


class ProvenLog(Protocol):
    """What shows that a log extends what was signed of it."""

    async def head(self) -> SignedHead: ...
    async def consistency(self, old: int) -> tuple[SignedHead, list[bytes]]: ...


class SignedLog(ProvenLog, Protocol):
    """What the signer asks of a store."""

    async def keep_checkpoint(self, size: int, root: bytes, note: str) -> None: ...
    def halt(self, why: str) -> None: ...


class Signer:
    """One for each log and process. `stopped` is the finding that made it refuse, None while it signs."""

    def __init__(self, store: SignedLog, state_dir: Path, lock: AbstractContextManager[None]) -> None:
        """`lock` is the one of STATE_DIR, on a handle that nobody else in this process uses."""
        self._store, self._state_dir, self._lock = store, state_dir, lock
        self._one = asyncio.Lock()
        self._newest: SignedCheckpoint | None = None
        self._calls = self._through = 0  # how many came, and up to which of them `_newest` looked at the log afterwards
        self.stopped: LogFinding | None = None

    async def cover(self) -> SignedCheckpoint | LogFinding:
        """The checkpoint that covers every commit made before the call, or the finding why none does.

        Raises StorageError where the disk refuses: then nothing is covered, and it may be tried again.
        """
        self._calls += 1
        mine = self._calls
        async with self._one:
            if self.stopped is not None:
                return self.stopped
            if self._newest is not None and self._through >= mine:
                return self._newest  # signed for somebody else, and begun after this call
            through = self._calls
            if self._newest is not None and (await self._store.head()).size == self._newest.size:
                self._through = through
                return self._newest
            async with self._locked():
                through = self._calls  # also those that came while this one waited: the log is read from here on
                found = await self._extend()
            if isinstance(found, LogFinding):
                self.stop(found)
                return found
            await self._store.keep_checkpoint(found.size, found.root, found.note)
            self._newest, self._through = found, through
            return found

    def stop(self, found: LogFinding) -> None:
        """Signs nothing any more, and the store takes no entry, until `resume`: somebody found the log wanting."""
        if self.stopped is not None:
            return
        self.stopped = found
        self._store.halt(found.text)
        log.error("log.stopped", code=found.code, reason=found.text)

    def resume(self) -> None:
        """A new epoch has begun: the memory is judged again at the next call."""
        self.stopped, self._newest = None, None
        self._store.halt("")

    async def _extend(self) -> SignedCheckpoint | LogFinding:
        found = await remembered(self._store, self._state_dir)
        if isinstance(found, LogFinding):
            return found
        try:
            keys = signing_keys(self._state_dir)  # each time: another process may have replaced one
        except KeyFileError as error:
            return LogFinding("signature", None, str(error))
        note = sign(found.text, [(key.vkey(found.origin), key.sign) for key in keys])
        await asyncio.to_thread(remember, self._state_dir, found)
        return SignedCheckpoint(found.size, found.root, str(note))

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        await asyncio.to_thread(self._lock.__enter__)
        try:
            yield
        finally:
            self._lock.__exit__(None, None, None)


async def remembered(store: ProvenLog, state_dir: Path) -> Checkpoint | LogFinding:
    """The log's head, if it extends what was signed; else the finding against it. Raises StorageError."""
    try:
        memory = await asyncio.to_thread(recall, state_dir)
    except NoteError as error:
        return LogFinding("checkpoint", None, f"The signer's memory in {state_dir} is damaged: {error}")
    head = await store.head()
    refused = judge(memory, head)
    if refused is not None:
        return refused
    assert memory is not None
    try:
        head, path = await store.consistency(memory.size)
    except LogDamaged as error:
        return LogFinding("node", None, str(error))
    found = Checkpoint(head.origin, head.size, root(head.edge))
    if not follows(memory, found, path):
        return LogFinding("fork", None, f"The log's first {memory.size} entries are not those that were signed.")
    return found


def judge(memory: Checkpoint | None, head: SignedHead) -> LogFinding | None:
    """What the memory alone has against a head; None where a proof may decide."""
    if memory is None:
        text = (
            "STATE_DIR has no memory of this log: nobody can say whether entries were lost. Set COUNTERSIGN_STATE_DIR to the"
            " folder that signed it; if that is lost: countersign log new-epoch --reason TEXT."
        )
        return LogFinding("rollback", None, text)
    if memory.origin != head.origin:
        return LogFinding("fork", None, f"The memory is of the log {memory.origin}; this one is {head.origin}.")
    if memory.size > head.size:
        return LogFinding("rollback", None, f"{memory.size} entries were signed; the log has {head.size}.")
    return None


def follows(memory: Checkpoint, found: Checkpoint, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the found head extends the remembered one."""
    return extends(memory.size, found.size, memory.root, found.root, path)


def signer_of(store: SignedLog, state_dir: Path, lock: AbstractContextManager[None]) -> Signer:
    """The signer of an opened store; the first makes the keys. A log key that signed already and is gone is missed, never
    replaced in silence. Raises KeyFileError, StorageError."""
    try:
        known = recall(state_dir)
        fresh = known is None or known.size == 0
    except NoteError:
        fresh = False  # a damaged memory is the signer's to report
    if fresh:
        with lock:  # two that start at once make one key
            make_keys(state_dir)
    read_key(state_dir / LOG_KEY)
    return Signer(store, state_dir, lock)
