"""A check of the newest entries costs what is new: of what was verified before it reads the tree and the cases that go on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bench.longlog import long_log
from bot.clock import SystemClock
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from bot.domain.decision_log.verify.segment import SPAN
from bot.runtime.log_verification import TrustBase, verify_newest
from storage.log.check import check_database
from storage.log.earlier_entries import tree_edge
from storage.snapshot import snapshot
from storage.store import SqliteStore

VERIFIED = SPAN + 40  # a case began before SPAN and goes on after it


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that was verified at VERIFIED entries and has three more."""
    path = tmp_path_factory.mktemp("long") / "long.db"
    asyncio.run(_written(path))
    return path


async def _written(path: Path) -> None:
    await long_log(path, VERIFIED)
    root = check_database(path).root.hex()
    store = await SqliteStore.open(path, SystemClock())
    events = (
        LogEvent("log.verified", SYSTEM, data={"size": VERIFIED, "root": root}),
        *(LogEvent("policy.rejected", SYSTEM, data={"places": (f"responsibility.yaml:{n}",)}) for n in (1, 2)),
    )
    await store.commit(Transition(None, None, events))
    await store.close()


@pytest.fixture
def log(written: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "log.db"
    shutil.copy(written, copied)
    return copied


def newest(log: Path) -> tuple[int, int] | None:
    """How many entries there are, and how many were verified before; None: only the check of the whole log can tell."""
    found = verify_newest(log, TrustBase((), log.parent, remembers=False))
    return None if found is None else (found[0].size, found[1])


def changed(log: Path, idx: int, *, leaf: bool = True) -> None:
    with closing(sqlite3.connect(log)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        (data,) = raw.execute("SELECT data FROM log_entry WHERE idx = ?", (idx,)).fetchone()
        other = data.replace(b'"v":"1"', b'"v":"2"')
        raw.execute(
            "UPDATE log_entry SET data = ?, leaf = ? WHERE idx = ?", (other, leaf_hash(other if leaf else data), idx)
        )
        raw.commit()


def test_what_is_new_is_proven_and_what_was_verified_is_not_read(log: Path) -> None:
    counted: list[int] = []
    trust = TrustBase((), log.parent, remembers=False, progress=counted.append)
    assert verify_newest(log, trust) is not None
    assert sum(counted) < 1_000
    assert newest(log) == (VERIFIED + 3, VERIFIED)
    changed(log, 7, leaf=False)
    assert newest(log) == (VERIFIED + 3, VERIFIED)
    assert check_database(log).findings[0].idx == 7


@pytest.mark.parametrize("idx", [VERIFIED + 2, VERIFIED, VERIFIED - 1, SPAN, SPAN - 1])
def test_a_changed_entry_of_the_newest_or_of_a_case_that_goes_on_is_not_proven(log: Path, idx: int) -> None:
    changed(log, idx, leaf=False)
    assert newest(log) is None


def _no_verified(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_entry SET type = 'log.exported' WHERE type = 'log.verified'")


def _another_node(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_node SET h = zeroblob(32) WHERE level = 16")


def _no_node(raw: sqlite3.Connection) -> None:
    raw.execute("DELETE FROM log_node WHERE level = 16")


def _fewer(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE log_head SET size = ?", (SPAN,))


def _one_disclosure_more(raw: sqlite3.Connection) -> None:
    raw.execute("INSERT INTO log_private (digest, idx, disclosure, subject) VALUES ('x', ?, 'y', 'T/U')", (VERIFIED + 9,))


@pytest.mark.parametrize("damage", [_no_verified, _another_node, _no_node, _fewer, _one_disclosure_more])
def test_a_base_that_does_not_agree_is_left_to_the_check_of_the_whole_log(
    log: Path, damage: Callable[[sqlite3.Connection], None]
) -> None:
    with closing(sqlite3.connect(log)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        damage(raw)
        raw.commit()
    assert newest(log) is None


def test_the_edge_is_that_of_the_leaves(log: Path) -> None:
    with snapshot(log) as session:
        leaves = [row["leaf"] for row in session.rows("leaves", start=0, stop=700)]
        assert tree_edge(session, 700) == [subtree_root(leaves[:512]), subtree_root(leaves[512:640]),
                                           subtree_root(leaves[640:672]), subtree_root(leaves[672:688]),
                                           subtree_root(leaves[688:696]), subtree_root(leaves[696:700])]  # fmt: skip
        assert tree_edge(session, 0) == []
