"""A database with as many pending requests as are wanted: one is filed as a person does, its rows are multiplied."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.bot import BenchError
from bot.clock import SystemClock
from bot.domain.case.transition import Transition
from storage.store import SqliteStore

FAR = timedelta(days=3650)
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :times)"
_ID = "printf('R-%08d', i)"
_LATE = ("due_ms", "expires_ms", "warn_ms")
_FAR_MS = FAR // timedelta(milliseconds=1)


async def multiplied(path: Path, act: Transition, pending: int) -> Path:
    """`pending` copies of a filed request, whose next step and end are ten years away. Nothing waits to be said."""
    if act.after is None:
        raise BenchError("The request was refused.")
    store = await SqliteStore.open(path, SystemClock(), state_dir=path.with_suffix(".state"))
    try:
        await store.commit(act)
    finally:
        await store.close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("DELETE FROM outbox")
        for table, key in (("request", "id"), ("ask", "case_id"), ("step", "case_id"), ("reached", "case_id"),
                           ("deadline", "case_id")):  # fmt: skip
            _multiply(raw, table, key, act.after.id, pending)
        raw.execute("UPDATE deadline SET due_ms = due_ms + ? WHERE case_id = ?", (_FAR_MS, act.after.id))
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("ANALYZE")
    return path


def _multiply(raw: sqlite3.Connection, table: str, key: str, case_id: str, times: int) -> None:
    columns = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
    values = [_ID if c == key else f"{c} + :far" if c in _LATE else c for c in columns]
    raw.execute(
        f"{_NUMBERS} INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}, n WHERE {key} = :case",
        {"times": times, "case": case_id, "far": _FAR_MS},
    )


def fall_due(path: Path, first: int, times: int, due_ms: int) -> None:
    """The next steps of so many of them fall due in one instant."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        ids = [(f"R-{i:08d}",) for i in range(first, first + times)]
        raw.executemany(f"UPDATE deadline SET due_ms = {due_ms} WHERE case_id = ?", ids)
        raw.executemany(f"UPDATE step SET due_ms = {due_ms} WHERE case_id = ? AND state = 'waiting' AND n = 1", ids)
        raw.commit()
