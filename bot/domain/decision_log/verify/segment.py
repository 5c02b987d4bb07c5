"""Verifies a run of entries by itself, so that several processes can each verify a part of the log.

It proves only what is in order. Whatever it cannot prove (a wrong byte, bytes that are gone, a pruning, a type that no table knows)
raises Doubtful, and the whole log is judged entry by entry (`bot.domain.decision_log.verify.log`), which names the findings. What
spans two parts (the tree, the time, cases, erased digests) is in the summary; `joined_segments` joins them.
A part begins at a multiple of SPAN, so that its subtrees are those of the whole tree. Its rows come in blocks of BLOCK, the entries
below one node of level 8: what must be true of each row is compared for the whole block at once, which is several times as fast.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.verify.case_order import TYPES, CaseRecord, Phase, judged
from bot.domain.decision_log.verify.subtrees import block_edge, complete_root, folded, push

SPAN = 65_536  # entries of a part: a complete subtree of level 16
BLOCK = 256  # entries below a node of level 8
_HOUR = 3_600_000  # milliseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = [f"{second // 60:02d}:{second % 60:02d}" for second in range(3_600)]  # of an hour
_MILLISECONDS = [f".{millisecond:03d}Z" for millisecond in range(1_000)]
CaseState: TypeAlias = "tuple[Phase, frozenset[str]]"
Step: TypeAlias = "tuple[str, bool]"  # an entry's type, and whether it extends a grant
StoredRow: TypeAlias = (
    "tuple[int, bytes, bytes | None, str, str | None, int]"  # index, leaf, bytes, type, case, milliseconds
)
Shown: TypeAlias = "tuple[str, int, str]"  # a digest, the index of its entry, and the text that it is of
_sha = hashlib.sha256


class Head(Protocol):
    """The keys of an entry that are judged here; one that the entry does not have is None."""

    v: str
    log: str
    i: int
    ts: str
    type: str
    case: str | None
    case_seq: int | None
    case_prev: str | None
    data: Mapping[str, Any] | None
    sd: list[str] | None
    sd_alg: str | None


Reader: TypeAlias = (
    "Callable[[list[bytes]], Sequence[Head] | None]"  # None: not all are in the one form that the log allows
)


class Doubtful(Exception):
    """The log is not in order, or in an order that only the full check knows."""


@dataclass(slots=True)
class CasePart:
    """What a part holds of a case that began before: its first entry here, its last, and the steps of all of them."""

    first_seq: int
    first_prev: str
    seq: int
    leaf: str
    steps: list[Step]


@dataclass(slots=True)
class SegmentSummary:
    """What the other parts need. `nodes` are the roots of its complete blocks, `edge` of what remains; `marks` the local root
    at each size that was asked for; `begun` the newest entry of each case that began here (its place in the case, its leaf in
    hexadecimal, the state), `continued` the other cases; `owed` the digests that nothing discloses, `erased` those that an entry erases."""

    start: int
    size: int
    origin: str = ""
    first_ts: int = 0
    last_ts: int = 0
    steps_back: bool = False
    nodes: list[bytes] = field(default_factory=list)
    edge: list[bytes] = field(default_factory=list)
    marks: dict[int, bytes] = field(default_factory=dict)
    begun: dict[str, tuple[int, str, CaseState]] = field(default_factory=dict)
    continued: dict[str, CasePart] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    erased: list[tuple[int, str]] = field(default_factory=list)
    disclosed: int = 0


@dataclass(slots=True)
class Segment:
    """One part. Call `add` for each block in order, then read `summary`. `marks` are the sizes of the tree whose roots are wanted;
    `read` reads the bytes of entries. Raises Doubtful."""

    start: int
    marks: frozenset[int]
    read: Reader
    summary: SegmentSummary = field(init=False)
    _edge: list[bytes] = field(default_factory=list)  # over the complete blocks

    def __post_init__(self) -> None:
        self.summary = SegmentSummary(self.start, self.start)

    def add(self, rows: Sequence[StoredRow], shown: Sequence[Shown]) -> None:
        """The next BLOCK rows of `log_entry`, or all that remain, and the disclosures of their entries."""
        found = self.summary
        indexes, leaves, written, kinds, cases, times = map(list, zip(*rows, strict=True))
        if found.edge or indexes != list(range(found.size, found.size + len(rows))) or set(map(type, written)) != {bytes}:
            raise Doubtful
        heads = self.read(written) if [_sha(b"\x00" + data).digest() for data in written] == leaves else None
        if heads is None:
            raise Doubtful
        self._columns(heads, indexes, kinds, cases)
        self._timed(heads, kinds, times)
        self._in_cases(heads, kinds, leaves)
        self._digests(heads, shown)
        if "privacy.erased" in kinds:
            self._erased(heads)
        self._grown(leaves)
        found.size += len(rows)

    def _columns(self, heads: Sequence[Head], indexes: list[int], kinds: list[str], cases: list[str | None]) -> None:
        found = self.summary
        if found.size == found.start:
            found.origin = heads[0].log
        opened = ["log.opened"] if not indexes[0] else []
        if (
            [head.i for head in heads] != indexes
            or [head.type for head in heads] != kinds
            or [head.case for head in heads] != cases
            or {head.v for head in heads} != {"1"}
            or {head.log for head in heads} != {found.origin}
            or not TYPES.issuperset(kinds)
            or "log.pruned" in kinds
            or kinds[: len(opened)] != opened
            or kinds.count("log.opened") != len(opened)
        ):
            raise Doubtful

    def _timed(self, heads: Sequence[Head], kinds: list[str], times: list[int]) -> None:
        found = self.summary
        if set(map(type, times)) != {int} or [head.ts for head in heads] != _stamps(times):
            raise Doubtful
        if found.size == found.start:
            found.first_ts = found.last_ts = times[0]
        if not found.steps_back and "clock.anomaly" not in kinds:
            if times[0] < found.last_ts or times != sorted(times):
                raise Doubtful
            found.last_ts = times[-1]
            return
        for head, kind, ts_ms in zip(heads, kinds, times, strict=True):
            if ts_ms < found.last_ts and not found.steps_back:
                raise Doubtful
            found.last_ts = ts_ms
            found.steps_back = kind == "clock.anomaly" and (head.data or {}).get("accepted") is True

    def _in_cases(self, heads: Sequence[Head], kinds: list[str], leaves: list[bytes]) -> None:
        begun, continued = self.summary.begun, self.summary.continued
        for head, kind, leaf in zip(heads, kinds, leaves, strict=True):
            case, seq, prev, data = head.case, head.case_seq, head.case_prev, head.data
            if case is None:
                if seq is not None or prev is not None:
                    raise Doubtful
                continue
            extends = data is not None and data.get("extends") is True
            before = begun.get(case)
            if before is not None:
                if seq != before[0] + 1 or prev != before[1]:
                    raise Doubtful
                begun[case] = seq, leaf.hex(), following(before[2], kind, extends)
            elif seq == 0 and prev is None and case not in continued:
                begun[case] = 0, leaf.hex(), following(None, kind, extends)
            else:
                _continue(continued, case, seq, prev, leaf.hex(), (kind, extends))

    def _digests(self, heads: Sequence[Head], shown: Sequence[Shown]) -> None:
        found, owed, count = self.summary, dict[str, int](), 0
        for head in heads:
            digests = head.sd
            if digests is None and head.sd_alg is None:
                continue
            if not digests or head.sd_alg != "sha-256" or (len(digests) > 1 and digests != sorted(set(digests))):
                raise Doubtful
            count += len(digests)
            for digest in digests:
                owed[digest] = head.i
        if len(owed) != count:
            raise Doubtful
        for digest, index, text in shown:
            if owed.pop(digest, None) != index or _digest(text) != digest:
                raise Doubtful
        found.disclosed += len(shown)
        found.owed.update(owed)

    def _erased(self, heads: Sequence[Head]) -> None:
        for head in heads:
            digests = (head.data or {}).get("digests") if head.type == "privacy.erased" else None
            if isinstance(digests, list):
                self.summary.erased += [(head.i, str(digest)) for digest in digests]

    def _grown(self, leaves: list[bytes]) -> None:
        found = self.summary
        marked = self.marks.intersection(range(found.size + 1, found.size + len(leaves) + 1))
        if marked:
            edge: list[bytes] = []
            for count, leaf in enumerate(leaves):
                push(edge, count, leaf)
                if (size := found.size + count + 1) in marked:
                    found.marks[size] = folded([*self._edge, *edge])
        if len(leaves) < BLOCK:
            found.edge = block_edge(leaves)
            return
        node = complete_root(leaves)
        push(self._edge, len(found.nodes), node)
        found.nodes.append(node)


def following(state: CaseState | None, kind: str, extends: bool) -> CaseState:
    """The state of a case after one more entry whose place in it is right; None: before its first. Raises Doubtful."""
    key = (state, kind, extends)
    known = _KNOWN.get(key)
    if known is None:
        known = _KNOWN[key] = _judged(state, kind, extends)
    return known


def _continue(continued: dict[str, CasePart], case: str, seq: int | None, prev: str | None, leaf: str, step: Step) -> None:
    """One more entry of a case that began before this part."""
    if not seq or prev is None:
        raise Doubtful
    part = continued.get(case)
    if part is None:
        continued[case] = CasePart(seq, prev, seq, leaf, [step])
        return
    if seq != part.seq + 1 or prev != part.leaf:
        raise Doubtful
    part.seq, part.leaf = seq, leaf
    part.steps.append(step)


def _stamps(times: Sequence[int]) -> list[str]:
    """Each time as an entry has it."""
    found: list[str] = []
    hour, date = None, ""
    for ts_ms in times:
        at, rest = divmod(ts_ms, _HOUR)
        if at != hour:
            hour, date = at, _date(at)
        second, millisecond = divmod(rest, 1_000)
        found.append(date + _SECONDS[second] + _MILLISECONDS[millisecond])
    return found


def _date(hour: int) -> str:
    """Date and hour; the hours are counted from 1970."""
    try:
        return stamp(_EPOCH + timedelta(hours=hour))[:14]
    except OverflowError:
        raise Doubtful from None


def _judged(state: CaseState | None, kind: str, extends: bool) -> CaseState:
    before = None if state is None else CaseRecord(0, b"", *state)
    entry: dict[str, object] = {"case_seq": 0 if before is None else 1, "data": {"extends": extends}}
    record, faults = judged(before, kind, entry if before is None else entry | {"case_prev": ""}, b"")
    if faults:
        raise Doubtful
    return record.phase, record.seen


def _digest(text: object) -> str:
    """SHA-256 in base64url without padding; 32 bytes always end with one "="."""
    if not isinstance(text, str):
        raise Doubtful
    return b2a_base64(_sha(text.encode()).digest(), newline=False)[:-1].translate(_URL).decode()


_URL = bytes.maketrans(b"+/", b"-_")
_KNOWN: dict[tuple[CaseState | None, str, bool], CaseState] = {}
