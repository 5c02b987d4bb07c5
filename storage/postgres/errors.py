"""PostgreSQL's errors in words that say what to do."""

from __future__ import annotations

from typing import Any

import psycopg

from bot.domain.errors import CountersignError, DiskRefuses, EntryError, SchemaError, StorageError

_LOST = (
    "The database server cannot be reached; nothing was written. Check that PostgreSQL runs and COUNTERSIGN_DATABASE_URL."
)
_DISK = {
    "53100": "The database server's disk is full; nothing was written. Free some space there and try again.",
    "25006": "The database server takes no writes (a standby, or set to read-only); nothing was written. "
    "Check COUNTERSIGN_DATABASE_URL.",
    "53300": "The database server has no connection left; nothing was written. Raise max_connections or close some.",
    "57P03": "The database server is starting or stopping; nothing was written. Try again in a moment.",
}
_OTHER = {
    "55P03": "Another session holds what this needs; nothing was written. Try again.",
    "40P01": "Another session holds what this needs; nothing was written. Try again.",
    "28P01": "The database server refuses the password: check COUNTERSIGN_DATABASE_URL.",
    "28000": "The database server refuses this account: check COUNTERSIGN_DATABASE_URL.",
    "3D000": "The database does not exist on the server: create it, or check COUNTERSIGN_DATABASE_URL.",
}


def explained(error: psycopg.Error) -> CountersignError:
    """The database's error in words that say what to do."""
    code = error.sqlstate or ""
    if code in _DISK:
        return DiskRefuses(_DISK[code])
    if code in _OTHER:
        return StorageError(_OTHER[code])
    if code == "42P01":
        return SchemaError("The database has no tables of Countersign: run `countersign migrate`.")
    if isinstance(error, psycopg.DataError) and "NUL" in str(error):
        return EntryError("A text holds a NUL character; type it again.")
    if code.startswith(("08", "57P")) or (isinstance(error, psycopg.OperationalError) and not code):
        return DiskRefuses(_LOST)
    return StorageError(f"The database refused: {str(error).partition(chr(10))[0]}. Nothing was written.")


def is_lost(raw: psycopg.Connection[Any]) -> bool:
    """Whether the session is gone."""
    return raw.closed or raw.broken
