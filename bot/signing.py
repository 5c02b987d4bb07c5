"""Signs the log on demand, beside a running bot: before an export, and when somebody asks for the newest checkpoint.

In this release nothing signs by itself: a checkpoint covers what was committed when somebody on the host last asked for
one. Keys are made before the first signature. The signer refuses what does not extend its memory (`bot.signer`).
"""

from __future__ import annotations

from bot.app import open_store
from bot.settings import Settings
from bot.signer import Finding, signer_of


async def cover(settings: Settings) -> Finding | None:
    """A checkpoint covers everything that is committed now, or the finding why none does.

    Raises SettingsError, SchemaError, StorageError, KeyFileError.
    """
    store = await open_store(settings)
    try:
        return await signer_of(store, settings.state_dir).cover()
    finally:
        await store.close()
