"""A read-only look at a database file on a connection of its own, for callers without an event loop."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.domain.errors import StorageError
from storage.session import Session
from storage.sqlite import schema
from storage.sqlite.driver import SqliteSession, explained


@contextmanager
def snapshot(path: Path) -> Iterator[Session]:
    """A session whose statements all read the state of one moment.

    Raises StorageError where the file cannot be opened or read, SchemaError where it is of another version.
    """
    try:
        with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True, isolation_level=None)) as raw:
            session = SqliteSession(raw)
            schema.check(session)
            session.begin(write=False)
            yield session
    except sqlite3.Error as error:
        raise explained(error) from error
    except OSError as error:
        raise StorageError(f"The database {path} cannot be read: {error.strerror}.") from error
