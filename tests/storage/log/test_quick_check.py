"""A log in order is proven by its parts; a doubt sends it to the full check, which names the finding."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.demo.year.writing import ORIGIN, write_year
from bot.domain.errors import StorageError
from bot.runtime.log_verification import TrustBase, verify
from storage.log import quick_check
from storage.log.quick_check import Part, Trusted, proven, verified_part
from storage.snapshot import snapshot


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    await write_year(tmp_path / "year.db", tmp_path / "state", 60)
    return tmp_path / "year.db"


def root_of(log: Path) -> bytes | None:
    with snapshot(log) as session:
        return proven(log, session, Trusted(None, None), lambda: False, lambda _: None)


async def test_a_log_in_order_is_proven_without_the_full_check(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(log)) as raw:
        (root,) = raw.execute("SELECT root FROM log_checkpoint").fetchone()
    assert root_of(log) == root
    monkeypatch.setattr("storage.log.check._checked", None)  # the full check is not called
    counted: list[int] = []
    found = verify(log, TrustBase(None, log.parent / "state", progress=counted.append))
    assert (found.findings, found.root, found.origin) == ((), root, ORIGIN)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_entry SET data = CAST(replace(data, 'owner', 'ownar') AS BLOB) WHERE idx = 40",
        "UPDATE log_head SET size = size - 1",
        "UPDATE log_head SET edge = zeroblob(32)",
        "UPDATE log_head SET origin = 'another.example/log'",
        "DELETE FROM log_entry WHERE idx = (SELECT max(idx) FROM log_entry)",
        "DELETE FROM log_private WHERE digest = (SELECT min(digest) FROM log_private)",
        "INSERT INTO log_private (digest, idx, disclosure, subject) VALUES ('x', -1, 'y', 'T/U')",
        "INSERT INTO log_private (digest, idx, disclosure, subject) VALUES ('x', 99999, 'y', 'T/U')",
        "UPDATE log_checkpoint SET root = zeroblob(32)",
        "DELETE FROM log_node WHERE i = 0",
    ],
)
async def test_a_log_that_was_changed_is_not_proven(log: Path, damage: str) -> None:
    with closing(sqlite3.connect(log)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(damage)
        raw.commit()
    assert root_of(log) is None
    assert verify(log, TrustBase(None, log.parent / "state")).findings


async def test_a_long_log_is_verified_by_several_processes(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_check, "_ALONE", 0)
    monkeypatch.setattr(quick_check.os, "sched_getaffinity", lambda _: {0, 1})
    used: list[int] = []

    class Pool(quick_check.ProcessPoolExecutor):
        def __init__(self, workers: int, *arguments: Any) -> None:
            used.append(workers)
            super().__init__(workers, *arguments)

    monkeypatch.setattr(quick_check, "ProcessPoolExecutor", Pool)
    with snapshot(log) as session:
        head = session.row("log_head")
        assert head is not None
        size = int(head["size"])
        parts = [Part(log, 0, size, frozenset({size}), None, ORIGIN)] * 2
        found = list(quick_check._summaries(parts, session, lambda: False, lambda _: None))
    assert used == [2]
    assert [one.size for one in found] == [size, size]
    assert found[0].marks[size] == root_of_checkpoint(log)


def root_of_checkpoint(log: Path) -> bytes:
    with closing(sqlite3.connect(log)) as raw:
        return bytes(raw.execute("SELECT root FROM log_checkpoint ORDER BY size DESC").fetchone()[0])


async def test_a_check_that_is_over_ends(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_check, "_LOT", quick_check.BLOCK)
    with snapshot(log) as session, pytest.raises(StorageError, match="ended before its end"):
        proven(log, session, Trusted(None, None), lambda: True, lambda _: None)


async def test_a_database_that_cannot_be_read_is_left_to_the_full_check(tmp_path: Path) -> None:
    with pytest.raises(quick_check.Doubtful):
        verified_part(Part(tmp_path / "none.db", 0, 1, frozenset(), None, ORIGIN))
