"""Bringing a database up to date, or refusing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.errors import SchemaError
from storage.migration_list import Migration, migrations, statements
from storage.sqlite.driver import SqliteSession
from storage.store import SqliteStore
from tests.quicker import copied
from tests.quicker import migrate_anew as migrate
from tests.storage.making import HandClock


def session(path: Path) -> SqliteSession:
    return SqliteSession(sqlite3.connect(path, isolation_level=None))


def test_migrations_are_applied_once_and_in_order(path: Path) -> None:
    with closing((db := session(path)).raw):
        assert migrate(db, 5) == migrate(db, 6) == len(migrations())
        rows = db.raw.execute("SELECT version, name, applied_ms FROM schema_version").fetchall()
    assert [tuple(row) for row in rows] == [(m.version, m.name, 5) for m in migrations()]


def test_the_schema_that_tests_copy_is_the_one_that_migrations_make(tmp_path: Path) -> None:
    whole = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
    with closing((one := session(tmp_path / "one.db")).raw), closing((other := session(tmp_path / "other.db")).raw):
        assert migrate(one, 5) == copied(other, 5)
        for sql in (whole, "SELECT * FROM schema_version ORDER BY version", "PRAGMA journal_mode", "PRAGMA auto_vacuum"):
            assert list(map(tuple, one.raw.execute(sql))) == list(map(tuple, other.raw.execute(sql)))


def test_a_migration_that_fails_leaves_the_version_before_it(path: Path) -> None:
    good = Migration(1, "good", "CREATE TABLE a (x INTEGER);\n")
    bad = Migration(2, "bad", "CREATE TABLE b (x INTEGER);\nCREATE TABLE a (x INTEGER);\n")
    with closing((db := session(path)).raw):
        with pytest.raises(sqlite3.OperationalError):
            migrate(db, 0, (good, bad))
        names = [row[0] for row in db.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert names == ["schema_version", "a"]
        assert not db.raw.in_transaction
        assert migrate(db, 0, (good,)) == 1


async def test_a_newer_database_is_refused(path: Path, clock: HandClock) -> None:
    await (await SqliteStore.open(path, clock)).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("INSERT INTO schema_version VALUES (999, 'later', 0)")
        raw.commit()
    for read_only in (False, True):
        with pytest.raises(SchemaError, match="version 999"):
            await SqliteStore.open(path, clock, read_only=read_only)


async def test_an_older_database_is_not_read_but_brought_up_to_date(
    path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing((db := session(path)).raw):
        migrate(db, 0, migrations()[:1])
    with pytest.raises(SchemaError, match="countersign migrate"):
        await SqliteStore.open(path, clock, read_only=True)
    await (await SqliteStore.open(path, clock)).close()
    await (await SqliteStore.open(path, clock, read_only=True)).close()


async def test_another_programs_database_is_refused_and_left_alone(path: Path, clock: HandClock) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE diary (day TEXT)")
    with pytest.raises(SchemaError, match="another program"):
        await SqliteStore.open(path, clock)
    with closing(sqlite3.connect(path)) as raw:
        assert [row[0] for row in raw.execute("SELECT name FROM sqlite_master")] == ["diary"]


def test_a_trigger_is_one_statement() -> None:
    script = (
        "CREATE TRIGGER a BEFORE DELETE ON t\nBEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n\n-- A word.\nCREATE TABLE b (x);\n"
    )
    assert len(list(statements(script))) == 2


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("")
    with pytest.raises(SchemaError, match="not numbered"):
        migrations(tmp_path)
