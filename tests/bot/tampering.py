"""What somebody does who can write the database file and knows the format: each to a real log, triggers out of the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rfc8785

from bot.domain.decision_log.merkle_tree import grow, leaf_hash, root
from bot.ports.database import Location
from tests.database import copy, place
from tests.storage.making import attacker

Rows = list[tuple[int, bytes, bytes, str, str | None, int]]


def located(path: Path) -> Location:
    """A file that is there, else what a test calls so."""
    return path if path.exists() else place(path)


def one_bit(path: Path) -> None:
    with attacker(located(path)) as raw:
        raw.execute("UPDATE log_entry SET data = ? WHERE idx = 3", (_flipped(_rows(raw)[3][2]),))


def one_bit_with_its_leaf(path: Path) -> None:
    with attacker(located(path)) as raw:
        data = _flipped(_rows(raw)[3][2])
        raw.execute("UPDATE log_entry SET data = ?, leaf = ? WHERE idx = 3", (data, leaf_hash(data)))


def one_word_with_the_tree_rebuilt(path: Path) -> None:
    with attacker(located(path)) as raw:
        rows = _rows(raw)
        rows[3] = _changed(rows[3], "policy", "police")
        _rebuilt(raw, rows)


def last_dropped(path: Path) -> None:
    with attacker(located(path)) as raw:
        raw.execute("DELETE FROM log_entry WHERE idx = (SELECT max(idx) FROM log_entry)")


def last_dropped_with_the_tree_rebuilt(path: Path) -> None:
    with attacker(located(path)) as raw:
        _rebuilt(raw, _rows(raw)[:-1])


def middle_dropped_and_renumbered(path: Path) -> None:
    with attacker(located(path)) as raw:
        rows = _rows(raw)
        del rows[3]
        _rebuilt(raw, [_renumbered(row, i) for i, row in enumerate(rows)])


def swapped(path: Path) -> None:
    with attacker(located(path)) as raw:
        rows = _rows(raw)
        rows[3], rows[4] = _renumbered(rows[4], 3), _renumbered(rows[3], 4)
        _rebuilt(raw, rows)


def truncated(path: Path) -> None:
    with attacker(located(path)) as raw:
        raw.execute("DELETE FROM log_entry WHERE idx > 3")


def back_dated(path: Path) -> None:
    with attacker(located(path)) as raw:
        rows = _rows(raw)
        _, _, data, kind, case, _ = rows[3]
        entry = json.loads(data)
        entry["ts"] = "2020-01-01T00:00:00.000Z"
        made = rfc8785.dumps(entry)
        rows[3] = (3, leaf_hash(made), made, kind, case, 1_577_836_800_000)
        _rebuilt(raw, rows)


def restored(path: Path) -> None:
    """Yesterday's database, which `path` keeps beside itself."""
    copy(path.with_name("yesterday.db"), path)


TAMPERINGS: tuple[Callable[[Path], None], ...] = (
    one_bit, one_bit_with_its_leaf, one_word_with_the_tree_rebuilt, last_dropped, last_dropped_with_the_tree_rebuilt,
    middle_dropped_and_renumbered, swapped, truncated, back_dated, restored,
)  # fmt: skip


def kept_for_later(path: Path) -> None:
    """A whole copy of today's file."""
    copy(path, path.with_name("yesterday.db"))


def _rows(raw: Any) -> Rows:
    found = raw.execute("SELECT idx, leaf, data, type, case_id, ts_ms FROM log_entry ORDER BY idx").fetchall()
    return [(idx, bytes(leaf), bytes(data), kind, case, ts) for idx, leaf, data, kind, case, ts in found]


def _flipped(data: bytes) -> bytes:
    return data[:-10] + bytes([data[-10] ^ 1]) + data[-9:]


def _changed(
    row: tuple[int, bytes, bytes, str, str | None, int], old: str, new: str
) -> tuple[int, bytes, bytes, str, str | None, int]:
    idx, _, data, kind, case, ts = row
    entry = json.loads(data)
    entry["data"] = {**entry.get("data", {}), new: old}
    made = rfc8785.dumps(entry)
    return (idx, leaf_hash(made), made, kind, case, ts)


def _renumbered(
    row: tuple[int, bytes, bytes, str, str | None, int], idx: int
) -> tuple[int, bytes, bytes, str, str | None, int]:
    _, _, data, kind, case, ts = row
    made = rfc8785.dumps({**json.loads(data), "i": idx})
    return (idx, leaf_hash(made), made, kind, case, ts)


def _rebuilt(raw: Any, rows: Rows) -> None:
    """Every table of the tree as an honest program would have written it for these entries."""
    raw.execute("DELETE FROM log_entry")
    raw.execute("DELETE FROM log_node")
    edge: list[bytes] = []
    for row in rows:
        raw.execute("INSERT INTO log_entry (idx, leaf, data, type, case_id, ts_ms) VALUES (?, ?, ?, ?, ?, ?)", row)
        edge, nodes = grow(row[0], edge, row[1])
        for node in nodes:
            raw.execute("INSERT INTO log_node (level, i, h) VALUES (?, ?, ?)", (node.level, node.i, node.hash))
    raw.execute("UPDATE log_head SET size = ?, edge = ?", (len(rows), b"".join(edge)))
    raw.execute("DELETE FROM log_checkpoint WHERE size > ?", (len(rows),))
    assert root(edge)
