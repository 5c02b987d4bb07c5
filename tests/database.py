"""Which database the tests use: SQLite, or PostgreSQL with `make test DATABASE=postgresql` (TESTS_DATABASE).

Tests with the mark `both` run on each of them, whatever was chosen.

A test names its database by a path, as it would a SQLite file. On PostgreSQL each path is a database of its own on the worker's
server, for as long as the test lasts. What only SQLite has (a copied file, a full disk, a PRAGMA) bears the mark `sqlite`.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from bot.clock import Clock
from bot.ports.database import Location, PostgresServer
from storage.opening import open_database
from storage.postgres.values import adapt, translated
from storage.sql_store import SqlStore
from tests.postgres import PostgresForTests

NAMES = ("sqlite", "postgresql")
_BYTES = re.compile(r"\bx'([0-9a-f]*)'")  # as SQLite writes them
_QUESTION = re.compile(r"'(?:[^']|'')*'|\?")


class Databases:
    """`kind` is what tests get; the databases of one test go back to the server at its end."""

    def __init__(self) -> None:
        self.kind = os.environ.get("TESTS_DATABASE", NAMES[0])
        assert self.kind in NAMES, f"TESTS_DATABASE is {self.kind}, not one of {NAMES}"
        self.server: PostgresForTests | None = None
        self._given: dict[Path, PostgresServer] = {}

    def place(self, path: Path) -> Location:
        """Where the database is that a test calls `path`."""
        if self.kind == "sqlite":
            return path
        assert self.server is not None
        key = path.absolute()
        if key not in self._given:
            self._given[key] = self.server.database()
        return self._given[key]

    @contextmanager
    def for_a_test(self, kind: str) -> Iterator[None]:
        """Tests get this kind meanwhile; at the end what they got goes back."""
        before, self.kind = self.kind, kind
        try:
            yield
        finally:
            self.kind = before
            while self._given:
                assert self.server is not None
                self.server.give_back(self._given.popitem()[1])


chosen = Databases()
place = chosen.place


def url(path: Path) -> str:
    """As COUNTERSIGN_DATABASE_URL has it."""
    where = place(path)
    return f"sqlite:///{where}" if isinstance(where, Path) else where.url


async def open_store(
    path: Path, clock: Clock, origin: str | None = None, state_dir: Path | str | None = None, *, read_only: bool = False
) -> SqlStore:
    """A store on the database that a test calls `path`."""
    if state_dir is not None:
        Path(state_dir).mkdir(
            mode=0o700, parents=True, exist_ok=True
        )  # on PostgreSQL no lock lies there, so nothing makes it
    return await open_database(place(path), clock, origin, state_dir, read_only=read_only)


class Raw(Protocol):
    """A connection past the product, whose statements are written as SQLite has them: `:name` or `?`."""

    def execute(self, sql: str, values: Mapping[str, Any] | Sequence[Any] = ..., /) -> Any: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


class Row(tuple[Any, ...]):
    """A row by place and by name, as `sqlite3.Row`."""

    names: tuple[str, ...] = ()

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def keys(self) -> Sequence[str]:
        return self.names


def _rows(cursor: psycopg.Cursor[Any]) -> Any:
    names = tuple(column.name for column in cursor.description or ())
    return type("NamedRow", (Row,), {"names": names})


class RawPostgres:
    """`Raw` on PostgreSQL. `begins`: changes count from `commit` on, else at once."""

    def __init__(self, where: PostgresServer, *, begins: bool) -> None:
        self._raw = psycopg.connect(where.url, autocommit=not begins, row_factory=_rows)
        adapt(self._raw)

    def execute(self, sql: str, values: Mapping[str, Any] | Sequence[Any] = (), /) -> Any:
        sql = _BYTES.sub(r"'\\x\1'::bytea", sql)
        if isinstance(values, Mapping):
            return self._raw.execute(translated({"": sql})[""].encode(), dict(values))
        text = _QUESTION.sub(lambda found: "%s" if found[0] == "?" else found[0].replace("%", "%%"), sql)
        return self._raw.execute(text.encode() if values else sql.encode(), values or None)

    def fill(self, table: str, old: RawPostgres) -> None:
        """Takes over the rows of another database's table, and where its numbers go on."""
        with (
            old._raw.cursor() as source, self._raw.cursor() as target,
            source.copy(f"COPY {table} TO STDOUT".encode()) as rows, target.copy(f"COPY {table} FROM STDIN".encode()) as into,
        ):  # fmt: skip
            for data in rows:
                into.write(data)
        owned = f"SELECT pg_get_serial_sequence('{table}', attname) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        for (sequence,) in [row for row in old.execute(owned).fetchall() if row[0] is not None]:
            last, called = old.execute(f"SELECT last_value, is_called FROM {sequence}").fetchone()
            self.execute(f"SELECT setval('{sequence}', {last}, {called})")

    def commit(self) -> None:
        self._raw.commit()

    def rollback(self) -> None:
        self._raw.rollback()

    def close(self) -> None:
        self._raw.close()

    def __enter__(self) -> RawPostgres:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """As sqlite3's: commits, and stays open."""
        if kind is None:
            self._raw.commit()
        else:
            self._raw.rollback()


def connect(path: Path, *, begins: bool = True) -> Any:
    """A connection past the product to the database that a test calls `path`; a `Raw`."""
    return opened(place(path), begins=begins)


def opened(where: Location, *, begins: bool = False) -> Any:
    """The same, by where the database is."""
    if not isinstance(where, Path):
        return RawPostgres(where, begins=begins)
    raw = sqlite3.connect(where, isolation_level="" if begins else None)
    raw.row_factory = sqlite3.Row
    return raw


def tables(raw: Any) -> list[str]:
    """The names of all tables, in order, past the product."""
    listing = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1" if isinstance(raw, RawPostgres)
        else "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    )  # fmt: skip
    return [str(row[0]) for row in raw.execute(listing).fetchall()]


def without_triggers(raw: Any) -> None:
    """From now on this connection changes what triggers guard."""
    if isinstance(raw, RawPostgres):
        raw.execute("SET session_replication_role = replica")
        return
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")


def copy(path: Path, target: Path) -> None:
    """A whole copy of one database as it is takes the place of another; stores on `target` are closed meanwhile."""
    source = place(path)
    if isinstance(source, Path):
        for left in target.parent.glob(target.name + "*"):
            left.unlink()
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
        return
    into = place(target)
    assert isinstance(into, PostgresServer)
    with closing(RawPostgres(source, begins=True)) as old, closing(RawPostgres(into, begins=True)) as new:
        without_triggers(new)
        names = [name for name in tables(old) if name != "schema_version"]
        new.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        for name in names:
            new.fill(name, old)
        new.commit()
