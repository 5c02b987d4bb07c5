"""Checks a stored log: every byte hashed again, every rule of the format, in one pass over its rows.

The bytes are authoritative: leaves and tree are computed from them, and what is stored with them (leaf, nodes, edge, columns)
must agree. Nothing is trusted that a trigger or an index would have kept in order. What stays in memory is one small
record for each case and each digest that still lacks its disclosure, never the entries.
Source: decision-log.md. An audit finds what contradicts itself; only a checkpoint that left the host shows a log that was
rewritten whole.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bot.domain.decision_log.entry import b64
from bot.domain.decision_log.entry_reader import parsed, read_stamp
from bot.domain.decision_log.merkle_tree import Node, grow, leaf_hash, root
from bot.domain.decision_log.verify.case_order import TYPES, CaseRecord, continued, judged

Code = Literal[
    "signature", "root", "leaf", "head", "node", "index", "canonical", "ts", "case", "type", "disclosure", "checkpoint", "rollback", "fork",
    "pruned", "policy", "party", "delay", "unsigned", "assertion", "unendorsed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogFinding:
    """What contradicts what, at which entry; `idx` is None where it concerns the log as a whole."""

    code: Code
    idx: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.code} {'-' if self.idx is None else self.idx}: {self.text}"


class Row(NamedTuple):
    """A row of `log_entry` as stored, in the order of `idx`."""

    idx: int
    leaf: bytes
    data: bytes | None
    type: str
    case: str | None
    ts_ms: int


@dataclass(frozen=True, slots=True)
class StoredHead:
    origin: str
    size: int
    edge: bytes | None  # None: of an export, which has none


class Shown(NamedTuple):
    """A row of `log_private`."""

    digest: str
    idx: int
    text: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the signer remembers of the log: the last size and root that it signed. `size` is -1 where it has no memory."""

    size: int
    root: bytes = b""


