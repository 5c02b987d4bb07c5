"""A log as long as is wanted, as valid as one that people wrote: what `log verify` has to say of it is "nothing".

Six entries a case, as an ordinary request leaves them, two of its texts disclosed. They are sealed here and written past
the store, which would take one transaction for every hundred.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any

from bench.bot import RUNBOOK, BenchError
from bot.clock import SystemClock
from bot.domain.case.transition import Private
from bot.domain.decision_log.entry import canonical, disclose, stamp
from bot.domain.decision_log.merkle_tree import grow, leaf_hash
from bot.domain.policy.people import Person
from storage.store import SqliteStore
from storage.values import ms

ORIGIN = "bench.example/log"
_LOT = 20_000
_ASKER = Person("T0PROV", "U0PE1")
_OWNER = {"kind": "person", "ref": "sub_" + "a" * 26, "party": "home"}
_PROVIDER = {"kind": "person", "ref": "sub_" + "b" * 26, "party": "northgate"}
_CLOCK = {"kind": "clock"}
_NAMED = {"runbook": {"id": RUNBOOK, "sha256": "ab" * 32}, "policy": {"id": "Example Health Trust", "sha256": "cd" * 32}}
_UNTIL = "2026-11-30T03:00:00.000Z"
_STORY: tuple[tuple[str, Mapping[str, str], Mapping[str, Any]], ...] = (
    ("request.filed", _PROVIDER, {"kind": "emergency_access", "seconds": 3600, "expires_at": _UNTIL}),
    ("step.fired", _CLOCK, {"step": 0, "role": "owner", "to": [_OWNER["ref"]]}),
    ("delivery.sent", _CLOCK, {"to": [_OWNER["ref"]], "purpose": "card"}),
    ("request.approved", _OWNER, {"have": 1, "need": 1, "seconds": 3600, "role": "owner", "not_after": _UNTIL}),
    ("grant.opened", _OWNER, {"seconds": 3600, "not_after": _UNTIL}),
    ("grant.finished", _PROVIDER, {"seconds": 3600, "not_after": _UNTIL, "closed_by": "attested"}),
)


async def long_log(path: Path, size: int) -> Path:
    """A database whose log has `size` entries."""
    clock = SystemClock()
    await (await SqliteStore.open(path, clock, ORIGIN)).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        (stored,) = raw.execute("SELECT edge FROM log_head").fetchone()
        edge, at = [stored], clock.now()
        entries = islice(_entries(stamp(at), clock), size - 1)
        for first in range(1, size, _LOT):
            edge = _write(raw, first, edge, list(islice(entries, _LOT)), ms(at))
        raw.execute("UPDATE log_head SET size = ?, edge = ?", (size, b"".join(edge)))
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if raw.execute("SELECT max(idx) FROM log_entry").fetchone() != (size - 1,):
            raise BenchError("The long log is too short.")
    return path


_Entry = tuple[str, str, bytes, bytes, list[tuple[str, str]]]  # type, case, bytes, leaf, what its digests disclose


def _entries(ts: str, clock: SystemClock) -> Iterator[_Entry]:
    """Everything from index 1 on."""
    index = count(1)
    for number in count(1):
        case, prev = f"R-{number:08d}", b""
        for seq, (kind, actor, data) in enumerate(_STORY):
            entry: dict[str, object] = {
                "v": "1", "log": ORIGIN, "i": next(index), "ts": ts, "type": kind, "actor": actor, "case": case,
                "case_seq": seq, "data": data, **_NAMED,
            }  # fmt: skip
            told = [
                disclose(Private(name, "dc-core-01", _ASKER), clock.salt())
                for name in (() if seq else ("reason", "target"))
            ]
            entry |= {"_sd": sorted(one.digest for one in told), "_sd_alg": "sha-256"} if told else {}
            entry |= {"case_prev": prev.hex()} if prev else {}
            written = canonical(entry)
            prev = leaf_hash(written)
            yield kind, case, written, prev, [(one.digest, one.text) for one in told]


def _write(raw: sqlite3.Connection, first: int, edge: list[bytes], lot: list[_Entry], ts_ms: int) -> list[bytes]:
    rows, nodes, private = [], [], []
    for index, (kind, case, written, leaf, told) in enumerate(lot, first):
        rows.append((index, leaf, written, kind, case, ts_ms))
        private += [(digest, index, text, str(_ASKER)) for digest, text in told]
        edge, grown = grow(index, edge, leaf)
        nodes += [(node.level, node.i, node.hash) for node in grown]
    raw.executemany("INSERT INTO log_entry (idx, leaf, data, type, case_id, ts_ms) VALUES (?, ?, ?, ?, ?, ?)", rows)
    raw.executemany("INSERT INTO log_private (digest, idx, disclosure, subject) VALUES (?, ?, ?, ?)", private)
    raw.executemany("INSERT INTO log_node (level, i, h) VALUES (?, ?, ?)", nodes)
    return edge
