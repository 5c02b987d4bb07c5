"""`log rotate-key`: the same log, another key.

The new key is stored next to the old one, and from then on both sign; then `log.key_rotated` is committed, both sign a
checkpoint that covers it, and the old private key is deleted. After a kill in between both keep signing and the command
resumes. A running bot reads the keys at each signature. Source: decision-log.md, the command line.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.decision_log.keys import LOG_KEY, NEXT, SigningKey, make_key, read_key, retire
from bot.decision_log.signer import Signer, signer_of
from bot.domain.case.transition import OPERATOR, LogEvent, Transition
from bot.domain.decision_log.verify.log import LogFinding
from bot.runtime.open_log import open_store
from bot.settings import Settings
from storage.sql_store import SqlStore
from storage.sqlite.lock import FileLock

KIND = "log.key_rotated"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The key ids, eight hex digits each."""

    old: str
    new: str


async def rotate(settings: Settings) -> Rotated | LogFinding:
    """Returns the ids before and after, or the finding why the log is not signed. Raises KeyFileError, StorageError, SettingsError."""
    store, lock = await open_store(settings), FileLock(settings.state_dir)
    try:
        signer = await asyncio.to_thread(signer_of, store.log, settings.state_dir, lock)
        refused = await signer.cover()
        return refused if isinstance(refused, LogFinding) else await _rotated(store, signer, settings)
    finally:
        lock.close()
        await store.close()


async def _rotated(store: SqlStore, signer: Signer, settings: Settings) -> Rotated | LogFinding:
    origin, folder = (await store.log.head()).origin, settings.state_dir
    await asyncio.to_thread(make_key, folder / NEXT)
    old, new = (_id(read_key(folder / name), origin) for name in (LOG_KEY, NEXT))
    if not await store.log.names_key(new):
        draft = LogEvent(KIND, OPERATOR, data={"old": old, "new": new})
        await store.commit(Transition(None, None, (draft,)))
    signed = await signer.cover()
    if isinstance(signed, LogFinding):
        return signed
    await asyncio.to_thread(retire, folder, origin)
    return Rotated(old, new)


def _id(key: SigningKey, origin: str) -> str:
    return key.vkey(origin).id.hex()
