"""The PostgreSQL driver: one connection on one thread, one transaction a function.

As with SQLite, a transaction is one plain function that runs from its first statement to its last on the database's thread.
A lost connection is opened again before the next function. If the answer to a COMMIT is lost, `pg_xact_status` says how
it ended before any caller gets a result.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row, tuple_row

from bot.domain.errors import NotLeading, StorageError
from storage.postgres.errors import explained, is_lost
from storage.postgres.outcome import settle
from storage.postgres.values import adapt, translated
from storage.queries.loader import load, parse
from storage.session import Lasting, Row
from storage.values import moment

T = TypeVar("T")
_HERE = Path(__file__).parent
QUERIES = translated({**load(_HERE / "dialect.sql"), **parse((_HERE / "replicas.sql").read_text("utf-8"))})
ANYBODY, NOBODY = None, -1  # tokens: a writer that does not lead (a command on the host), and a standby replica
CONNECT_SECONDS = 5
_PREPARED = 512  # statements that a session keeps prepared; there are fewer
_STREAMED = 1_000  # rows fetched at a time
_PARAMETERS: Mapping[str, Any] = {
    "application_name": "countersign", "connect_timeout": CONNECT_SECONDS, "keepalives_idle": 5, "keepalives_interval": 2,
    "keepalives_count": 3, "tcp_user_timeout": 10_000, "client_encoding": "UTF8",
}  # fmt: skip
_SETTINGS = "SET synchronous_commit = on; SET lock_timeout = '20s'; SET timezone = 'UTC'"

Connection = psycopg.Connection[DictRow]


def connect(url: str) -> Connection:
    """A new session on the server. Raises psycopg.Error."""
    raw: Connection = psycopg.connect(url, autocommit=True, prepare_threshold=1, row_factory=dict_row, **_PARAMETERS)
    raw.prepared_max = _PREPARED
    adapt(raw)
    raw.execute(_SETTINGS)
    return raw


class PostgresSession:
    """`storage.session.Session` on a PostgreSQL connection, `raw`, which is replaced when it was lost."""

    def __init__(self, url: str, *, judges: bool = True) -> None:
        """`judges`: its writing transactions exclude those of every other process, and need the lease where it has a `token`."""
        self._url, self._judges = url, judges
        self.token: int | None = ANYBODY
        self.raw = connect(url)
        self._xid: str | None = None  # of the writing transaction that is open
        self._sent = False  # its COMMIT
        self._waiting: list[tuple[Any, Mapping[str, object]]] = []  # statements that were not executed yet
        self._cursors = itertools.count()
        # How often the connection was replaced, and how many of those times the roll call has counted.
        self.losses = self.counted = 0

    def revive(self) -> None:
        """Connects again where the connection was lost. Raises psycopg.Error."""
        if is_lost(self.raw):
            self._replace(connect(self._url))

    def rows(self, name: str, /, **values: object) -> Sequence[Row]:
        return self._executed(QUERIES[name], values).fetchall()

    def row(self, name: str, /, **values: object) -> Row | None:
        return self._executed(QUERIES[name], values).fetchone()

    def run(self, name: str, /, **values: object) -> int:
        return self._executed(QUERIES[name], values).rowcount

    def send(self, name: str, /, **values: object) -> None:
        self._waiting.append((QUERIES[name], values))

    def flush(self) -> None:
        """What waits goes to the server together, without an answer to each."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            with self.raw.pipeline():
                for query, values in waiting:
                    self.raw.execute(query, values)

    def _executed(self, query: Any, values: Mapping[str, object]) -> psycopg.Cursor[DictRow]:
        """After what waits, in one round trip with it."""
        if not self._waiting:
            return self.raw.execute(query, values)
        with self.raw.pipeline():
            self.flush()
            return self.raw.execute(query, values)

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        self._waiting += [(QUERIES[name], values) for values in rows]

    def stream(self, name: str, /, **values: object) -> Iterable[Row]:
        self.flush()
        with self.raw.cursor(f"rows_{next(self._cursors)}") as cursor:
            cursor.itersize = _STREAMED
            yield from cursor.execute(QUERIES[name], values)

    def lots(self, name: str, size: int, /, **values: object) -> Iterable[Sequence[tuple[Any, ...]]]:
        self.flush()
        with self.raw.cursor(f"rows_{next(self._cursors)}", row_factory=tuple_row) as cursor:
            cursor.execute(QUERIES[name], values)
            while rows := cursor.fetchmany(size):
                yield rows

    @property
    def in_transaction(self) -> bool:
        return self.raw.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def renew(self) -> bool:
        if self._sent or not is_lost(self.raw):
            return False
        try:
            self.revive()
        except psycopg.Error:
            return False
        return True

    @property
    def reconnected(self) -> bool:
        return self.token is not ANYBODY and self.losses > self.counted

    def begin(self, *, write: bool) -> datetime | None:
        self._sent = False
        self._waiting.clear()
        if not write:
            self.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return None
        leads = self.token is not ANYBODY
        begun = self.raw.execute(QUERIES["open_leading" if leads else "open_judging" if self._judges else "open_taking_in"])
        while begun.nextset():
            pass
        row = begun.fetchone()
        assert row is not None
        self._xid = str(row["xid"])
        if leads and row["token"] != self.token:
            raise NotLeading("Another replica leads; this one carries out nothing.")
        return moment(row["now_ms"]) if leads else None

    def commit(self) -> None:
        self.flush()
        xid, self._xid, self._sent = self._xid, None, True
        pid = self.raw.info.backend_pid
        try:
            self.raw.execute("COMMIT")
        except psycopg.OperationalError as error:
            if xid is None or not is_lost(self.raw):
                raise
            self._replace(settle(partial(connect, self._url), xid, pid, error))

    def _replace(self, raw: Connection) -> None:
        old, self.raw = self.raw, raw
        self.losses += 1
        old.close()

    def rollback(self) -> None:
        self._waiting.clear()
        self._xid = None
        if self.in_transaction:
            with contextlib.suppress(psycopg.OperationalError):  # a lost session has rolled back
                self.raw.execute("ROLLBACK")

    def savepoint(self) -> None:
        self.flush()
        self.raw.execute("SAVEPOINT act")

    def release_savepoint(self) -> None:
        self.flush()
        self.raw.execute("RELEASE SAVEPOINT act")

    def rollback_to_savepoint(self) -> None:
        self._waiting.clear()
        self.raw.execute("ROLLBACK TO SAVEPOINT act")

    def explained(self, error: Exception) -> Exception | None:
        return explained(error) if isinstance(error, psycopg.Error) else None


