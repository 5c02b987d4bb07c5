"""The seam between the subjects and a database: what a backend implements, and all that the subjects know of it.

A backend is a `Database` whose thread runs plain synchronous functions over a `Session`, a `dialect.sql` with the statements
that it writes differently (`storage.queries.loader`), its migrations, and an opener that puts a store together
(`storage.store`). Subject modules take a `Session` or a `Tx` and name statements; they import no backend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]


class Session(Protocol):
    """Named statements and transaction control on one open connection, for the function that has its thread."""

    def rows(self, name: str, /, **values: object) -> Sequence[Row]: ...
    def row(self, name: str, /, **values: object) -> Row | None: ...
    def run(self, name: str, /, **values: object) -> int:
        """Executes a statement; returns how many rows it changed."""

    def send(self, name: str, /, **values: object) -> None:
        """Executes a statement whose result nobody needs. It may wait for the next other statement or for `flush`, and its
        error comes from there."""

    def flush(self) -> None:
        """Executes what waits."""

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """`send` once for each mapping of values."""

    def stream(self, name: str, /, **values: object) -> Iterable[Row]:
        """Rows one by one, for results that are too large for memory."""

    def lots(self, name: str, size: int, /, **values: object) -> Iterable[Sequence[tuple[Any, ...]]]:
        """Rows as plain tuples, `size` at a time, for what is read by the million."""

    @property
    def in_transaction(self) -> bool:
        """False also after the database has rolled back by itself (SQLite on a full disk)."""

    def begin(self, *, write: bool) -> datetime | None:
        """Begins a transaction: one that writes and excludes other writers, or a snapshot for reading. Returns the time of
        the database in a writing one of a replica that leads; None where this machine's clock counts."""

    def commit(self) -> None:
        """Commits; what was written survives a power cut."""

    def rollback(self) -> None:
        """Rolls back if a transaction is open."""

    def renew(self) -> bool:
        """Connects again where the connection was lost before a COMMIT was sent: then nothing was written, and the same may be
        tried once more. False where that is not so, or nobody answers."""

    @property
    def reconnected(self) -> bool:
        """Whether a replica that leads has had its connection replaced, and has not counted the others as unreported since."""

    def savepoint(self) -> None: ...
    def release_savepoint(self) -> None: ...
    def rollback_to_savepoint(self) -> None: ...
    def explained(self, error: Exception) -> Exception | None:
        """The StorageError for an error of this database's driver, in words that say what to do; None for any other error."""


class Database(Protocol):
    """One connection on one thread. A function handed over runs from its first statement to its last without interruption."""

    async def run(self, work: Callable[[Session], T], /) -> T:
        """Returns what `work` returns. A cancelled caller waits for the end. Raises StorageError for a database error."""

    def start(self, work: Callable[[Session], T], /) -> asyncio.Future[T]:
        """Hands `work` over and returns at once; the future is never cancelled."""

    async def close(self) -> None:
        """Closes after whatever is under way."""


class Upkeep(Protocol):
    """What a backend does in its own way so that nothing deleted is left in its files."""

    async def shed(self) -> bool:
        """Empties side files of what was overwritten; False where a reader still needs it: try again later."""

    async def rebuild(self) -> bool:
        """Rewrites every table; False where a reader still needs the old pages: call `shed` later."""


class Lasting(asyncio.Future[T]):
    """A future whose waiter waits for its end even if it is cancelled meanwhile; the cancellation is raised then."""

    def cancel(self, msg: object = None) -> bool:
        return False
