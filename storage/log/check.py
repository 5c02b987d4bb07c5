"""Feeds a stored log to `bot.domain.decision_log.verify.log`, from a connection of its own that can only read.

Rows are streamed in one read transaction, so a running bot may keep appending. Triggers and indexes are not trusted: a
file in which they were dropped is checked like any other.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from bot.decision_log.entry_decoder import decoded
from bot.domain.decision_log.merkle_tree import Node
from bot.domain.decision_log.signed_note import Checkpoint, VerifierKey
from bot.domain.decision_log.verify.log import Audit, LogFinding, Remembered, Row, Shown, StoredHead
from bot.domain.errors import StorageError
from bot.ports.database import Location
from storage.log.quick_check import Progress, Trusted, Verified, proven, proven_since
from storage.log.stored_notes import note_findings
from storage.session import Session
from storage.snapshot import snapshot

Prove: TypeAlias = "Callable[[Location, Session, Trusted, Callable[[], bool], Progress], bytes | None]"


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What a check found. `unknown_types` are listed, not findings."""

    findings: tuple[LogFinding, ...]
    origin: str
    size: int
    root: bytes
    unknown_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Against:
    """What a log is checked against besides itself: the verifier keys of its notes by origin, and the signer's memory.

    `remembers`: whether there must be a memory.
    """

    keys: Callable[[str], Sequence[VerifierKey]]
    memory: Checkpoint | None
    remembers: bool


async def check_log(place: Location, limit: int = 1_000) -> LogCheck:
    """Checks the log of a database, on a thread; at most `limit` findings. Raises StorageError, SchemaError."""
    return await asyncio.to_thread(check_database, place, limit)


def check_database(
    place: Location, limit: int = 1_000, *, against: Against | None = None, found: tuple[LogFinding, ...] = (),
    over: Callable[[], bool] = lambda: False, progress: Progress = lambda _: None,
) -> LogCheck:  # fmt: skip
    """`check_log` for callers without an event loop. `found` are findings made before; once `over`, it ends with a
    StorageError; `progress` counts verified entries. What `quick_check` cannot prove is judged entry by entry."""
    with snapshot(place) as session:
        proof = None if found else _proof(place, session, against, proven, over, progress)
        return proof or _checked(session, limit, against, list(found), over)


def check_newest(
    place: Location, against: Against, over: Callable[[], bool] = lambda: False, progress: Progress = lambda _: None
) -> tuple[LogCheck, int] | None:
    """The check of what came after the last check of the whole log, and how many entries that one covered. None where there was
    none, or the newer entries cannot be proven by themselves. Raises StorageError, SchemaError."""
    with snapshot(place) as session:
        base = _last_verified(session)
        if base is None:
            return None
        proof = _proof(place, session, against, partial(proven_since, base), over, progress)
    return None if proof is None else (proof, base.size)


def _last_verified(session: Session) -> Verified | None:
    row = session.row("last_verified")
    entry = None if row is None or row["data"] is None else decoded(row["data"])[0]
    data = entry.get("data") if entry is not None else None
    if not isinstance(data, dict) or not isinstance(data.get("size"), int) or not isinstance(data.get("root"), str):
        return None
    return Verified(data["size"], bytes.fromhex(data["root"])) if re.fullmatch("[0-9a-f]{64}", data["root"]) else None


def _proof(
    place: Location, session: Session, against: Against | None, prove: Prove, over: Callable[[], bool], progress: Progress
) -> LogCheck | None:
    """The check of a log that is in order; None where that is not proven."""
    head = session.row("log_head")
    origin = "" if head is None else str(head["origin"])
    remembered = _remembered(against, origin)
    if (
        head is None
        or (remembered is not None and remembered.size < 0)
        or any(True for _ in _untrusted(session, against, origin))
    ):
        return None
    memory = against.memory if against is not None and remembered is not None else None
    trusted = Trusted(None if against is None else tuple(against.keys(origin)), memory)
    root = prove(place, session, trusted, over, progress)
    return None if root is None else LogCheck((), origin, int(head["size"]), root, ())


def _checked(
    session: Session, limit: int, against: Against | None, found: list[LogFinding], over: Callable[[], bool]
) -> LogCheck:  # fmt: skip
    head = session.row("log_head")
    origin = "" if head is None else str(head["origin"])
    audit = Audit(
        head=None if head is None else StoredHead(head["origin"], head["size"], head["edge"]),
        nodes=[Node(row["level"], row["i"], row["h"]) for row in session.rows("log_nodes")],
        disclosures=(Shown(row["digest"], row["idx"], row["disclosure"]) for row in session.stream("disclosures")),
        checkpoints={row["size"]: row["root"] for row in session.rows("checkpoints")},
        memory=_remembered(against, origin),
        read=decoded,
    )
    judged = (_untrusted(session, against, origin), _notes(session, against, origin), audit.findings(_rows(session, over)))
    for finding in itertools.chain(*judged):
        if len(found) < limit:
            found.append(finding)
    return LogCheck(tuple(found), origin, audit.size, audit.root, tuple(sorted(audit.unknown_types)))


def _remembered(against: Against | None, origin: str) -> Remembered | None:
    if against is None or not against.remembers:
        return None
    memory = against.memory
    return Remembered(-1) if memory is None or memory.origin != origin else Remembered(memory.size, memory.root)


def _untrusted(session: Session, against: Against | None, origin: str) -> Iterator[LogFinding]:
    """Whether the signer's memory is of this log, and whether any key can check its notes."""
    if against is None:
        return
    if against.memory is not None and against.memory.origin != origin:
        yield LogFinding("fork", None, f"The signer's memory is of the log {against.memory.origin}; this one is {origin}.")
    if not against.keys(origin) and session.row("newest_checkpoint") is not None:
        yield LogFinding(
            "signature",
            None,
            "No verifier key of this log is known here, so no stored checkpoint can be checked: put log.key back into"
            " COUNTERSIGN_STATE_DIR from its copy, or give --vkey.",
        )


def _notes(session: Session, against: Against | None, origin: str) -> Iterator[LogFinding]:
    """Every stored note, where a key is known."""
    keys = () if against is None else against.keys(origin)
    if keys:
        yield from note_findings(session.stream("checkpoints"), keys, origin)


def _rows(session: Session, over: Callable[[], bool]) -> Iterator[Row]:
    for row in session.stream("all_log_rows"):
        if over():
            raise StorageError("The check of the log was ended before its end.")
        yield Row(row["idx"], row["leaf"], row["data"], row["type"], row["case_id"], row["ts_ms"])
