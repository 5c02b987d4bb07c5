"""A read-only look at a PostgreSQL database on a connection of its own, for callers without an event loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bot.ports.database import PostgresServer
from storage.postgres import schema
from storage.postgres.driver import PostgresSession
from storage.postgres.errors import explained
from storage.session import Session


@contextmanager
def snapshot(server: PostgresServer) -> Iterator[Session]:
    """A session whose statements all read the state of one moment. Raises StorageError, SchemaError."""
    try:
        session = PostgresSession(server.url)
        with session.raw:
            schema.check(session)
            session.begin(write=False)
            yield session
            session.rollback()
    except psycopg.Error as error:
        raise explained(error) from error
