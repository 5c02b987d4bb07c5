"""Proves that a stored log is in order, a part of SPAN entries at a time, one process a core.

The parts are joined in order. Where anything cannot be proven it says so with None, and `storage.log.check` judges entry by entry.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context

from bot.decision_log.entry_heads import heads
from bot.domain.decision_log.signed_note import Checkpoint, VerifierKey
from bot.domain.decision_log.verify.joined_segments import JoinedSegments
from bot.domain.decision_log.verify.segment import BLOCK, SPAN, Doubtful, Segment, SegmentSummary, Shown
from bot.domain.decision_log.verify.subtrees import folded
from bot.domain.errors import CountersignError, LogDamaged, StorageError
from bot.ports.database import Location
from storage.log.earlier_entries import Earlier, tree_edge
from storage.log.stored_notes import note_findings
from storage.session import Row, Session
from storage.snapshot import snapshot

_ALONE = 2 * SPAN  # entries of a log that one process verifies: more of them would begin later than it ends
_LOOK = 0.1  # seconds between two looks whether to stop
_LOT = 8 * BLOCK  # entries read at once, and between two reports of progress
_ENDLESS = 2**62
_NO_MORE: Shown = "", _ENDLESS, ""  # after the last disclosure
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the log is proven against: the verifier keys of its notes (None: notes are not verified) and the signer's memory."""

    keys: Sequence[VerifierKey] | None
    memory: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Verified:
    """The whole log was verified up to `size`, and had this root then."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """The entries `start` to `stop` of a database; `marks` are the sizes whose roots are wanted, `origin` is the log's name."""

    place: Location
    start: int
    stop: int
    marks: frozenset[int]
    keys: Sequence[VerifierKey] | None
    origin: str


def proven(
    place: Location, session: Session, trusted: Trusted, over: Callable[[], bool], progress: Progress
) -> bytes | None:
    """The root of the log where all of it is in order, as one moment of the database has it; None where that is not proven.
    Raises StorageError once `over`."""
    counts = session.row("log_counts")
    roots = _roots(session, trusted.memory, 0)
    if counts is None or min(roots, default=1) < 1:
        return None
    nodes = {(row["level"], row["i"]): bytes(row["h"]) for row in session.rows("log_nodes")}
    return _joined(place, session, trusted, JoinedSegments(nodes, roots), counts, over, progress)


def proven_since(
    base: Verified, place: Location, session: Session, trusted: Trusted, over: Callable[[], bool], progress: Progress
) -> bytes | None:
    """The same, where the first `base.size` entries were verified before: of them nothing is read but their tree, the earlier
    entries of cases that go on, and those since the last multiple of SPAN."""
    first = base.size // SPAN * SPAN
    counts = session.row("log_counts_from", start=first)
    roots = _roots(session, trusted.memory, first)
    try:
        edge = tree_edge(session, first)
    except LogDamaged:
        return None
    if counts is None or (base.size == first and folded(edge) != base.root):
        return None
    if base.size > first:
        roots.setdefault(base.size, set()).add(base.root)
    nodes = {(row["level"], row["i"]): bytes(row["h"]) for row in session.rows("nodes_over", start=first)}
    before = Earlier(session, first)
    joined = JoinedSegments(nodes, roots, first, edge, before.case, before.is_disclosed)
    return _joined(place, session, trusted, joined, counts, over, progress)


def _joined(
    place: Location, session: Session, trusted: Trusted, joined: JoinedSegments, counts: Row, over: Callable[[], bool],
    progress: Progress,
) -> bytes | None:  # fmt: skip
    """The root, where every part from `joined.size` on is in order and nothing is beside them."""
    head, first = session.row("log_head"), joined.size
    if head is None or head["size"] <= first or counts["entries"] != head["size"] - first:
        return None
    origin, size = str(head["origin"]), int(head["size"])
    parts = list(_parts(place, first, size, joined.roots, trusted.keys, origin))
    try:
        for summary in _summaries(parts, session, over, progress):
            joined.add(summary)
        root, edge = joined.finish()
    except (Doubtful, BrokenProcessPool):
        return None
    whole = joined.size == size and joined.disclosed == counts["disclosures"] and joined.origin == origin
    return root if whole and head["edge"] == b"".join(edge) else None


