"""Parts that are in order each are a log only where tree, time, cases and erasures agree across them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from functools import cache

import pytest

from bot.domain.decision_log.merkle_tree import subtree_root
from bot.domain.decision_log.verify.joined_segments import CaseEnd, JoinedSegments
from bot.domain.decision_log.verify.segment import SPAN, Doubtful, SegmentSummary, following
from tests.bot.domain.decision_log.verify.test_segment import entry_rows, proven_part

SIZE = SPAN + 300


@cache
def made() -> tuple[SegmentSummary, SegmentSummary, dict[tuple[int, int], bytes], bytes]:
    """Both parts, the nodes that are stored for them, and the root."""
    rows = list(entry_rows(SIZE))
    leaves = [row.leaf for row in rows]
    first, second = proven_part(rows[:SPAN]), proven_part(rows[SPAN:], frozenset({SPAN + 7, SIZE}))
    nodes = {(8, i): subtree_root(leaves[i * 256 : i * 256 + 256]) for i in range(SIZE // 256)}
    nodes[16, 0] = subtree_root(leaves[:SPAN])
    return first, second, nodes, subtree_root(leaves)


def parts() -> tuple[SegmentSummary, SegmentSummary, JoinedSegments, bytes]:
    first, second, nodes, root = made()
    roots = {SIZE: [root], SPAN + 7: [_root_at(SPAN + 7)]}
    return deepcopy(first), deepcopy(second), JoinedSegments(dict(nodes), roots), root


@cache
def _root_at(size: int) -> bytes:
    return subtree_root([row.leaf for row in entry_rows(size)])


def test_two_parts_have_the_root_of_the_whole_log() -> None:
    first, second, joined, root = parts()
    joined.add(first)
    joined.add(second)
    assert joined.finish()[0] == root
    assert (joined.size, joined.origin) == (SIZE, "test.example/log")


def _no_node(joined: JoinedSegments, _: SegmentSummary) -> None:
    joined.nodes[8, 256] = bytes(32)


def _one_node_more(joined: JoinedSegments, _: SegmentSummary) -> None:
    joined.nodes[8, 999] = bytes(32)


def _another_root(joined: JoinedSegments, _: SegmentSummary) -> None:
    joined.roots = {**joined.roots, SPAN + 7: [bytes(32)]}


def _a_root_beyond(joined: JoinedSegments, _: SegmentSummary) -> None:
    joined.roots = {**joined.roots, SIZE + 1: [bytes(32)]}


def _another_name(_: JoinedSegments, part: SegmentSummary) -> None:
    part.origin = "another.example/log"


def _earlier(_: JoinedSegments, part: SegmentSummary) -> None:
    part.first_ts = 1


def _a_gap_in_a_case(_: JoinedSegments, part: SegmentSummary) -> None:
    part.continued["R-1"].first_seq += 1


def _another_leaf_in_a_case(_: JoinedSegments, part: SegmentSummary) -> None:
    part.continued["R-1"].first_prev = "00" * 32


def _a_case_of_nobody(_: JoinedSegments, part: SegmentSummary) -> None:
    part.continued["R-9"] = part.continued["R-1"]


def _an_end_without_a_grant(_: JoinedSegments, part: SegmentSummary) -> None:
    part.continued["R-1"].steps.append(("grant.finished", False))


def _a_case_that_begins_twice(_: JoinedSegments, part: SegmentSummary) -> None:
    part.begun["R-1"] = 0, "00" * 32, following(None, "request.filed", False)


def _a_digest_that_nothing_discloses(_: JoinedSegments, part: SegmentSummary) -> None:
    part.owed["digest"] = SPAN + 1


def _an_erasure_of_no_digest(_: JoinedSegments, part: SegmentSummary) -> None:
    part.erased.append((SPAN + 1, "digest"))


def _an_erasure_before_the_digest(_: JoinedSegments, part: SegmentSummary) -> None:
    part.owed["digest"] = SPAN + 9
    part.erased.append((SPAN + 1, "digest"))


@pytest.mark.parametrize(
    "wrong",
    [
        _no_node, _one_node_more, _another_root, _a_root_beyond, _another_name, _earlier, _a_gap_in_a_case,
        _another_leaf_in_a_case, _a_case_of_nobody, _an_end_without_a_grant, _a_case_that_begins_twice,
        _a_digest_that_nothing_discloses, _an_erasure_of_no_digest, _an_erasure_before_the_digest,
    ],
)  # fmt: skip
def test_what_does_not_agree_across_parts_is_doubtful(wrong: Callable[[JoinedSegments, SegmentSummary], None]) -> None:
    first, second, joined, _ = parts()
    wrong(joined, second)
    with pytest.raises(Doubtful):
        _join(joined, first, second)


def test_a_digest_that_is_erased_afterwards_is_in_order() -> None:
    first, second, joined, root = parts()
    first.owed["digest"] = 5
    second.erased.append((SPAN + 9, "digest"))
    assert _join(joined, first, second) == root


def test_a_log_goes_on_from_what_was_proven_before() -> None:
    first, second, joined, root = parts()
    before = {name: CaseEnd(*end) for name, end in first.begun.items()}
    later = JoinedSegments(
        {(8, 256): joined.nodes[8, 256]}, joined.roots, SPAN, [joined.nodes[16, 0]], before.get, lambda _: False
    )
    later.add(second)
    assert later.finish()[0] == root


def test_a_case_of_before_does_not_begin_again() -> None:
    first, second, joined, _ = parts()
    before = {name: CaseEnd(*end) for name, end in first.begun.items()}
    second.begun["R-9"] = 0, "00" * 32, following(None, "request.filed", False)
    nodes = {(8, 256): joined.nodes[8, 256]}
    for known, doubt in ((before, False), (before | {"R-9": before["R-1"]}, True)):
        later = JoinedSegments(dict(nodes), joined.roots, SPAN, [joined.nodes[16, 0]], known.get, lambda _: False)
        with pytest.raises(Doubtful) if doubt else nullcontext():
            later.add(second)


def _join(joined: JoinedSegments, *found: SegmentSummary) -> bytes:
    for part in found:
        joined.add(part)
    return joined.finish()[0]