@dataclass(slots=True)
class Audit:
    """One check of one log. Iterate `findings` to the end; then `size`, `root` and `unknown_types` are those found.

    `disclosures` come in the order of `idx`, `checkpoints` (size to root) in any. `memory` is None where nobody asks for it.
    """

    head: StoredHead | None
    nodes: Iterable[Node]
    disclosures: Iterable[Shown]
    checkpoints: Mapping[int, bytes] = field(default_factory=dict)
    memory: Remembered | None = None
    read: Callable[[bytes], tuple[Mapping[str, object] | None, str]] = parsed  # or a quicker one with the same verdict
    size: int = 0
    unknown_types: set[str] = field(default_factory=set)
    _edge: list[bytes] = field(default_factory=list)
    _origin: str = ""
    _ts_ms: int = 0
    _may_step_back: bool = False
    _cases: dict[str, CaseRecord] = field(default_factory=dict)
    _owed: dict[str, int] = field(default_factory=dict)  # digest to the entry that shows it, no disclosure found
    _gone: set[str] = field(default_factory=set)  # digests that were erased
    _told: set[str] = field(default_factory=set)  # in a pruned log only: digests that are disclosed
    _nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _next: Shown | None = None
    _shown: Iterator[Shown] = field(default_factory=lambda: iter(()))
    _emptied: int = -1
    _blind: bool = False  # of emptied entries nothing is known, not even their case
    _minimum: int = 0

    @property
    def root(self) -> bytes:
        return root(self._edge)

    def findings(self, rows: Iterable[Row]) -> Iterator[LogFinding]:
        """Everything wrong, in the order of the entries; nothing means the log agrees with itself."""
        self._nodes = {(node.level, node.i): node.hash for node in self.nodes}
        self._shown = iter(self.disclosures)
        self._next = next(self._shown, None)
        for row in rows:
            yield from self._row(row)
        yield from self._end()

    def _row(self, row: Row) -> Iterator[LogFinding]:
        if row.idx != self.size:
            yield LogFinding("index", row.idx, f"Entry {self.size} should stand here; the row says {row.idx}.")
        position = self.size
        if row.data is None:
            self._emptied = position
            self._blind |= not row.type
            leaf = row.leaf if isinstance(row.leaf, bytes) else b""
        else:
            leaf = leaf_hash(row.data)
            if leaf != row.leaf:
                yield LogFinding("leaf", row.idx, f"The bytes of entry {row.idx} do not have its stored leaf hash.")
        yield from self._grown(leaf)
        entry = None
        if row.data is not None:
            entry, fault = self.read(row.data)
            if fault:
                yield LogFinding("canonical", row.idx, fault)
        if entry is not None:
            yield from self._columns(row, position, entry)
            yield from self._times(row, entry)
        yield from self._in_case(row, leaf, entry)
        yield from self._digests(row, position, entry or {})

    def _grown(self, leaf: bytes) -> Iterator[LogFinding]:
        self._edge, nodes = grow(self.size, self._edge, leaf)
        self.size += 1
        for node in nodes:
            stored = self._nodes.pop((node.level, node.i), None)
            if stored != node.hash:
                word = "is missing" if stored is None else "is another than its entries give"
                yield LogFinding("node", self.size - 1, f"The stored node {node.level}/{node.i} {word}.")
        if self.memory is not None and self.memory.size == self.size and self.memory.root != self.root:
            yield LogFinding("fork", self.size - 1, f"The first {self.size} entries are not those that were signed.")
        noted = self.checkpoints.get(self.size)
        if noted is not None and noted != self.root:
            yield LogFinding(
                "root", self.size - 1, f"The checkpoint of size {self.size} has another root than the entries."
            )

    def _columns(self, row: Row, position: int, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        if entry.get("i") != position:
            yield LogFinding("index", row.idx, f"The entry calls itself {entry.get('i')!r}; it stands at {position}.")
        if entry.get("v") != "1":
            yield LogFinding("canonical", row.idx, f'The entry\'s format is {entry.get("v")!r}; this program knows "1".')
        if entry.get("type") != row.type:
            yield LogFinding("type", row.idx, f"The column says {row.type}, the entry {entry.get('type')!r}.")
        if entry.get("case") != row.case:
            yield LogFinding("case", row.idx, f"The column says {row.case!r}, the entry {entry.get('case')!r}.")
        if position == 0 and entry.get("type") != "log.opened":
            yield LogFinding("type", row.idx, "Entry 0 is not log.opened.")
        if isinstance(kind := entry.get("type"), str) and kind not in TYPES:
            self.unknown_types.add(kind)
        yield from self._named(row, entry)

    def _named(self, row: Row, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """The origin is that of the first entry whose bytes are there; a new epoch gives it a number."""
        name = entry.get("log")
        if not self._origin and isinstance(name, str):
            self._origin = name
        if name == self._origin:
            return
        base, dot, number = str(name).rpartition(".")
        renewed = entry.get("type") == "log.epoch_started" and dot and number.isdecimal()
        if renewed and (self._origin == base or self._origin.rpartition(".")[0] == base):
            self._origin = str(name)
        else:
            yield LogFinding("head", row.idx, f"The entry is of the log {name!r}, not of {self._origin!r}.")

    def _times(self, row: Row, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        ts_ms = read_stamp(entry.get("ts"))
        if ts_ms is None:
            yield LogFinding("ts", row.idx, f"{entry.get('ts')!r} is no time in UTC with milliseconds and Z.")
            return
        if ts_ms != row.ts_ms:
            yield LogFinding("ts", row.idx, f"The column says {row.ts_ms} ms, the entry {entry['ts']}.")
        if ts_ms < self._ts_ms and not self._may_step_back:
            yield LogFinding("ts", row.idx, f"{entry['ts']} is before the time of the entry before it.")
        self._ts_ms = ts_ms
        data = entry.get("data")
        accepted = isinstance(data, dict) and data.get("accepted") is True
        self._may_step_back = entry.get("type") == "clock.anomaly" and accepted

    def _in_case(self, row: Row, leaf: bytes, entry: Mapping[str, object] | None) -> Iterator[LogFinding]:
        case = row.case if entry is None else entry.get("case")
        if case is None:
            if entry and ("case_seq" in entry or "case_prev" in entry):
                yield LogFinding("case", row.idx, "The entry has a place in a case but no case.")
            return
        before = self._cases.get(str(case))
        if before is None and entry is not None and self._blind:
            before = continued(entry)
        record, faults = judged(before, str(row.type), entry, leaf)  # a column may hold anything
        self._cases[str(case)] = record
        for text in faults:
            yield LogFinding("case", row.idx, f"{case}: {text}")

    def _digests(self, row: Row, position: int, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """`_sd` sorted, each digest disclosed or later erased, each disclosure the one of its digest."""
        digests = entry.get("_sd", [])
        if not isinstance(digests, list) or digests != sorted(set(map(str, digests))):
            yield LogFinding("disclosure", row.idx, "`_sd` is no sorted list of distinct digests.")
            digests = []
        if bool(digests) != (entry.get("_sd_alg") == "sha-256"):
            yield LogFinding("disclosure", row.idx, "`_sd` and `_sd_alg` do not go together.")
        self._owed.update(dict.fromkeys(digests, position))
        while self._next is not None and self._next.idx <= position:
            yield from self._disclosed(self._next, emptied=row.data is None)
            self._next = next(self._shown, None)
        yield from self._promises(entry)

    def _disclosed(self, shown: Shown, *, emptied: bool) -> Iterator[LogFinding]:
        if b64(hashlib.sha256(shown.text.encode()).digest()) != shown.digest:
            yield LogFinding("disclosure", shown.idx, f"A disclosure does not have its digest {shown.digest}.")
        if self._emptied >= 0:
            self._told.add(shown.digest)
        if self._owed.pop(shown.digest, None) != shown.idx and not emptied:
            yield LogFinding("disclosure", shown.idx, f"No digest of entry {shown.idx} belongs to {shown.digest}.")

    def _promises(self, entry: Mapping[str, object]) -> Iterator[LogFinding]:
        """An entry's statements about earlier ones: digests that were erased, data that was emptied."""
        data = entry.get("data")
        if not isinstance(data, dict):
            return
        if entry.get("type") == "privacy.erased" and isinstance(data.get("digests"), list):
            yield from self._erased(map(str, data["digests"]))
        if entry.get("type") == "log.pruned" and isinstance(data.get("minimum"), int):
            if data["minimum"] > self.size:
                yield LogFinding("pruned", self.size - 1, "A pruning claims entries that did not exist yet.")
            self._minimum = max(self._minimum, data["minimum"])

    def _erased(self, digests: Iterable[str]) -> Iterator[LogFinding]:
        """Each is of an entry before, and nothing discloses it. Of emptied entries nobody knows which digests they had."""
        for digest in digests:
            known = self._owed.pop(digest, None) is not None or digest in self._gone
            self._gone.add(digest)
            if not known and (self._emptied < 0 or digest in self._told):
                text = f"{digest} is erased by this entry, and disclosed all the same or of no entry before."
                yield LogFinding("disclosure", self.size - 1, text)

    def _end(self) -> Iterator[LogFinding]:
        for digest, idx in self._owed.items():
            yield LogFinding("disclosure", idx, f"Nothing discloses {digest}, and no privacy.erased names it.")
        if self._next is not None:
            for shown in itertools.chain([self._next], self._shown):
                yield LogFinding(
                    "disclosure", shown.idx, f"A disclosure belongs to entry {shown.idx}, which does not exist."
                )
        for level, i in self._nodes:
            yield LogFinding("node", None, f"The stored node {level}/{i} covers entries that do not exist.")
        if self._emptied >= self._minimum:
            yield LogFinding(
                "pruned", self._emptied, f"The bytes of entry {self._emptied} are gone; no log.pruned covers it."
            )
        for size in self.checkpoints:
            if size > self.size:
                yield LogFinding("root", None, f"A checkpoint covers {size} entries; there are {self.size}.")
        if self.memory is not None and self.memory.size > self.size:
            yield LogFinding("rollback", None, f"{self.memory.size} entries were signed; the log has {self.size}.")
        if self.memory is not None and self.memory.size < 0 and self.size:
            yield LogFinding("rollback", None, "The signer has no memory of this log: entries may be lost.")
        yield from self._head_agrees()

    def _head_agrees(self) -> Iterator[LogFinding]:
        head = self.head
        if head is None:
            yield LogFinding("head", None, "The log has no head.")
            return
        if head.origin != self._origin:
            yield LogFinding("head", None, f"The head names the log {head.origin!r}, its entries {self._origin!r}.")
        if head.size != self.size:
            yield LogFinding("head", None, f"The head says {head.size} entries; there are {self.size}.")
        if head.edge is not None and head.edge != b"".join(self._edge):
            yield LogFinding("head", None, "The head's edge is not that of the entries.")
