"""Copies of a database file: made while a bot runs by SQLite's own backup, and put back while nobody has the file open."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.domain.errors import SettingsError, StorageError
from storage.sqlite import schema
from storage.sqlite.driver import SqliteSession, explained

_PAGES = 1_000  # copied in one step; a writer continues between two


def copy(source: Path, target: Path) -> None:
    """Writes the state of one moment of `source` into the new file `target`, mode 0600, forced to the disk.

    Raises SettingsError where `target` exists or `source` does not, StorageError; then `target` is gone again.
    """
    if not source.is_file():
        raise SettingsError(f"There is no database at {source}.")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise SettingsError(f"{target} exists. Name a new file; nothing is overwritten.") from None
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}.") from error
    try:
        _copied(source, target)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise explained(error) from error


def _copied(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer, pages=_PAGES)
        writer.execute("PRAGMA journal_mode = DELETE")  # one file, without -wal or -shm
    with open(target, "rb") as file:
        os.fsync(file.fileno())


@contextmanager
def readable(file: Path, now_ms: int) -> Iterator[Path]:
    """`file`, or where an earlier version wrote it, a copy beside it that is brought up to date and is gone afterwards.

    Raises SchemaError for a file of a newer version, or of another program; StorageError."""
    copied = file.with_name(f"{file.name}.checked")
    try:
        with closing(sqlite3.connect(file.absolute().as_uri() + "?mode=ro", uri=True, isolation_level=None)) as raw:
            earlier = schema.is_earlier(SqliteSession(raw))
        if not earlier:
            yield file
            return
        copied.unlink(missing_ok=True)
        copy(file, copied)
        with closing(sqlite3.connect(copied, isolation_level=None)) as raw:
            schema.migrate(SqliteSession(raw), now_ms)
        yield copied
    except sqlite3.Error as error:
        raise explained(error) from error
    finally:
        copied.unlink(missing_ok=True)


def set_aside(database: Path, aside: Path) -> None:
    """Renames a database that nobody has open. Raises SettingsError where somebody has, or `aside` exists."""
    if aside.exists():
        raise SettingsError(f"{aside} exists. Move it away first; nothing is overwritten.")
    with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as raw:
        try:
            raw.execute("PRAGMA locking_mode = EXCLUSIVE")
            raw.execute("BEGIN EXCLUSIVE")
            raw.execute("ROLLBACK")
            raw.execute("PRAGMA journal_mode = DELETE")  # takes in what the write-ahead log still holds
        except sqlite3.Error:
            raise SettingsError(f"Somebody has {database} open: stop the bot, then restore.") from None
    database.rename(aside)
