"""A disk that fails: from a chosen statement on, every statement of the writing connection is an error until a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from storage.session import Row
from storage.sqlite.driver import SqliteSession
from storage.store import SqliteStore


class FailingSession(SqliteSession):
    """`left` statements still work."""

    def __init__(self, connection: sqlite3.Connection, left: int) -> None:
        super().__init__(connection)
        self.left = left

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise sqlite3.OperationalError("disk I/O error")

    def rows(self, name: str, /, **values: object) -> Sequence[Row]:
        self._spend()
        return super().rows(name, **values)

    def row(self, name: str, /, **values: object) -> Row | None:
        self._spend()
        return super().row(name, **values)

    def run(self, name: str, /, **values: object) -> int:
        self._spend()
        return super().run(name, **values)

    def send(self, name: str, /, **values: object) -> None:
        self._spend()
        super().send(name, **values)

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        self._spend()
        super().many(name, rows)


def fail_after(store: SqliteStore, statements: int) -> FailingSession:
    """The store's writer fails after so many more statements, in whatever transaction they fall."""
    writer: Any = store.transactions.writer
    writer._session = failing = FailingSession(writer._session.raw, statements)
    return failing
