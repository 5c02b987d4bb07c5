"""A loaded set names everybody who answered for it, also after another set was loaded; no other set does."""

from __future__ import annotations

from typing import Any

import pytest

from bot.reports.policy_sets import ANSWERS, PolicySets
from bot.reports.reading import Record
from bot.reports.tables import columns_of, row

NAMED = {"sub_a": "Olga Novak (T0HOME/U0OWNER)"}


def entry(kind: str, policy: str = "", **data: Any) -> Record:
    told = {"type": kind, "ts": "2026-11-30T10:00:00.000Z", "actor": {"kind": "person", "ref": "sub_a"}, "data": data}
    return Record(7, "ab", b"", {**told, "policy": {"sha256": policy}}, {}, None)


def made(*records: Record) -> list[dict[str, Any]]:
    sets = PolicySets()
    for record in records:
        sets.note(record, NAMED)
        if record.type.startswith("policy."):
            sets.add(row(record, NAMED))
    return [dict(one) for one in sets.rows()]


@pytest.mark.parametrize(
    ("kind", "key", "column"),
    [
        ("matrix.confirmed", "set", "confirmed_by"),
        ("matrix.acknowledged", "set", "acknowledged_by"),
        ("matrix.disputed", "set", "disputed_by"),
        ("policy.endorsed", "to", "endorsed_by"),
    ],
)
def test_each_answer_stands_at_its_set(kind: str, key: str, column: str) -> None:
    first, second = entry("policy.loaded", "aa"), entry("policy.loaded", "bb")
    rows = [one for one in made(first, second, entry(kind, "bb", **{key: "aa"})) if one["type"] == "policy.loaded"]
    assert rows[0][column] == "Olga Novak (T0HOME/U0OWNER) 2026-11-30T10:00:00.000Z"
    assert [rows[0][other] for other in ANSWERS if other != column] == ["", "", ""]
    assert [rows[1][other] for other in ANSWERS] == ["", "", "", ""]
    assert tuple(rows[0]) == columns_of("policy_sets")


def test_a_refused_set_has_no_answers() -> None:
    (row,) = made(entry("policy.rejected", "aa"), entry("matrix.confirmed", set="aa"))
    assert row["confirmed_by"] == ""
