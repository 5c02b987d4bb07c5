"""Signs the log on demand, beside a running bot: before an export, and when somebody asks for the newest checkpoint.

Keys are made before the first signature. The signer refuses what does not extend its memory (`bot.decision_log.signer`).
"""

from __future__ import annotations

from bot.app import open_store
from bot.decision_log.signer import signer_of
from bot.domain.decision_log.verify.log import LogFinding
from bot.ports.store import SignedCheckpoint
from bot.settings import Settings
from storage.sqlite.lock import FileLock


async def cover(settings: Settings) -> SignedCheckpoint | LogFinding:
    """The checkpoint that covers everything that is committed now, or the finding why none does.

    Raises SettingsError, SchemaError, StorageError, KeyFileError.
    """
    store, lock = await open_store(settings), FileLock(settings.state_dir)
    try:
        return await signer_of(store, settings.state_dir, lock).cover()
    finally:
        lock.close()
        await store.close()
