"""Signs the log on demand, beside a running bot: before an export, and when somebody asks for the newest checkpoint.

In this release nothing signs by itself: a checkpoint covers what was committed when somebody on the host last asked for
one. Keys are made before the first signature. The signer refuses what does not extend its memory (`bot.signer`).
"""

from __future__ import annotations

from bot.app import open_store
from bot.keys import LOG_KEY, make_keys, read_key
from bot.memory import recall
from bot.settings import Settings
from bot.signer import Finding, Signer


async def cover(settings: Settings) -> Finding | None:
    """A checkpoint covers everything that is committed now, or the finding why none does.

    Raises SettingsError, SchemaError, StorageError, KeyFileError.
    """
    known = recall(settings.state_dir)
    if known is None or known.size == 0:
        make_keys(settings.state_dir)  # a key that signed already and is gone is missed, never replaced in silence
    store = await open_store(settings)
    try:
        return await Signer(store, read_key(settings.state_dir / LOG_KEY), settings.state_dir).cover()
    finally:
        await store.close()
