"""A pooler that pools by transaction is refused."""

from __future__ import annotations

import pytest

from bot.domain.errors import SettingsError
from bot.ports.database import PostgresServer
from storage.postgres.driver import PostgresSession
from storage.postgres.pooling import prove_own_sessions


def test_connections_with_sessions_of_their_own_pass(postgres_database: PostgresServer) -> None:
    one, other = PostgresSession(postgres_database.url), PostgresSession(postgres_database.url)
    with one.raw, other.raw:
        prove_own_sessions(one, other)
        served = {str(session.raw.execute(b"SELECT pg_backend_pid()").fetchone()) for session in (one, other)}
    assert len(served) == 2


def test_two_connections_on_one_session_are_refused(postgres_database: PostgresServer) -> None:
    """As PgBouncer's transaction mode serves them while nobody else is there."""
    one, other = PostgresSession(postgres_database.url), PostgresSession(postgres_database.url)
    other.raw.close()
    with one.raw:
        other.raw = one.raw
        with pytest.raises(SettingsError, match="pools by transaction"):
            prove_own_sessions(one, other)


def test_a_connection_that_another_session_serves_in_between_is_refused(postgres_database: PostgresServer) -> None:
    """As PgBouncer serves them while the session is in somebody's transaction."""
    one, other, third = (PostgresSession(postgres_database.url) for _ in range(3))
    with one.raw as first, other.raw, third.raw as second:

        class Pooled(PostgresSession):
            def __init__(self) -> None:
                pass

            @property
            def raw(self):  # type: ignore[no-untyped-def,override]
                return second if other.in_transaction else first

        with pytest.raises(SettingsError, match="pools by transaction"):
            prove_own_sessions(Pooled(), other)
