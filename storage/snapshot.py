"""A read-only look at whatever database it is, for callers without an event loop. psycopg is imported only where it is needed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from bot.domain.errors import SettingsError
from bot.ports.database import Location
from storage.session import Session
from storage.sqlite import snapshot as sqlite_snapshot


def snapshot(place: Location) -> AbstractContextManager[Session]:
    """A session whose statements all read the state of one moment, without an event loop. Raises StorageError, SchemaError."""
    if isinstance(place, Path):
        return sqlite_snapshot.snapshot(place)
    need_psycopg()
    from storage.postgres.snapshot import snapshot as postgres_snapshot

    return postgres_snapshot(place)


def need_psycopg() -> None:
    """Raises SettingsError where the driver of PostgreSQL is not installed."""
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "COUNTERSIGN_DATABASE_URL names PostgreSQL, and the driver is not installed:"
            f" pip install 'countersign[postgres]' ({error})."
        ) from None
