"""Proves that each of our connections has a session of its own on the server.

A pooler that pools by transaction (PgBouncer's `transaction` mode) gives one server session to many connections. Then locks
of a session, LISTEN and prepared statements mean nothing, and a leader could not be distinguished from a standby.
"""

from __future__ import annotations

from bot.domain.errors import SettingsError
from storage.postgres.driver import PostgresSession

_ROUNDS = 3


def prove_own_sessions(one: PostgresSession, other: PostgresSession) -> None:
    """Raises SettingsError where two open connections were ever served by one session, or one of them by two."""
    seen: set[tuple[int, int]] = set()
    for _ in range(_ROUNDS):
        seen.add((_pid(one), _pid(other)))
        other.begin(write=False)  # holds the session that the pooler would give out next
        try:
            seen.add((_pid(one), _pid(other)))
        finally:
            other.rollback()
    if len(seen) != 1 or any(first == second for first, second in seen):
        raise SettingsError(
            "COUNTERSIGN_DATABASE_URL leads to a pooler that pools by transaction. Countersign needs a session of its own:"
            " connect to PostgreSQL directly, or set pool_mode = session for this database."
        )


def _pid(session: PostgresSession) -> int:
    row = session.raw.execute("SELECT pg_backend_pid() AS pid").fetchone()
    assert row is not None
    return int(row["pid"])
