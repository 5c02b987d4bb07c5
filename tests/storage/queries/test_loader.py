"""The file of statements: every one named, commented, prepared, used, and free of values."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.migration_list import migrations, statements
from storage.postgres.driver import QUERIES as POSTGRES
from storage.queries.loader import FOLDER, load, parse
from storage.sqlite.driver import QUERIES
from storage.store import SqliteStore
from tests.storage.making import filing, new_case

STORAGE = Path(__file__).parents[3] / "storage"


def test_a_statement_without_a_comment_is_refused() -> None:
    assert parse("-- name: one\n-- Why.\nSELECT 1;\n") == {"one": "SELECT 1"}
    with pytest.raises(ValueError, match="no comment"):
        parse("-- name: one\nSELECT 1;\n")
    with pytest.raises(ValueError, match="two statements named one"):
        parse("-- name: one\n-- Why.\nSELECT 1;\n-- name: one\n-- Why.\nSELECT 1;\n")


def test_a_name_is_used_once_in_all_files_and_the_dialect_is_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("-- name: one\n-- Why.\nSELECT 1;\n")
    (tmp_path / "dialect").write_text("-- name: two\n-- Why.\nSELECT 2;\n")
    assert load(tmp_path / "dialect", tmp_path) == {"one": "SELECT 1", "two": "SELECT 2"}
    (tmp_path / "b.sql").write_text("-- name: two\n-- Why.\nSELECT 3;\n")
    with pytest.raises(ValueError, match="two statements named two"):
        load(tmp_path / "dialect", tmp_path)


def test_what_both_databases_share_uses_no_function_of_sqlite() -> None:
    shared = load(STORAGE / "migrations" / "0005_reaching.sql", FOLDER)
    sqlite_only = re.compile(r"\b(json_\w+|instr|strftime|ifnull|glob|printf|typeof|INSERT OR)\b", re.IGNORECASE)
    assert len(shared) > 200
    assert [name for name, sql in shared.items() if sqlite_only.search(sql)] == []


def test_every_statement_fits_the_schema() -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute(QUERIES["create_schema_version"])
        for migration in migrations():
            for statement in statements(migration.sql):
                raw.execute(statement)
        for name, sql in QUERIES.items():
            values = dict.fromkeys(re.findall(r":([a-z_0-9]+)", sql), 0)
            if name != "create_schema_version":
                assert raw.execute(f"EXPLAIN {sql}", values).fetchone(), name


def test_every_statement_is_used_and_every_used_one_exists() -> None:
    code = "\n".join(file.read_text() for file in STORAGE.rglob("*.py"))
    asked_for = set(re.findall(r'(?:rows?|run|many|stream|changed)\(\s*"([a-z_]+)"', code))
    assert asked_for <= {*QUERIES, *POSTGRES}
    assert [name for name in QUERIES if f'"{name}"' not in code] == []


def test_no_value_is_written_into_sql() -> None:
    for file in STORAGE.rglob("*.py"):
        assert not re.search(r'f"[^"]*\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|VALUES)\b', file.read_text()), file


def scans_a_table(line: str) -> bool:
    """Whether this line of a plan goes through a table, and not through what the statement itself made."""
    return line.startswith("SCAN") and line.split()[1] not in (
        "heads",
        "turns",
        "(subquery-4)",
        "kind",
        "p",
        "s",
        "CONSTANT",
    )


@pytest.mark.parametrize(
    "name",
    ["due", "lease", "something_to_lease", "inbox", "last_of_case", "denials_since", "asks_since", "over_and_delivered"],
)
def test_what_runs_all_day_reads_an_index_and_never_a_whole_table(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as raw:
        for migration in migrations():
            for statement in statements(migration.sql):
                raw.execute(statement)
        values = dict.fromkeys(re.findall(r":([a-z_0-9]+)", QUERIES[name]), 0)
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values)]
    assert not [line for line in plan if scans_a_table(line) and "INDEX" not in line], plan


@pytest.mark.parametrize(
    "name",
    ["due", "due_requests", "due_asks", "due_steps", "due_reached", "due_votes", "due_notes", "due_grant", "due_duties",
     "due_cards", "matters", "open_samples", "inbox", "something_to_lease", "lease", "last_of_case", "oldest_deadline", "anomaly_at"],
)  # fmt: skip
async def test_what_is_asked_at_every_wake_up_reads_no_large_table_from_end_to_end(
    sqlite_store: SqliteStore, path: Path, name: str
) -> None:
    """Also where SQLite knows how large the tables are: `matters` went through all requests for the sake of its order."""
    await sqlite_store.commit(filing(new_case("R-1")))
    values = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 0)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("ANALYZE")
        raw.execute("UPDATE sqlite_stat1 SET stat = '100000 1' WHERE idx LIKE 'sqlite_autoindex%'")
        raw.commit()
    with closing(sqlite3.connect(path)) as raw:
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values)]
        partial = {
            row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'")
        }
    scans = [line for line in plan if scans_a_table(line) and not partial & set(line.split())]
    assert scans == []


async def test_one_of_each_open_kind_costs_as_much_however_many_are_pending(sqlite_store: SqliteStore, path: Path) -> None:
    """Counted in instructions of SQLite, before ANALYZE and after."""
    await sqlite_store.commit(filing(new_case("R-1")))
    with closing(sqlite3.connect(path)) as raw:
        few = _instructions(raw, "open_samples")
        columns = ", ".join(row[1] for row in raw.execute("PRAGMA table_info(request)") if row[1] != "id")
        many = f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO request (id, {columns})"
        raw.execute(f"{many} SELECT 'R-' || i, {columns} FROM request, n")
        assert _instructions(raw, "open_samples") <= 2 * few
        raw.execute("ANALYZE")
        raw.commit()
    with closing(sqlite3.connect(path)) as raw:
        assert _instructions(raw, "open_samples") <= 2 * few


def _instructions(raw: sqlite3.Connection, name: str) -> int:
    """How many tens of instructions SQLite runs for a statement that finds one row."""
    run = 0

    def count() -> None:
        nonlocal run
        run += 1

    raw.set_progress_handler(count, 10)
    assert len(raw.execute(QUERIES[name]).fetchall()) == 1
    raw.set_progress_handler(None, 10)
    return run


@pytest.mark.parametrize(
    ("name", "index"),
    [("home_owing", "duty_owed"), ("home_live", "access_grant_open"), ("live_versions", "access_grant_open")],
)
async def test_what_is_owed_or_open_is_read_from_its_own_index_and_not_from_all_that_was_filed(
    sqlite_store: SqliteStore, path: Path, name: str, index: str
) -> None:
    """Where one person had filed 60,000 requests in a year, their Home took fourteen times as long."""
    for number in range(40):
        await sqlite_store.commit(filing(new_case(f"R-{number}")))
    values = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 0)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("ANALYZE")
        raw.commit()
    with closing(sqlite3.connect(path)) as raw:
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values)]
    assert index in " ".join(plan), plan
