"""Opens whatever database COUNTERSIGN_DATABASE_URL names. psycopg is imported only where it is PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from bot.clock import Clock
from bot.diagnostics import Diagnosis
from bot.ports.database import Location, PostgresServer
from storage.health import sqlite as sqlite_health
from storage.snapshot import need_psycopg
from storage.sql_store import SqlStore
from storage.store import SqliteStore
from storage.values import ms


async def open_database(
    place: Location,
    clock: Clock,
    origin: str | None = None,
    state_dir: Path | str | None = None,
    *,
    read_only: bool = False,
) -> SqlStore:
    """As `SqliteStore.open` and `PostgresStore.open`. Raises SettingsError also where psycopg is not installed."""
    if isinstance(place, Path):
        return await SqliteStore.open(place, clock, origin, state_dir, read_only=read_only)
    need_psycopg()
    from storage.postgres_store import PostgresStore

    return await PostgresStore.open(place, clock, origin, state_dir, read_only=read_only)


async def migrate(place: Location, clock: Clock) -> None:
    """Brings the schema up to date. Raises SchemaError, SettingsError, StorageError."""
    if isinstance(place, Path):
        await (await SqliteStore.open(place, clock)).close()
        return
    need_psycopg()
    from storage.postgres_store import migrate as migrate_postgres

    await migrate_postgres(place, clock)


def move_to_postgres(source: Path, target: PostgresServer, clock: Clock) -> dict[str, int]:
    """As `storage.postgres.moving.move`. Raises SettingsError also where psycopg is not installed."""
    need_psycopg()
    from storage.postgres.moving import move

    return move(source, target, ms(clock.now()))


async def examine(place: Location) -> list[Diagnosis]:
    """The reason why this database cannot be served from. Changes nothing. Raises SettingsError."""
    if isinstance(place, Path):
        return await sqlite_health.examine(place)
    need_psycopg()
    from storage.health.postgres import examine as examine_postgres

    return await examine_postgres(place)
