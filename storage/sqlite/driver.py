"""The SQLite driver: one connection on one thread, one transaction a function.

A transaction is one plain function, run from its first statement to its last on aiosqlite's thread. There is no await
between two statements, so no two can share a transaction, and a cancelled caller neither leaves one open nor stops its
commit: it waits for the end and is cancelled then. WAL and synchronous=FULL: what was committed survives a power cut.
Work is put into aiosqlite's private queue `_tx`, here and nowhere else: its own way costs a task and
a second turn of the event loop for each transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from bot.domain.errors import DiskRefuses, StorageError
from storage.queries.loader import load
from storage.session import Lasting, Row

T = TypeVar("T")
QUERIES = load(Path(__file__).parent / "dialect.sql")
BUSY_MS = 5_000
_CACHED = 256
_DISK = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB")
_BOTH = (f"PRAGMA busy_timeout = {BUSY_MS}", "PRAGMA foreign_keys = ON", "PRAGMA trusted_schema = OFF")
_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",  # an erased disclosure must not live on in free pages
    "PRAGMA recursive_triggers = ON",  # else INSERT OR REPLACE deletes past the log's triggers
)


class SqliteSession:
    """`storage.session.Session` on a SQLite connection, `raw`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self.raw = connection

    def rows(self, name: str, /, **values: object) -> Sequence[Row]:
        return self.raw.execute(QUERIES[name], values).fetchall()

    def row(self, name: str, /, **values: object) -> Row | None:
        found: Row | None = self.raw.execute(QUERIES[name], values).fetchone()
        return found

    def run(self, name: str, /, **values: object) -> int:
        return self.raw.execute(QUERIES[name], values).rowcount

    def send(self, name: str, /, **values: object) -> None:
        self.raw.execute(QUERIES[name], values)

    def flush(self) -> None:
        """Nothing waits: each statement is executed at once."""

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        self.raw.executemany(QUERIES[name], rows)

    def stream(self, name: str, /, **values: object) -> Iterable[Row]:
        return self.raw.execute(QUERIES[name], values)

    def lots(self, name: str, size: int, /, **values: object) -> Iterable[Sequence[tuple[Any, ...]]]:
        cursor = self.raw.cursor()
        cursor.row_factory = None
        cursor.execute(QUERIES[name], values)
        return iter(partial(cursor.fetchmany, size), [])

    @property
    def in_transaction(self) -> bool:
        return self.raw.in_transaction

    def begin(self, *, write: bool) -> datetime | None:
        self.raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        return None

    def commit(self) -> None:
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def renew(self) -> bool:
        return False  # a file has no connection to lose

    @property
    def reconnected(self) -> bool:
        return False

    def savepoint(self) -> None:
        self.raw.execute("SAVEPOINT act")

    def release_savepoint(self) -> None:
        self.raw.execute("RELEASE act")

    def rollback_to_savepoint(self) -> None:
        self.raw.execute("ROLLBACK TO act")

    def explained(self, error: Exception) -> Exception | None:
        return explained(error) if isinstance(error, sqlite3.Error) else None


def shed(session: SqliteSession) -> bool:
    """Moves the write-ahead log into the file and cuts it to nothing, without waiting; False where a reader needs it."""
    session.raw.execute("PRAGMA busy_timeout = 0")
    try:
        busy, _, _ = session.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        session.raw.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return not busy


def rebuild(session: SqliteSession) -> bool:
    """Rewrites every table; False if a reader still needs the old pages, which stay until `shed`."""
    session.raw.execute("VACUUM")
    return shed(session)


class SqliteDatabase:
    """`storage.session.Database` on a SQLite file: one connection on aiosqlite's thread."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._session: SqliteSession | None = None

    @classmethod
    async def open(cls, path: Path, *, writable: bool = True) -> SqliteDatabase:
        """Opens the file, made with mode 0600 if it is missing and may be; raises StorageError."""
        try:
            address = _address(path, writable)
            connection = aiosqlite.connect(address, uri=True, isolation_level=None, cached_statements=_CACHED)
            await connection
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"The database {path} cannot be opened: {error}.") from error
        database = cls(connection)
        try:
            database._session = await database.run(lambda _: _prepared(connection, writable))
        except BaseException:
            await database.close()
            raise
        return database

    async def run(self, work: Callable[[SqliteSession], T], /) -> T:
        return await self.start(work)

    def start(self, work: Callable[[SqliteSession], T], /) -> asyncio.Future[T]:
        done = Lasting[T](loop=asyncio.get_running_loop())
        if self._connection._running:
            self._connection._tx.put_nowait((done, partial(_worked, work, self._session)))
        else:
            done.set_exception(StorageError("The database is closed."))
        return done

    async def close(self) -> None:
        """After whatever is under way."""
        await self._connection.close()


def explained(error: sqlite3.Error) -> StorageError:
    """The database's error in words that say what to do."""
    known = {
        "SQLITE_FULL": "The disk is full; nothing was written. Free some space and try again.",
        "SQLITE_BUSY": "Another program holds the database; nothing was written. Close it and try again.",
        "SQLITE_LOCKED": "Another program holds the database; nothing was written. Close it and try again.",
        "SQLITE_READONLY": "The database cannot be written to; check the file's owner and mode.",
        "SQLITE_CORRUPT": "The database file is damaged; restore a backup and run `countersign log verify`.",
        "SQLITE_NOTADB": "The file is no SQLite database.",
        "SQLITE_IOERR": "The disk refused to read or write; it is full or broken. Nothing was written.",
        "SQLITE_CANTOPEN": "The database file cannot be opened; check its path, owner and mode.",
    }
    name = getattr(error, "sqlite_errorname", "")
    sentence = next((text for code, text in known.items() if name.startswith(code)), None)
    kind = DiskRefuses if name.startswith(_DISK) else StorageError
    return kind(sentence or f"The database refused: {error}. Nothing was written.")


def _worked(work: Callable[[SqliteSession], T], session: SqliteSession | None) -> T:
    """On aiosqlite's thread, which brings the result, or any exception, to the future on the event loop."""
    try:
        return work(session)  # type: ignore[arg-type]  # None only while opening, whose work ignores it
    except sqlite3.Error as error:
        raise explained(error) from error


def _address(path: Path, writable: bool) -> str:
    """Raises OSError here, because a connection that fails to open leaves aiosqlite's thread behind for a moment.

    A file that exists is only looked at: opening and closing it would drop the locks that another connection of this
    process holds on it (POSIX), and the next process to close the database would take the WAL away under our feet.
    """
    if writable:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if stat.S_ISDIR(os.stat(path).st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(path, os.R_OK | os.W_OK if writable else os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return path.absolute().as_uri() + ("?mode=rw" if writable else "?mode=ro")


def _prepared(connection: aiosqlite.Connection, writable: bool) -> SqliteSession:
    raw = connection._conn
    for pragma in (*_BOTH, *(_WRITER if writable else ("PRAGMA query_only = ON",))):
        raw.execute(pragma)
    return SqliteSession(raw)
