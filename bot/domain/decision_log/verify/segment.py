"""Verifies a run of entries by itself, so that several processes can each verify a part of the log.

It proves only what is in order. Whatever it cannot prove (a wrong byte, bytes that are gone, a pruning, a type that no table knows)
raises Doubtful, and the whole log is judged entry by entry (`bot.domain.decision_log.verify.log`), which names the findings. What
spans two parts (the tree, the time, cases, erased digests) is in the summary; `joined_segments` joins them.
A part begins at a multiple of SPAN, so that its subtrees are those of the whole tree.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.verify.case_order import TYPES, CaseRecord, Phase, judged

SPAN = 65_536  # entries of a part: a complete subtree of level 16
_BLOCK = 256  # entries below a node of level 8
_HOUR = 3_600_000  # milliseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CaseState: TypeAlias = "tuple[Phase, frozenset[str]]"
Step: TypeAlias = "tuple[str, bool]"  # an entry's type, and whether it extends a grant
Reader: TypeAlias = "Callable[[bytes], tuple[Mapping[str, Any] | None, str]]"
_sha = hashlib.sha256


class Doubtful(Exception):
    """The log is not in order, or in an order that only the full check knows."""


@dataclass(slots=True)
class CasePart:
    """A case within a part. `first_seq` and `first_prev` are of its first entry here; `state` is None where it began before, and
    then `steps` are what followed."""

    first_seq: int
    first_prev: str
    seq: int
    leaf: str
    state: CaseState | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class SegmentSummary:
    """What the other parts need. `nodes` are the roots of its complete blocks of 256, `edge` of what remains; `marks` the local root
    at each size that was asked for; `owed` the digests that nothing discloses, `erased` those that an entry erases."""

    start: int
    size: int
    origin: str = ""
    first_ts: int = 0
    last_ts: int = 0
    steps_back: bool = False
    nodes: list[bytes] = field(default_factory=list)
    edge: list[bytes] = field(default_factory=list)
    marks: dict[int, bytes] = field(default_factory=dict)
    cases: dict[str, CasePart] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    erased: list[tuple[int, str]] = field(default_factory=list)
    disclosed: int = 0


@dataclass(slots=True)
class Segment:
    """One part. Call `add` for each row in order, with the disclosures of its entry, then `ended`. `marks` are the sizes of
    the tree whose roots are wanted; `read` decodes an entry's bytes. Raises Doubtful."""

    start: int
    marks: Collection[int]
    read: Reader
    summary: SegmentSummary = field(init=False)
    _leaves: list[bytes] = field(default_factory=list)  # of the block that is not complete
    _hour: int = -1
    _date: str = ""
    _ts_ms: int | None = None
    _ts: str = ""

    def __post_init__(self) -> None:
        self.summary = SegmentSummary(self.start, self.start)

    def add(
        self, idx: int, leaf: bytes, data: bytes | None, kind: str, case: str | None, ts_ms: int,
        shown: Sequence[tuple[str, str]],
    ) -> None:  # fmt: skip
        """One row of `log_entry`; `shown` are digest and text of its disclosures."""
        found = self.summary
        if idx != found.size or data is None or _sha(b"\x00" + data).digest() != leaf:
            raise Doubtful
        entry, fault = self.read(data)
        if entry is None or fault:
            raise Doubtful
        found.size += 1
        self._leaves.append(leaf)
        if len(self._leaves) == _BLOCK or found.size in self.marks:
            self._grown()
        self._columns(entry, idx, kind, case)
        self._timed(entry, kind, ts_ms)
        if case is not None:
            self._in_case(case, kind, entry, leaf.hex())
        elif "case_seq" in entry or "case_prev" in entry:
            raise Doubtful
        if shown or "_sd" in entry or "_sd_alg" in entry:
            self._digests(entry, idx, shown)
        if kind == "privacy.erased":
            self._erased(entry, idx)

    def ended(self) -> SegmentSummary:
        """The summary, once every row was added."""
        self.summary.edge = block_edge(self._leaves)
        return self.summary

    def _grown(self) -> None:
        found, leaves = self.summary, self._leaves
        if len(leaves) == _BLOCK:
            found.nodes.append(complete_root(leaves))
            leaves.clear()
        if found.size in self.marks:
            found.marks[found.size] = folded([*block_edge(found.nodes), *block_edge(leaves)])

    def _columns(self, entry: Mapping[str, Any], idx: int, kind: str, case: str | None) -> None:
        found, get = self.summary, entry.get
        name = get("log")
        if idx == found.start:
            found.origin = str(name)
        if (
            get("i") != idx or get("v") != "1" or get("type") != kind or get("case") != case
            or name != found.origin or kind not in TYPES or kind == "log.pruned" or (idx == 0) != (kind == "log.opened")
        ):  # fmt: skip
            raise Doubtful

    def _timed(self, entry: Mapping[str, Any], kind: str, ts_ms: int) -> None:
        found = self.summary
        if entry.get("ts") != self._stamp(ts_ms):
            raise Doubtful
        if found.size == found.start + 1:
            found.first_ts = ts_ms
        elif ts_ms < found.last_ts and not found.steps_back:
            raise Doubtful
        found.last_ts, found.steps_back = ts_ms, False
        if kind == "clock.anomaly":
            found.steps_back = (entry.get("data") or {}).get("accepted") is True

    def _stamp(self, ts_ms: int) -> str:
        """The time as an entry has it; it is written once for the entries of one moment, date and hour once for an hour."""
        if not isinstance(ts_ms, int):
            raise Doubtful
        if ts_ms == self._ts_ms:
            return self._ts
        hour, rest = divmod(ts_ms, _HOUR)
        if hour != self._hour:
            try:
                self._hour, self._date = hour, stamp(_EPOCH + timedelta(hours=hour))[:14]
            except OverflowError:
                raise Doubtful from None
        minutes, rest = divmod(rest, 60_000)
        self._ts_ms, self._ts = ts_ms, f"{self._date}{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}Z"
        return self._ts

    def _in_case(self, case: str, kind: str, entry: Mapping[str, Any], leaf: str) -> None:
        data = entry.get("data")
        extends = isinstance(data, dict) and data.get("extends") is True
        seq, prev = entry.get("case_seq"), entry.get("case_prev", "")
        part = self.summary.cases.get(case)
        if part is None:
            if type(seq) is not int or not isinstance(prev, str) or (seq == 0) != ("case_prev" not in entry):
                raise Doubtful
            state = following(None, kind, extends) if seq == 0 else None
            steps = [] if seq == 0 else [(kind, extends)]
            self.summary.cases[case] = CasePart(seq, prev, seq, leaf, state, steps)
            return
        if type(seq) is not int or seq != part.seq + 1 or prev != part.leaf:
            raise Doubtful
        part.seq, part.leaf = seq, leaf
        if part.state is None:
            part.steps.append((kind, extends))
        else:
            part.state = following(part.state, kind, extends)

    def _digests(self, entry: Mapping[str, Any], idx: int, shown: Sequence[tuple[str, str]]) -> None:
        digests = entry.get("_sd", [])
        if not isinstance(digests, list) or bool(digests) != (entry.get("_sd_alg") == "sha-256"):
            raise Doubtful
        if len(digests) > 1 and digests != sorted(set(map(str, digests))):
            raise Doubtful
        told = {digest for digest, text in shown if _digest(text) == digest and digest in digests}
        if len(told) != len(shown):
            raise Doubtful
        self.summary.disclosed += len(told)
        if len(told) != len(digests):
            self.summary.owed.update((str(digest), idx) for digest in digests if digest not in told)

    def _erased(self, entry: Mapping[str, Any], idx: int) -> None:
        digests = (entry.get("data") or {}).get("digests")
        if isinstance(digests, list):
            self.summary.erased += [(idx, str(digest)) for digest in digests]


