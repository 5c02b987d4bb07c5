"""Feeds a stored log to `bot.domain.audit`, from a connection of its own that can only read.

Rows are streamed in one read transaction, so a running bot may go on appending. Triggers and indexes are not trusted: a
file in which they were dropped is checked like any other.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.domain.audit import Audit, Finding, Row, Shown, StoredHead
from bot.domain.errors import StorageError
from bot.domain.ledger import Node
from storage import schema
from storage.sqlite import Session, explained


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `unknown_types` are listed, not findings."""

    findings: tuple[Finding, ...]
    origin: str
    size: int
    root: bytes
    unknown_types: tuple[str, ...]


async def check_log(path: Path | str, limit: int = 1_000) -> Checked:
    """Checks the log in a database file, on a thread; at most `limit` findings. Raises StorageError, SchemaError."""
    return await asyncio.to_thread(check_database, Path(path), limit)


def check_database(path: Path, limit: int = 1_000) -> Checked:
    """`check_log` for callers without an event loop."""
    try:
        with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True, isolation_level=None)) as raw:
            session = Session(raw)
            schema.check(session)
            raw.execute("BEGIN")
            return _checked(session, limit)
    except sqlite3.Error as error:
        raise explained(error) from error
    except OSError as error:
        raise StorageError(f"The database {path} cannot be read: {error.strerror}.") from error


def _checked(session: Session, limit: int) -> Checked:
    head = session.row("log_head")
    audit = Audit(
        head=None if head is None else StoredHead(head["origin"], head["size"], head["edge"]),
        nodes=[Node(row["level"], row["i"], row["h"]) for row in session.rows("log_nodes")],
        disclosures=(Shown(row["digest"], row["idx"], row["disclosure"]) for row in session.stream("disclosures")),
        checkpoints={row["size"]: row["root"] for row in session.rows("checkpoints")},
    )
    found: list[Finding] = []
    for finding in audit.findings(_rows(session)):
        if len(found) < limit:
            found.append(finding)
    origin = "" if head is None else head["origin"]
    return Checked(tuple(found), origin, audit.size, audit.root, tuple(sorted(audit.unknown_types)))


def _rows(session: Session) -> Iterator[Row]:
    for row in session.stream("all_log_rows"):
        yield Row(row["idx"], row["leaf"], row["data"], row["type"], row["case_id"], row["ts_ms"])
