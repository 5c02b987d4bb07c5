"""The stored log against somebody who can write the file: each tampering is named."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.domain.case.transition import CLOCK, LogEvent, Transition
from bot.domain.decision_log.merkle_tree import edge_sizes, leaf_hash, subtree_root
from bot.domain.errors import SchemaError, StorageError
from storage.log.check import check_database, check_log
from storage.session import Row
from storage.sqlite.driver import SqliteSession
from storage.store import SqliteStore
from tests.storage.making import HandClock, attacker, denial, filing, new_case


@pytest.fixture
async def written(path: Path, clock: HandClock) -> Path:
    """A log of 271 entries: ten cases, one of them denied, and a complete bundle of 256."""
    store = await SqliteStore.open(path, clock)
    cases = [await store.commit(filing(new_case(f"R-{n}"))) for n in range(10)]
    assert cases[3] is not None
    await store.commit(denial(cases[3]))
    await store.commit(Transition(None, None, tuple(LogEvent("log.verified", CLOCK) for _ in range(249))))
    await store.close()
    return path


def rehead(raw: sqlite3.Connection, *, nodes: bool = True) -> None:
    """What somebody who knows the format would recompute after an edit."""
    leaves = [row[0] for row in raw.execute("SELECT leaf FROM log_entry ORDER BY idx")]
    edge, start = [], 0
    for width in edge_sizes(len(leaves)):
        edge.append(subtree_root(leaves[start : start + width]))
        start += width
    raw.execute("UPDATE log_head SET size = ?, edge = ?", (len(leaves), b"".join(edge)))
    if nodes:
        raw.execute("UPDATE log_node SET h = ?", (subtree_root(leaves[:256]),))


def edit(raw: sqlite3.Connection, idx: int, old: bytes, new: bytes, *, leaf: bool) -> None:
    (data,) = raw.execute("SELECT data FROM log_entry WHERE idx = ?", (idx,)).fetchone()
    assert data.count(old) == 1
    changed = data.replace(old, new)
    raw.execute("UPDATE log_entry SET data = ? WHERE idx = ?", (changed, idx))
    if leaf:
        raw.execute("UPDATE log_entry SET leaf = ? WHERE idx = ?", (leaf_hash(changed), idx))


def a_byte(raw: sqlite3.Connection) -> None:
    """An audit compared roots and never re-hashed the data (immudb 2063)."""
    edit(raw, 1, b"emergency_access", b"emergency_axcess", leaf=False)


def a_byte_and_its_leaf(raw: sqlite3.Connection) -> None:
    edit(raw, 1, b"emergency_access", b"emergency_axcess", leaf=True)


def a_byte_its_leaf_and_the_tree(raw: sqlite3.Connection) -> None:
    """A chain without a key was recomputed by whoever could edit it: here the case's next entry still shows it."""
    a_byte_and_its_leaf(raw)
    rehead(raw)


def the_newest_rows(raw: sqlite3.Connection) -> None:
    """Dropping the newest rows was invisible."""
    raw.execute("DELETE FROM log_entry WHERE idx >= 265")


def the_newest_rows_and_the_head(raw: sqlite3.Connection) -> None:
    raw.execute("INSERT INTO log_checkpoint VALUES (271, zeroblob(32), 'a note', 0)")
    the_newest_rows(raw)
    rehead(raw)


