"""Brings a database up to date: numbered files, each applied whole in one transaction, noted in `schema_version`."""

from __future__ import annotations

import sqlite3

from bot.domain.errors import SchemaError
from storage.migration_list import Migration, migrations, note, statements
from storage.migration_list import check as compatible
from storage.session import Session
from storage.sqlite.driver import SqliteSession


def migrate(session: SqliteSession, now_ms: int, all_of_them: tuple[Migration, ...] | None = None) -> int:
    """Applies what is missing; returns the version reached. Raises SchemaError: newer, or another program's."""
    known = migrations() if all_of_them is None else all_of_them
    _refuse_foreign(session)
    session.run("create_schema_version")
    for migration in known:
        _apply(session, migration, now_ms)
    check(session, known)
    return len(known)


def check(session: Session, all_of_them: tuple[Migration, ...] | None = None) -> None:
    """Raises SchemaError unless the database is of this program's version, or a newer one that names it compatible."""
    known = len(migrations() if all_of_them is None else all_of_them)
    compatible(session, _version(session), known)


def is_earlier(session: Session) -> bool:
    """Whether an earlier version of this program wrote the database, so that `migrate` brings it up to date. Raises SchemaError: it
    is another program's."""
    return _version(session) < len(migrations())


def _apply(session: SqliteSession, migration: Migration, now_ms: int) -> None:
    session.begin(write=True)
    try:
        if _version(session) < migration.version:
            for statement in statements(migration.sql):
                session.raw.execute(statement)
            note(session, migration, now_ms)
        session.commit()
    except BaseException:
        session.rollback()
        raise


def _version(session: Session) -> int:
    try:
        row = session.row("schema_version")
    except sqlite3.OperationalError as error:
        raise SchemaError("The file is no database of Countersign: check COUNTERSIGN_DATABASE_URL.") from error
    assert row is not None
    return int(row["version"])


def _refuse_foreign(session: SqliteSession) -> None:
    names = {row[0] for row in session.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if names and "schema_version" not in names:
        raise SchemaError("The file is another program's database: check COUNTERSIGN_DATABASE_URL.")
