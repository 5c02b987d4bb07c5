"""Moves an installation from a SQLite file to an empty PostgreSQL database: every table, the log as it is, in one transaction.

The file must be in nobody's hands: it is locked exclusively while it is read. Keys and the signer's memory stay in STATE_DIR; they
fit the moved log, whose bytes and hashes are the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from graphlib import TopologicalSorter
from pathlib import Path

import psycopg
from psycopg import sql

from bot.domain.errors import SettingsError, StorageError
from bot.ports.database import PostgresServer
from storage.postgres import schema
from storage.postgres.driver import PostgresSession
from storage.postgres.errors import explained
from storage.sqlite import schema as sqlite_schema
from storage.sqlite.driver import SqliteSession

_STAYS = {"schema_version", "schema_compatible", "leadership", "replica"}  # the target has its own


def move(source: Path, target: PostgresServer, now_ms: int) -> dict[str, int]:
    """Copies everything; returns the number of rows of each table. Nothing is left in the target where it fails.

    Raises SettingsError (the bot runs, the target is not empty), SchemaError, StorageError.
    """
    try:
        session = PostgresSession(target.url)
        with session.raw, _alone(source) as lite:
            schema.migrate(session, now_ms)
            _refuse_full(session)
            with session.raw.transaction():
                return {table: _copied(lite, session.raw, table) for table in _tables(lite)}
    except psycopg.Error as error:
        raise explained(error) from error


@contextmanager
def _alone(source: Path) -> Iterator[sqlite3.Connection]:
    """The file, locked against everybody else. Raises SettingsError where somebody has it open."""
    with closing(
        sqlite3.connect(source.absolute().as_uri() + "?mode=rw", uri=True, isolation_level=None, timeout=0)
    ) as lite:
        sqlite_schema.check(SqliteSession(lite))
        lite.row_factory = None
        lite.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            lite.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise SettingsError(f"Somebody has {source} open: stop the bot, then move.") from error
        yield lite
        lite.execute("ROLLBACK")


def _refuse_full(session: PostgresSession) -> None:
    if session.row("log_head") is not None:
        raise SettingsError("The target has a log already. Move into an empty database; nothing was changed.")


def _tables(lite: sqlite3.Connection) -> list[str]:
    """Every table, those that others refer to first."""
    names = [
        row[0] for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    ]
    refers = {name: {row[2] for row in lite.execute("SELECT * FROM pragma_foreign_key_list(?)", (name,))} for name in names}
    return [name for name in TopologicalSorter(refers).static_order() if name not in _STAYS]


def _copied(lite: sqlite3.Connection, raw: psycopg.Connection[dict[str, object]], table: str) -> int:
    """Copies one table in the order of its key, which is the order of the log's entries; sets its sequence behind it."""
    columns = lite.execute("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", (table,)).fetchall()
    names = [name for name, _ in columns]
    keys = [name for name, pk in sorted(columns, key=lambda column: int(column[1])) if pk] or ["rowid"]
    quoted, order = (", ".join(f'"{name}"' for name in part) for part in (names, keys))
    found = lite.execute("SELECT {} FROM {} ORDER BY {}".format(quoted, table, order))  # noqa: S608, UP032  # names of our schema
    written = 0
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)))
    with raw.cursor() as cursor, cursor.copy(into) as copy:
        for row in found:
            copy.write_row(row)
            written += 1
    _set_sequence(raw, table, keys[0])
    counted = raw.execute(sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table))).fetchone()
    if counted is None or counted["n"] != written:
        raise StorageError(f"Of the table {table} not every row arrived; nothing was moved.")
    return written


def _set_sequence(raw: psycopg.Connection[dict[str, object]], table: str, key: str) -> None:
    row = raw.execute("SELECT pg_get_serial_sequence(%s, %s) AS name", (table, key)).fetchone() if key != "rowid" else None
    if row is not None and row["name"] is not None:
        highest = sql.SQL("SELECT setval(%s, greatest(max({}) + 1, 1), false) FROM {}")
        raw.execute(highest.format(sql.Identifier(key), sql.Identifier(table)), (row["name"],))
