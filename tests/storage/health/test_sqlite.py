"""The look at the database file: what could be served from, and what to do where it could not."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.clock import SystemClock
from storage.health.sqlite import examine
from storage.migration_list import migrations
from storage.store import SqliteStore


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A database as `migrate` leaves it."""
    path = tmp_path / "countersign.db"
    await (await SqliteStore.open(path, SystemClock())).close()
    return path


async def told(path: Path) -> list[tuple[str, str]]:
    return [(finding.severity, finding.text) for finding in await examine(path)]


async def test_a_database_of_this_program_is_well(file: Path) -> None:
    before = file.read_bytes()
    assert await told(file) == []
    assert file.read_bytes() == before


async def test_no_file_yet_is_well_and_stays_so(tmp_path: Path) -> None:
    assert await told(tmp_path / "new.db") == []
    assert list(tmp_path.iterdir()) == []


async def test_an_empty_file_is_well(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch(0o600)
    assert await told(tmp_path / "new.db") == []


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    ((severity, text),) = await told(tmp_path / "away" / "new.db")
    assert severity == "error"
    assert text == (
        f"The folder {tmp_path / 'away'} for the database does not exist: create it, or check COUNTERSIGN_DATABASE_URL."
    )


async def test_a_folder_in_the_files_place_is_named(tmp_path: Path) -> None:
    ((severity, text),) = await told(tmp_path)
    assert severity == "error"
    assert text.endswith("is a folder: check COUNTERSIGN_DATABASE_URL, it names a file.")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everywhere, so root looks as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


async def test_a_folder_that_cannot_be_written_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders let nobody else in
        Path(folder).chmod(0o555)
        with as_nobody():
            ((severity, text),) = await told(Path(folder) / "new.db")
        Path(folder).chmod(0o700)
    assert severity == "error"
    assert "cannot be made in" in text


async def test_an_older_database_is_a_warning_that_says_migrate(file: Path) -> None:
    newest = len(migrations())
    with sqlite3.connect(file) as raw:
        raw.execute("DELETE FROM schema_version WHERE version = ?", (newest,))
    raw.close()
    ((severity, text),) = await told(file)
    assert severity == "warning"
    assert text.endswith(
        f"is of version {newest - 1}, this program needs {newest}: back it up, then run `countersign migrate`."
    )


async def test_a_newer_database_is_an_error(file: Path) -> None:
    with sqlite3.connect(file) as raw:
        raw.execute("INSERT INTO schema_version (version, name, applied_ms) VALUES (99, 'later', 0)")
    raw.close()
    ((severity, text),) = await told(file)
    assert severity == "error"
    assert "is of version 99" in text


async def test_another_programs_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE notes (text TEXT)")
    raw.close()
    ((severity, text),) = await told(path)
    assert severity == "error"
    assert text.endswith("The file is no database of Countersign: check COUNTERSIGN_DATABASE_URL.")


async def test_a_damaged_database_is_an_error(file: Path) -> None:
    connection = sqlite3.connect(file)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'vote'").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096  # a page that the schema's version does not need
    file.write_bytes(content)
    assert await told(file) == [
        ("error", "The database is damaged: restore a backup, then run `countersign log verify`."),
    ]


async def test_a_database_that_others_can_open_is_a_warning(file: Path) -> None:
    file.chmod(0o644)
    assert await told(file) == [
        ("warning", f"Others on this machine can open the database {file}: chmod 600 {file}."),
    ]
