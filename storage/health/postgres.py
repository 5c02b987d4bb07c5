"""A look at the server that changes nothing: could this program serve from it, and what could a failover lose?"""

from __future__ import annotations

from bot.diagnostics import Diagnosis, error, warning
from bot.domain.errors import SchemaError, StorageError
from bot.domain.failsafe import clock_jump
from bot.ports.database import PostgresServer
from storage.log import clock_mark
from storage.migration_list import migrations
from storage.postgres import schema
from storage.postgres.driver import PostgresDatabase, PostgresSession
from storage.postgres.pooling import prove_own_sessions


async def examine(server: PostgresServer) -> list[Diagnosis]:
    """An error where this program could not serve, or a failover could lose entries. Raises SettingsError (a pooler)."""
    try:
        database, other = await PostgresDatabase.open(server.url), await PostgresDatabase.open(server.url)
    except StorageError as failure:
        return [error("database", f"The database {server} cannot be used: {failure}")]
    try:
        await database.run(lambda session: prove_own_sessions(session, other.session))
        return await database.run(_inside)
    except (StorageError, SchemaError) as failure:
        return [error("database", f"The database {server} cannot be used: {failure}")]
    finally:
        await database.close()
        await other.close()


def _inside(session: PostgresSession) -> list[Diagnosis]:
    if schema.version(session) < len(migrations()):
        return [warning("database", f"The schema is of version {schema.version(session)}: run `countersign migrate`.")]
    schema.check(session)
    mark = clock_mark.read(session)
    jump = [] if mark is None or mark.jump is None else [error("clock", clock_jump.finding(mark.jump))]
    return [*jump, *_standbys(session)]


def _standbys(session: PostgresSession) -> list[Diagnosis]:
    """A standby that receives a commit after it was acknowledged may come up without the newest entries, and the log forks there."""
    row = session.raw.execute("SELECT pg_has_role(current_user, 'pg_monitor', 'USAGE') AS sees").fetchone()
    if row is None or not row["sees"]:
        text = "This account cannot see whether the database's standby is synchronous: GRANT pg_monitor TO it."
        return [warning("database", text)]
    states = [r["sync_state"] for r in session.raw.execute("SELECT sync_state FROM pg_stat_replication").fetchall()]
    if states and not {"sync", "quorum"} & set(states):
        text = (
            "The database's standby is asynchronous: after a failover to it the newest entries could be missing, and the log"
            " would fork from what was signed. Set synchronous_standby_names."
        )
        return [error("database", text)]
    return []
