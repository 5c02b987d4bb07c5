"""A snapshot reads one moment, and says in a sentence why a file cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.errors import SchemaError, StorageError
from storage.sqlite.snapshot import snapshot
from storage.store import SqliteStore
from tests.storage.making import filing, new_case


async def test_what_is_written_meanwhile_is_not_seen(sqlite_store: SqliteStore, path: Path) -> None:
    with snapshot(path) as session:
        before = session.row("log_head")
        await sqlite_store.commit(filing(new_case("R-1")))
        assert before is not None
        assert session.row("request_version", id="R-1") is None
    with snapshot(path) as session:
        assert session.row("request_version", id="R-1") is not None


def test_a_missing_file_and_another_programs_database_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"), snapshot(tmp_path / "none.db"):
        pass
    (tmp_path / "empty.db").touch()
    with pytest.raises(SchemaError, match="no database of Countersign"), snapshot(tmp_path / "empty.db"):
        pass
