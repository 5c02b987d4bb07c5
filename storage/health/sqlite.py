"""A look at the database file that changes nothing: could this program serve from it?"""

from __future__ import annotations

import os
from pathlib import Path

from bot.diagnostics import Diagnosis, error, warning
from bot.domain.errors import SchemaError, StorageError
from bot.domain.failsafe import clock_jump
from storage.log import clock_mark
from storage.migration_list import migrations
from storage.session import Session
from storage.sqlite import schema
from storage.sqlite.driver import SqliteDatabase, SqliteSession

_CHECK = "check COUNTERSIGN_DATABASE_URL"


async def examine(path: Path) -> list[Diagnosis]:
    """No file yet is well, as long as one can be made: the first start does."""
    outside = _outside(path)
    if outside is not None:
        return outside
    try:
        database = await SqliteDatabase.open(path, writable=False)
        try:
            found = await database.run(_inside)
        finally:
            await database.close()
    except (StorageError, SchemaError) as failure:
        return [error("database", f"The database {path} cannot be used: {_told(failure)}")]
    return [*found, *_access(path)]


def _inside(session: SqliteSession) -> list[Diagnosis]:
    if not session.raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return []  # an empty file: the first start fills it
    sound = session.raw.execute("PRAGMA quick_check(1)").fetchone()[0]
    if sound != "ok":
        text = "The database is damaged: restore a backup, then run `countersign log verify`."
        return [error("database", text)]
    try:
        schema.check(session)
    except SchemaError as failure:
        if not _behind(session):
            raise
        return [warning("database", str(failure))]
    return _time(session)


def _time(session: Session) -> list[Diagnosis]:
    """A jump of the clock that the bot noticed and nobody accepted."""
    mark = clock_mark.read(session)
    return [] if mark is None or mark.jump is None else [error("clock", clock_jump.finding(mark.jump))]


def _behind(session: SqliteSession) -> bool:
    """Ours, and of an earlier version: `migrate` mends it."""
    tables = {row[0] for row in session.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_version" not in tables:
        return False
    row = session.row("schema_version")
    return row is not None and int(row["version"]) < len(migrations())


def _outside(path: Path) -> list[Diagnosis] | None:
    """What is known without opening a file; None if there is one to open."""
    if path.is_dir():
        return [error("database", f"The database {path} is a folder: {_CHECK}, it names a file.")]
    return None if path.exists() else _place(path.absolute().parent)


def _place(folder: Path) -> list[Diagnosis]:
    if not folder.is_dir():
        return [error("database", f"The folder {folder} for the database does not exist: create it, or {_CHECK}.")]
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"The database cannot be made in {folder}: give this account the right to write there, or {_CHECK}."
        return [error("database", text)]
    return []


def _access(path: Path) -> list[Diagnosis]:
    if not os.access(path, os.W_OK):
        return [error("database", f"The database {path} cannot be written: give this account the right to, or {_CHECK}.")]
    if path.stat().st_mode & 0o077:
        return [warning("database", f"Others on this machine can open the database {path}: chmod 600 {path}.")]
    return []


def _told(failure: Exception) -> str:
    text = str(failure)
    return text if "COUNTERSIGN_DATABASE_URL" in text else f"{text.rstrip('.')}; {_CHECK}."