class PostgresDatabase:
    """`storage.session.Database` on a PostgreSQL server: one session on one thread."""

    def __init__(self, session: PostgresSession) -> None:
        self.session = session
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="postgres", daemon=True)
        self._closed = False
        self._thread.start()

    @classmethod
    async def open(cls, url: str, *, judges: bool = True) -> PostgresDatabase:
        """Connects. Raises StorageError."""
        try:
            return cls(await asyncio.to_thread(partial(PostgresSession, url, judges=judges)))
        except psycopg.Error as error:
            raise explained(error) from error

    async def run(self, work: Callable[[PostgresSession], T], /) -> T:
        return await self.start(work)

    def start(self, work: Callable[[PostgresSession], T], /) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        done = Lasting[T](loop=loop)
        if self._closed:
            done.set_exception(StorageError("The database is closed."))
            return done

        def whole() -> None:
            result, error = self._outcome(work)
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(_settle, done, result, error)

        self._work.put(whole)
        return done

    async def close(self) -> None:
        """After whatever is under way."""
        if not self._closed:
            self._closed = True
            self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
        self.session.raw.close()

    def _tried(self, work: Callable[[PostgresSession], T]) -> T:
        """Runs it, and again on a new connection if the old one was lost: nothing was written."""
        try:
            return work(self.session)
        except psycopg.Error:
            if not self.session.renew():
                raise
            return work(self.session)

    def _outcome(self, work: Callable[[PostgresSession], T]) -> tuple[T | None, BaseException | None]:
        try:
            self.session.revive()
            return self._tried(work), None
        except psycopg.Error as error:
            explanation = explained(error)
            explanation.__cause__ = error
            return None, explanation
        except BaseException as error:  # noqa: BLE001  # it belongs to the caller, on the other thread
            return None, error


def _settle(done: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
