"""One list of migrations, applied to PostgreSQL by one process at a time; other versions are refused with both numbers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator

import pytest

from bot.domain.errors import SchemaError
from bot.ports.database import PostgresServer
from storage.migration_list import Migration, migrations, statements
from storage.postgres import schema
from storage.postgres.driver import PostgresSession
from storage.postgres.schema import _COMMENT, _OF_SQLITE, _OWN, translated
from storage.postgres_store import PostgresStore, migrate
from tests.postgres import PostgresForTests
from tests.storage.making import HandClock, beside


@pytest.fixture
def empty(postgres: PostgresForTests) -> Iterator[PostgresServer]:
    place = postgres.empty()
    yield place
    postgres.drop(place)


async def test_two_that_migrate_at_once_apply_each_migration_once(empty: PostgresServer, clock: HandClock) -> None:
    newest = len(migrations())
    assert await asyncio.gather(migrate(empty, clock), migrate(empty, clock)) == [newest, newest]
    with beside(empty) as raw:
        assert raw.execute("SELECT count(*) FROM schema_version").fetchone() == (newest,)


async def test_an_old_or_newer_schema_is_refused_and_both_versions_are_named(
    empty: PostgresServer, clock: HandClock
) -> None:
    newest = len(migrations())
    with pytest.raises(
        SchemaError, match=rf"version 0, this program needs {newest}: back it up, then run `countersign migrate`"
    ):
        await PostgresStore.open(empty, clock)
    await migrate(empty, clock)
    with beside(empty) as raw:
        raw.execute(f"DELETE FROM schema_version WHERE version = {newest}")
    with pytest.raises(SchemaError, match=f"version {newest - 1}, this program needs {newest}"):
        await PostgresStore.open(empty, clock)
    with beside(empty) as raw:
        raw.execute("INSERT INTO schema_version VALUES (999, 'later', 0)")
    with pytest.raises(SchemaError, match=f"version 999, this program knows {newest}"):
        await PostgresStore.open(empty, clock)
    with pytest.raises(SchemaError, match="version 999"):
        await migrate(empty, clock)


async def test_a_program_runs_with_a_newer_schema_that_names_it_compatible(empty: PostgresServer, clock: HandClock) -> None:
    newest = len(migrations())
    await migrate(empty, clock)
    with beside(empty) as raw:
        raw.execute(f"INSERT INTO schema_version VALUES ({newest + 1}, 'later', 0)")
        raw.execute(f"INSERT INTO schema_compatible VALUES ({newest + 1}, {newest})")
    await (await PostgresStore.open(empty, clock)).close()
    await migrate(empty, clock)
    with beside(empty) as raw:
        raw.execute(f"INSERT INTO schema_version VALUES ({newest + 2}, 'last', 0)")
        raw.execute(f"INSERT INTO schema_compatible VALUES ({newest + 2}, {newest + 1})")
    with pytest.raises(SchemaError, match=f"version {newest + 2}, this program knows {newest}"):
        await PostgresStore.open(empty, clock)


async def test_a_migration_records_which_older_programs_may_run_beside_it(empty: PostgresServer, clock: HandClock) -> None:
    newest = len(migrations())
    later = Migration(newest + 1, "later", f"-- Adds.\n-- compatible_from: {newest}\nCREATE TABLE later (id INTEGER);\n")
    session = PostgresSession(empty.url)
    with session.raw:
        schema.migrate(session, 0, (*migrations(), later))
        schema.check(session)
    with beside(empty) as raw:
        found = raw.execute("SELECT version, compatible_from FROM schema_compatible ORDER BY version").fetchall()
    ours = [(m.version, m.compatible_from) for m in migrations() if m.compatible_from is not None]
    assert found == [*ours, (newest + 1, newest)]


async def test_another_programs_database_is_left_alone(empty: PostgresServer, clock: HandClock) -> None:
    with beside(empty) as raw:
        raw.execute("CREATE TABLE customers (id BIGINT)")
    with pytest.raises(SchemaError, match="another program's"):
        await migrate(empty, clock)


async def test_tables_have_the_same_columns_as_in_sqlite(postgres_database: PostgresServer) -> None:
    with sqlite3.connect(":memory:") as lite:
        for migration in migrations():
            for statement in statements(migration.sql):
                lite.execute(statement)
        tables = [
            row[0]
            for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        ]
        ours = {(t, row[1]) for t in tables for row in lite.execute(f"PRAGMA table_info({t})")}
        indexes = {
            row[0] for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        }
    lite.close()
    with beside(postgres_database) as raw:
        theirs = raw.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name <> 'schema_version'"
        ).fetchall()
        made = {row[0] for row in raw.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'").fetchall()}
    assert set(theirs) == ours
    assert indexes <= made


def test_what_is_left_out_is_in_postgresqls_own_file() -> None:
    """A trigger or a JSON function in a migration for SQLite has its counterpart under the same number."""
    left_out = {m.version for m in migrations() for s in statements(m.sql) if _OF_SQLITE.match(_COMMENT.sub("", s))}
    own = {int(file.stem[:4]) for file in _OWN.glob("*.sql")}
    assert left_out | {33} == own  # 33 notifies, which SQLite cannot


def test_types_are_translated_and_triggers_are_left_out() -> None:
    script = "-- INTEGER\nCREATE TABLE a (id INTEGER PRIMARY KEY, b BLOB, c TEXT NOT NULL) STRICT, WITHOUT ROWID;\n"
    script += "CREATE TRIGGER t BEFORE DELETE ON a\nBEGIN\n  SELECT 1;\nEND;\n"
    assert translated(script).split() == [
        "CREATE",
        "TABLE",
        "a",
        "(id",
        "BIGINT",
        "GENERATED",
        "BY",
        "DEFAULT",
        "AS",
        "IDENTITY",
        "PRIMARY",
        "KEY,",
        "b",
        "BYTEA,",
        "c",
        "TEXT",
        "COLLATE",
        '"C"',
        "NOT",
        "NULL);",
    ]
