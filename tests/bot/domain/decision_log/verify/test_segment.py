"""A part of a log is proven only where every row is in order; what spans parts is in the summary."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from bot.decision_log.entry_heads import heads
from bot.domain.decision_log.entry import compact
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from bot.domain.decision_log.verify.log import Row
from bot.domain.decision_log.verify.segment import BLOCK, Doubtful, Segment, SegmentSummary, Shown
from bot.domain.decision_log.verify.subtrees import block_edge, folded

ORIGIN, START_MS = "test.example/log", 1_764_547_200_000  # 2025-12-01T00:00Z


def entry_rows(count: int, cases: int = 3) -> Iterator[Row]:
    """Entries of cases that are asked about in turn, one every half second."""
    leaves: dict[str, tuple[int, bytes]] = {}
    for i in range(count):
        ts_ms = START_MS + i * 500
        half = f"{ts_ms // 1000 % 60:02}.{ts_ms % 1000:03}Z"
        entry: dict[str, Any] = {
            "v": "1", "log": ORIGIN, "i": i, "type": "log.opened", "actor": {"kind": "system"},
            "ts": f"2025-12-01T{i // 7200 % 24:02}:{i // 120 % 60:02}:{half}",
        }  # fmt: skip
        case = f"R-{i % cases}" if i else None
        if case is not None:
            seq, leaf = leaves.get(case, (0, b""))
            entry |= {"type": "request.asked" if seq else "request.filed", "case": case, "case_seq": seq}
            entry |= {"case_prev": leaf.hex()} if seq else {}
        data = compact(entry)
        if case is not None:
            leaves[case] = (entry["case_seq"] + 1, leaf_hash(data))
        yield Row(i, leaf_hash(data), data, entry["type"], case, ts_ms)


def proven_part(rows: list[Row], marks: frozenset[int] = frozenset(), shown: list[Shown] | None = None) -> SegmentSummary:
    segment = Segment(rows[0].idx, marks, heads)
    for first in range(0, len(rows), BLOCK):
        block = rows[first : first + BLOCK]
        segment.add([(row.idx, row.leaf, row.data, row.type, row.case, row.ts_ms) for row in block], shown or [])
    return segment.summary


def test_the_tree_and_each_marked_root_are_those_of_the_leaves() -> None:
    rows = list(entry_rows(1_000))
    leaves = [row.leaf for row in rows]
    found = proven_part(rows, frozenset({1, 255, 256, 257, 700, 1_000}))
    assert found.marks == {size: subtree_root(leaves[:size]) for size in (1, 255, 256, 257, 700, 1_000)}
    assert found.nodes == [subtree_root(leaves[at : at + 256]) for at in (0, 256, 512)]
    assert folded([*block_edge(found.nodes), *found.edge]) == subtree_root(leaves)


def changed(row: Row, **fields: object) -> Row:
    """The row with other fields in its entry, and the leaf of the new bytes."""
    entry, _ = parsed(row.data or b"")
    assert entry is not None
    data = compact({**entry, **fields})
    return row._replace(data=data, leaf=leaf_hash(data))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda row: row._replace(leaf=bytes(32)),
        lambda row: row._replace(data=None),
        lambda row: row._replace(data=row.data + b" ", leaf=leaf_hash(row.data + b" ")),
        lambda row: row._replace(idx=9),
        lambda row: row._replace(type="request.held"),
        lambda row: row._replace(case="R-9"),
        lambda row: row._replace(ts_ms=row.ts_ms + 1),
        lambda row: row._replace(ts_ms=2**62),
        lambda row: changed(row, i=8),
        lambda row: changed(row, v="2"),
        lambda row: changed(row, log="another.example/log"),
        lambda row: changed(row, case_seq=5),
        lambda row: changed(row, case_prev="00" * 32),
        lambda row: changed(row._replace(type="request.filed"), type="request.filed"),
        lambda row: changed(row._replace(type="grant.finished"), type="grant.finished"),
        lambda row: changed(row._replace(type="nobody.knows"), type="nobody.knows"),
        lambda row: changed(row._replace(type="log.opened"), type="log.opened"),
        lambda row: changed(row, _sd=["b", "a"], _sd_alg="sha-256"),
        lambda row: changed(row, _sd=["a"]),
        lambda row: changed(row, _sd=["a", "a"], _sd_alg="sha-256"),
        lambda row: changed(row, _sd_alg="sha-256"),
        lambda row: changed(row, case_seq="2"),
        lambda row: changed(row._replace(case=None), case_seq=2),
        lambda row: row._replace(data=row.data.replace(b",", b",\n"), leaf=leaf_hash(row.data.replace(b",", b",\n"))),
        lambda row: changed(row._replace(ts_ms=START_MS), ts="2025-12-01T00:00:00.000Z"),
    ],
)
def test_whatever_is_not_in_order_is_doubtful(wrong: Any) -> None:
    rows = list(entry_rows(10))
    proven_part(rows)
    with pytest.raises(Doubtful):
        proven_part([*rows[:7], wrong(rows[7]), *rows[8:]])


def test_a_disclosure_of_no_digest_is_doubtful() -> None:
    (row, *_) = entry_rows(1)
    with pytest.raises(Doubtful):
        proven_part([row], shown=[("digest", 0, "text")])


def test_a_case_that_began_before_is_told_by_its_steps() -> None:
    rows = list(entry_rows(600))
    found = proven_part(rows[256:])
    part = found.continued["R-1"]
    assert (part.first_seq, part.steps[:2], found.begun) == (85, [("request.asked", False)] * 2, {})
    assert part.leaf == rows[598].leaf.hex()


def test_before_its_first_entry_no_time_is_known() -> None:
    row = next(entry_rows(1))
    for ts_ms in (-1, 0):
        with pytest.raises(Doubtful):
            proven_part([changed(row._replace(ts_ms=ts_ms), ts="")])


def test_entries_of_one_moment_each_need_its_time() -> None:
    rows = list(entry_rows(10))
    same = rows[9]._replace(ts_ms=rows[8].ts_ms)
    proven_part([*rows[:9], changed(same, ts="2025-12-01T00:00:04.000Z")])
    with pytest.raises(Doubtful):
        proven_part([*rows[:9], same])


def test_a_disclosure_is_of_the_digest_of_its_text() -> None:
    for text in ("", "dc-core-01", *map(str, range(50))):
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        row = changed(next(entry_rows(1)), _sd=[digest], _sd_alg="sha-256")
        assert proven_part([row], shown=[(digest, 0, text)]).disclosed == 1
        with pytest.raises(Doubtful):
            proven_part([row], shown=[(digest, 1, text)])
        with pytest.raises(Doubtful):
            proven_part([row], shown=[(digest, 0, text + "x")])


def test_a_block_is_whole_before_another_comes() -> None:
    rows = list(entry_rows(BLOCK))
    segment = Segment(0, frozenset(), heads)
    told = [(row.idx, row.leaf, row.data, row.type, row.case, row.ts_ms) for row in rows]
    segment.add(told[:7], [])
    with pytest.raises(Doubtful):
        segment.add(told[7:], [])


def at_once(i: int, second: int, type_: str, **data: object) -> Row:
    """An entry without a case, at a second of the first minute."""
    entry = {"v": "1", "log": ORIGIN, "i": i, "type": type_, "ts": f"2025-12-01T00:00:{second:02}.000Z", "data": data}
    written = compact(entry)
    return Row(i, leaf_hash(written), written, type_, None, START_MS + second * 1_000)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_time_steps_back_once_after_an_accepted_anomaly(accepted: bool) -> None:
    rows = [*entry_rows(8), at_once(8, 9, "clock.anomaly", accepted=accepted), at_once(9, 2, "log.exported")]
    after = at_once(10, 3, "log.exported")
    if accepted:
        assert proven_part([*rows, after]).last_ts == after.ts_ms
        rows, after = [*rows, after], at_once(11, 1, "log.exported")
    with pytest.raises(Doubtful):
        proven_part([*rows, after])


def test_a_step_back_holds_from_one_block_to_the_next() -> None:
    rows = [*entry_rows(BLOCK - 1), at_once(BLOCK - 1, 59, "clock.anomaly", accepted=True)]
    rows[-1] = changed(rows[-1], ts="2025-12-01T01:00:00.000Z")._replace(ts_ms=START_MS + 3_600_000)
    assert proven_part(rows).steps_back
    assert not proven_part([*rows, at_once(BLOCK, 2, "log.exported")]).steps_back
    with pytest.raises(Doubtful):
        proven_part([*rows, at_once(BLOCK, 2, "log.exported"), at_once(BLOCK + 1, 1, "log.exported")])
