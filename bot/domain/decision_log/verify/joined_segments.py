"""Joins the parts of a log that were each verified by themselves: the tree, the time, the cases and what was erased across them.

Raises Doubtful where it cannot prove the log; the full check then names what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

from bot.domain.decision_log.merkle_tree import node_hash
from bot.domain.decision_log.verify.segment import (
    BLOCK,
    SPAN,
    CasePart,
    CaseState,
    Doubtful,
    SegmentSummary,
    Step,
    following,
)
from bot.domain.decision_log.verify.subtrees import block_edge, folded


class CaseEnd(NamedTuple):
    """A case after its newest entry: that entry's place in it, its leaf in hexadecimal, and the state."""

    seq: int
    leaf: str
    state: CaseState


@dataclass(slots=True)
class JoinedSegments:
    """Give it every part in order, then ask `finish`. `nodes` are the stored ones by level and place, `roots` those that are wanted
    by size. A log whose first `size` entries are proven already begins with their `edge`; `known_case` then tells a case of before,
    `is_disclosed` whether a digest of before is still disclosed."""

    nodes: dict[tuple[int, int], bytes]
    roots: Mapping[int, Collection[bytes]]
    size: int = 0
    edge: list[bytes] = field(default_factory=list)  # of complete parts
    known_case: Callable[[str], CaseEnd | None] = lambda _: None
    is_disclosed: Callable[[str], bool] = lambda _: True
    origin: str = ""
    disclosed: int = 0
    _rest: list[bytes] = field(default_factory=list)  # of the last part, where it is not complete
    _ts: int = 0
    _steps_back: bool = True
    _cases: dict[str, tuple[int, str, CaseState]] = field(default_factory=dict)
    _owed: dict[str, int] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _first: int = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.size

    def add(self, part: SegmentSummary) -> None:
        """The next part."""
        if part.start != self.size or self._rest:
            raise Doubtful
        if (part.origin != self.origin and part.start != self._first) or (
            part.first_ts < self._ts and not self._steps_back
        ):
            raise Doubtful
        self.origin, self._ts, self._steps_back = part.origin, part.last_ts, part.steps_back
        for size, mark in part.marks.items():
            if any(folded(self.edge, mark) != root for root in self.roots[size]):
                raise Doubtful
        self._grown(part)
        self._in_cases(part)
        self._erased(part)
        self.disclosed += part.disclosed
        self.size = part.size

    def finish(self) -> tuple[bytes, list[bytes]]:
        """The root and the edge of the whole tree. Raises Doubtful where something is left over."""
        if self.nodes or self._owed.keys() - self._gone or any(size > self.size for size in self.roots):
            raise Doubtful
        edge = [*self.edge, *self._rest]
        return folded(edge), edge

    def _grown(self, part: SegmentSummary) -> None:
        first = part.start // BLOCK
        for place, node in enumerate(part.nodes, first):
            self._stored(8, place, node)
        if part.size - part.start < SPAN:
            self._rest = [*block_edge(part.nodes), *part.edge]
            return
        node, level, count = folded(block_edge(part.nodes)), 16, part.start // SPAN
        self._stored(level, count, node)
        while count & 1:
            node, count, level = node_hash(self.edge.pop(), node), count >> 1, level + 1
            if level == 24:
                self._stored(level, count, node)
        self.edge.append(node)

    def _stored(self, level: int, place: int, node: bytes) -> None:
        if self.nodes.pop((level, place), None) != node:
            raise Doubtful

    def _in_cases(self, part: SegmentSummary) -> None:
        """Each case begins once, and goes on where it was."""
        if not self._cases.keys().isdisjoint(part.begun) or (self._first and any(map(self.known_case, part.begun))):
            raise Doubtful
        self._cases.update(part.begun)
        for case, found in part.continued.items():
            self._cases[case] = self._continued(case, found)

    def _continued(self, case: str, part: CasePart) -> CaseEnd:
        seq, leaf, state = self._cases.get(case) or self.known_case(case) or (-1, "", None)
        if state is None or part.first_seq != seq + 1 or part.first_prev != leaf:
            raise Doubtful
        return CaseEnd(part.seq, part.leaf, reduce(_stepped, part.steps, state))

    def _erased(self, part: SegmentSummary) -> None:
        """Each erased digest is of an entry before, and nothing discloses it."""
        for digest, idx in part.owed.items():
            if digest in self._owed:
                raise Doubtful
            self._owed[digest] = idx
        for idx, digest in part.erased:
            known = self._owed.get(digest)
            if known is None and (not self._first or self.is_disclosed(digest)):
                raise Doubtful
            if known is not None and known > idx:
                raise Doubtful
            self._gone.add(digest)


def _stepped(state: CaseState, step: Step) -> CaseState:
    return following(state, *step)
