"""Opens the store on PostgreSQL: one connection writes in groups, another reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.clock import Clock
from bot.ports.database import PostgresServer
from storage.log.beginning import begin_log, check_origin
from storage.postgres import schema
from storage.postgres.driver import PostgresDatabase, PostgresSession
from storage.postgres.pooling import prove_own_sessions
from storage.postgres.replicas import Replicas
from storage.postgres.upkeep import PostgresUpkeep
from storage.postgres.wakeups import Wakeups
from storage.sql_store import SqlStore
from storage.transactions import Transactions
from storage.values import ms

T = TypeVar("T")


class PostgresStore(SqlStore):
    """The store on a PostgreSQL server, made by `open`."""

    _server: PostgresServer
    _writer: PostgresDatabase
    _clock: Clock
    _control: PostgresDatabase | None = None  # heartbeats, concurrently with other work

    @classmethod
    async def open(
        cls,
        server: PostgresServer,
        clock: Clock,
        origin: str | None = None,
        state_dir: Path | str | None = None,
        *,
        read_only: bool = False,
    ) -> PostgresStore:
        """Connects, checks the schema and begins the log if there is none. `close` it after use.

        Raises SchemaError where `migrate` is needed or the database is newer, SettingsError (another origin, or a pooler that
        pools by transaction), StorageError (the server).
        """
        check_origin(origin)
        reader = await PostgresDatabase.open(server.url)
        writer = intake = None
        try:
            await reader.run(schema.check)
            if read_only:
                return cls(Transactions(reader, None, clock), clock, None, schema.check)
            writer = await PostgresDatabase.open(server.url)
            intake = await PostgresDatabase.open(server.url, judges=False)
            await writer.run(partial(prove_own_sessions, reader.session))
            folder = None if state_dir is None else Path(state_dir)
            await writer.run(partial(_begin, clock=clock, origin=origin, state_dir=folder))
            incoming = Transactions(reader, intake, clock)
            store = cls(Transactions(reader, writer, clock), clock, PostgresUpkeep(writer), schema.check, incoming)
            store._server, store._writer, store._clock = server, writer, clock
            return store
        except BaseException:
            for database in (reader, writer, intake):
                if database is not None:
                    await database.close()
            raise

    async def replicas(self, replica: str) -> Replicas:
        """This process as one of several: from now on it judges only while it leads. Raises StorageError."""
        self._control = await PostgresDatabase.open(self._server.url, judges=False)
        return Replicas(self._control, self._writer.session, replica, self._clock)

    def wakeups(self, wake: Callable[[], None]) -> Wakeups:
        """Calls `wake` for whatever any replica takes in, once it is started."""
        return Wakeups(self._server, wake)

    async def close(self) -> None:
        if self._control is not None:
            await self._control.close()
        if self.intake is not self.transactions:
            await self.intake.close()
        await super().close()


async def migrate(server: PostgresServer, clock: Clock) -> int:
    """Brings the schema up to date; returns its version. Raises SchemaError, StorageError."""
    return await _once(server, lambda session: schema.migrate(session, ms(clock.now())))


async def _once(server: PostgresServer, work: Callable[[PostgresSession], T]) -> T:
    database = await PostgresDatabase.open(server.url)
    try:
        return await database.run(work)
    finally:
        await database.close()


def _begin(session: PostgresSession, *, clock: Clock, origin: str | None, state_dir: Path | None) -> None:
    session.begin(write=True)
    try:
        session.raw.execute("LOCK TABLE log_head IN EXCLUSIVE MODE")  # two that begin at once make one log
        begin_log(session, clock, origin, state_dir)
        session.commit()
    except BaseException:
        session.rollback()
        raise