def a_middle_row(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM log_entry WHERE idx = 100")


def a_middle_row_and_renumbered(raw: sqlite3.Connection) -> None:
    a_middle_row(raw)
    raw.execute("UPDATE log_entry SET idx = -idx WHERE idx > 100")
    raw.execute("UPDATE log_entry SET idx = -idx - 1 WHERE idx < -100")
    rehead(raw)


def two_rows_swapped(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_entry SET idx = CASE idx WHEN 100 THEN -101 WHEN 101 THEN -100 END WHERE idx IN (100, 101)")
    raw.execute("UPDATE log_entry SET idx = -idx WHERE idx < 0")
    rehead(raw)


def everything(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM log_entry")


def a_node(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_node SET h = zeroblob(32)")


def all_nodes(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM log_node")


def the_head(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM log_head")


def a_column(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_entry SET type = 'request.approved' WHERE type = 'request.denied'")


def the_case_of_a_row(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_entry SET case_id = 'R-9' WHERE type = 'request.denied'")


def the_time_of_a_row(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_entry SET ts_ms = 0 WHERE idx = 9")


def a_disclosure(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_private SET disclosure = 'WyJhIiwgImIiLCAiYyJd' WHERE idx = 3")


def a_missing_disclosure(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM log_private WHERE idx = 3")


def emptied_data(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_entry SET data = NULL WHERE idx = 9")


@pytest.mark.parametrize(
    ("tamper", "code", "idx"),
    [
        (a_byte, "leaf", 1),
        (a_byte_and_its_leaf, "node", 255),
        (a_byte_its_leaf_and_the_tree, "case", 2),
        (the_newest_rows, "head", None),
        (the_newest_rows_and_the_head, "root", None),
        (a_middle_row, "index", 101),
        (a_middle_row_and_renumbered, "index", 100),
        (two_rows_swapped, "index", 100),
        (everything, "head", None),
        (a_node, "node", 255),
        (all_nodes, "node", 255),
        (the_head, "head", None),
        (a_column, "type", 21),
        (the_case_of_a_row, "case", 21),
        (the_time_of_a_row, "ts", 9),
        (a_disclosure, "disclosure", 3),
        (a_missing_disclosure, "disclosure", 3),
        (emptied_data, "pruned", 9),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
async def test_tampering_is_named(
    written: Path, tamper: Callable[[sqlite3.Connection], None], code: str, idx: int | None
) -> None:
    assert check_database(written).findings == ()
    with attacker(written) as raw:
        tamper(raw)
    found = check_database(written).findings
    assert (code, idx) in {(f.code, f.idx) for f in found}, found


async def test_a_log_is_checked_while_the_bot_writes(path: Path, clock: HandClock) -> None:
    store = await SqliteStore.open(path, clock)
    stop = asyncio.Event()

    async def write() -> None:
        n = 0
        while not stop.is_set():
            await store.commit(filing(new_case(f"R-{n}")))
            n += 1

    writing = asyncio.ensure_future(write())
    sizes = []
    while len(sizes) < 5:
        checked = await check_log(path)
        assert checked.findings == ()
        sizes.append(checked.size)
    stop.set()
    await writing
    await store.close()
    assert sizes == sorted(sizes)


async def test_a_check_sees_one_moment_whatever_is_appended_meanwhile(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = SqliteSession.rows

    def rows_later(session: SqliteSession, name: str, /, **values: object) -> Sequence[Row]:
        if name == "log_nodes":  # the head is read by then
            with attacker(written) as raw:
                raw.execute("INSERT INTO log_entry VALUES (271, zeroblob(32), x'00', 'x', NULL, 0)")
        return original(session, name, **values)

    monkeypatch.setattr(SqliteSession, "rows", rows_later)
    assert check_database(written).findings == ()
    monkeypatch.undo()
    assert check_database(written).findings != ()


async def test_only_so_many_findings_are_kept(written: Path) -> None:
    with attacker(written) as raw:
        raw.execute("UPDATE log_entry SET leaf = zeroblob(32)")
    checked = check_database(written, limit=7)
    assert len(checked.findings) == 7
    assert checked.size == 271


async def test_unknown_types_are_listed(path: Path, clock: HandClock) -> None:
    store = await SqliteStore.open(path, clock)
    await store.commit(Transition(None, None, (LogEvent("dance.started", CLOCK),)))
    await store.close()
    checked = check_database(path)
    assert (checked.findings, checked.unknown_types, checked.origin) == ((), ("dance.started",), (checked.origin))


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        check_database(tmp_path / "missing.db")
    (tmp_path / "text.db").write_text("no database " * 99)
    with pytest.raises((StorageError, SchemaError)):
        check_database(tmp_path / "text.db")
    assert not (tmp_path / "missing.db").exists()