def following(state: CaseState | None, kind: str, extends: bool) -> CaseState:
    """The state of a case after one more entry whose place in it is right; None: before its first. Raises Doubtful."""
    key = (state, kind, extends)
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = _judged(state, kind, extends)
    return known


def block_edge(nodes: Sequence[bytes]) -> list[bytes]:
    """Roots of the complete subtrees over these nodes of one level, largest first."""
    edge: list[bytes] = []
    for count, node in enumerate(nodes):
        while count & 1:
            node, count = _sha(b"\x01" + edge.pop() + node).digest(), count >> 1
        edge.append(node)
    return edge


def complete_root(nodes: Sequence[bytes]) -> bytes:
    """The root over a complete subtree: its nodes of one level, whose count is a power of two."""
    while len(nodes) > 1:
        pairs = iter(nodes)
        nodes = [_sha(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return nodes[0]


def folded(edge: Sequence[bytes], node: bytes = b"") -> bytes:
    """The root over an edge, and over `node` after it."""
    for left in reversed(edge):
        node = _sha(b"\x01" + left + node).digest() if node else left
    return node


def _judged(state: CaseState | None, kind: str, extends: bool) -> CaseState:
    before = None if state is None else CaseRecord(0, b"", *state)
    entry: dict[str, object] = {"case_seq": 0 if before is None else 1, "data": {"extends": extends}}
    record, faults = judged(before, kind, entry if before is None else entry | {"case_prev": ""}, b"")
    if faults:
        raise Doubtful
    return record.phase, record.seen


def _digest(text: str) -> str:
    """SHA-256 in base64url without padding; 32 bytes always end with one "="."""
    return b2a_base64(_sha(text.encode()).digest(), newline=False)[:-1].translate(_URL).decode()


_URL = bytes.maketrans(b"+/", b"-_")
_KNOWN: dict[tuple[CaseState | None, str, bool], CaseState] = {}
