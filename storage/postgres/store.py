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
from storage.postgres.upkeep import PostgresUpkeep
from storage.sql_store import SqlStore
from storage.transactions import Transactions
from storage.values import ms

T = TypeVar("T")


class PostgresStore(SqlStore):
    """The store on a PostgreSQL server, made by `open`."""

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
        writer = None
        try:
            await reader.run(schema.check)
            if read_only:
                return cls(Transactions(reader, None, clock), clock, None, schema.check)
            writer = await PostgresDatabase.open(server.url)
            prove = partial(prove_own_sessions, reader.session)
            await writer.run(prove)
            folder = None if state_dir is None else Path(state_dir)
            await writer.run(partial(_begin, clock=clock, origin=origin, state_dir=folder))
            return cls(Transactions(reader, writer, clock), clock, PostgresUpkeep(writer), schema.check)
        except BaseException:
            await reader.close()
            if writer is not None:
                await writer.close()
            raise


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
