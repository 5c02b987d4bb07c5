"""Opens the store on SQLite: one connection writes in groups, another reads."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from bot.clock import Clock
from bot.domain.errors import DiskRefuses
from storage.log.beginning import begin_log, check_origin
from storage.sql_store import SqlStore
from storage.sqlite import room, schema
from storage.sqlite.driver import SqliteDatabase, SqliteSession
from storage.sqlite.lock import FileLock
from storage.sqlite.upkeep import SqliteUpkeep
from storage.transactions import Transactions
from storage.values import ms


class SqliteStore(SqlStore):
    """The store on a SQLite file, made by `open`."""

    _lock: FileLock | None = None
    _file: Path | None = None  # None in a store for reading only

    @classmethod
    async def open(
        cls,
        path: Path | str,
        clock: Clock,
        origin: str | None = None,
        state_dir: Path | str | None = None,
        *,
        read_only: bool = False,
    ) -> SqliteStore:
        """Opens the database, brings its schema up to date and begins its log if it has none. `close` it after use.

        `origin` is the log's name (COUNTERSIGN_LOG_ORIGIN); `state_dir` holds the lock that commits take; without
        it they take none. With `read_only` every write raises StorageError. Raises SchemaError, SettingsError (the log has another origin), StorageError (the file).
        """
        file, state = Path(path), None if state_dir is None else Path(state_dir)
        opening = partial(cls._for_reading, file, clock) if read_only else partial(cls._opened, file, clock, origin, state)
        try:
            return await opening()
        except DiskRefuses:
            if not room.give_back(file):
                raise
        return await opening()

    @classmethod
    async def _for_reading(cls, file: Path, clock: Clock) -> SqliteStore:
        return cls(Transactions(await _reader(file), None, clock), clock, None, schema.check)

    @classmethod
    async def _opened(cls, file: Path, clock: Clock, origin: str | None, state_dir: Path | None) -> SqliteStore:
        lock = None if state_dir is None else FileLock(state_dir)
        writer = None
        try:
            writer = await SqliteDatabase.open(file)
            await writer.run(partial(_begin, clock=clock, origin=origin, lock=lock or nullcontext(), state_dir=state_dir))
            reader = await _reader(file)
            store = cls(Transactions(reader, writer, clock, lock), clock, SqliteUpkeep(writer), schema.check)
            store._lock, store._file = lock, file
            room.keep(file)
            return store
        except BaseException:
            if writer is not None:
                await writer.close()
            if lock is not None:
                lock.close()
            raise

    async def close(self) -> None:
        await super().close()
        if self._file is not None:
            room.keep(self._file)
        if self._lock is not None:
            self._lock.close()


async def _reader(file: Path) -> SqliteDatabase:
    reader = await SqliteDatabase.open(file, writable=False)
    try:
        await reader.run(schema.check)
    except BaseException:
        await reader.close()
        raise
    return reader


def _begin(
    session: SqliteSession, *, clock: Clock, origin: str | None, lock: AbstractContextManager[None], state_dir: Path | None
) -> None:
    """Schema, and entry 0 of a log that has none."""
    check_origin(origin)
    with lock:
        schema.migrate(session, ms(clock.now()))
        session.begin(write=True)
        try:
            begin_log(session, clock, origin, state_dir)
            session.commit()
        except BaseException:
            session.rollback()
            raise