def verified_part(part: Part) -> SegmentSummary:
    """One part on a connection of its own; what a process of the pool runs. Raises Doubtful, also where the database cannot be read."""
    try:
        with snapshot(part.place) as session:
            return _segment(session, part, lambda: False, lambda _: None)
    except CountersignError:
        raise Doubtful from None


def _roots(session: Session, memory: Checkpoint | None, first: int) -> dict[int, set[bytes]]:
    """The wanted roots by size, beyond `first`: those of the stored checkpoints, and the one that the signer remembers."""
    roots: dict[int, set[bytes]] = {}
    everything = (
        session.stream("checkpoints_between", start=first, stop=_ENDLESS) if first else session.stream("checkpoints")
    )
    for row in everything:
        roots.setdefault(row["size"], set()).add(bytes(row["root"]))
    if memory is not None and memory.size > first:
        roots.setdefault(memory.size, set()).add(memory.root)
    return roots


def _parts(
    place: Location, first: int, size: int, roots: Collection[int], keys: Sequence[VerifierKey] | None, origin: str
) -> Iterator[Part]:
    for start in range(first, size, SPAN):
        stop = min(start + SPAN, size)
        yield Part(place, start, stop, frozenset(mark for mark in roots if start < mark <= stop), keys, origin)


def _summaries(
    parts: Sequence[Part], session: Session, over: Callable[[], bool], progress: Progress
) -> Iterator[SegmentSummary]:
    """The summary of each part, in order."""
    processes = min(len(os.sched_getaffinity(0)), len(parts)) if parts[-1].stop - parts[0].start > _ALONE else 1
    if processes == 1:
        yield from (_segment(session, part, over, progress) for part in parts)
        return
    with ExitStack() as ending:
        pool = ProcessPoolExecutor(processes, get_context("spawn"), gc.disable)  # a part leaves no circles behind
        ending.callback(pool.shutdown, cancel_futures=True)
        for part, future in [(part, pool.submit(verified_part, part)) for part in parts]:
            yield _result(future, over)
            progress(part.stop - part.start)


def _result(future: Future[SegmentSummary], over: Callable[[], bool]) -> SegmentSummary:
    while not wait((future,), _LOOK).done:
        _stop_if(over())
    return future.result()


def _segment(session: Session, part: Part, over: Callable[[], bool], progress: Progress) -> SegmentSummary:
    segment, shown = Segment(part.start, part.marks, heads), _Disclosures(session, part)
    for lot in session.lots("entries_between", _LOT, start=part.start, stop=part.stop):
        for first in range(0, len(lot), BLOCK):
            rows = lot[first : first + BLOCK]
            segment.add(rows, shown.up_to(rows[-1][0]))
        _stop_if(over())
        progress(len(lot))
    if shown.remain or segment.summary.size != part.stop or _bad_notes(session, part):
        raise Doubtful
    return segment.summary


class _Disclosures:
    """Those of a part, handed out in the order of its entries."""

    def __init__(self, session: Session, part: Part) -> None:
        lots = session.lots("disclosures_between", _LOT, start=part.start, stop=part.stop)
        self._rows: Iterator[Shown] = chain.from_iterable(lots)
        self._next = next(self._rows, _NO_MORE)

    @property
    def remain(self) -> bool:
        return self._next is not _NO_MORE

    def up_to(self, index: int) -> list[Shown]:
        """The next ones, up to those of this entry."""
        found: list[Shown] = []
        while self._next[1] <= index:
            found.append(self._next)
            self._next = next(self._rows, _NO_MORE)
        return found


def _bad_notes(session: Session, part: Part) -> bool:
    if part.keys is None:
        return False
    rows = session.stream("checkpoints_between", start=part.start, stop=part.stop)
    return any(True for _ in note_findings(rows, part.keys, part.origin))


def _stop_if(over: bool) -> None:
    if over:
        raise StorageError("The check of the log was ended before its end.")
