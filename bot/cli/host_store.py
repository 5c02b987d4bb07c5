"""Shared by commands on the host: access to the running bot's database and to its policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.errors import misused
from bot.clock import Clock, SystemClock
from bot.domain.policy.model import Policy
from bot.logs import aside
from bot.ports.database import PostgresServer, may_exist

if TYPE_CHECKING:
    from bot.ports.records import StoredPolicy
    from bot.ports.store import Store
    from storage.sql_store import SqlStore


@asynccontextmanager
async def opened_store(*, read_only: bool) -> AsyncIterator[Store]:
    """Opens the configured database; exits with 2 if there is none. While the log is stopped it still revokes, and reads see
    the revocations of the emergency file."""
    from bot.runtime.open_log import looking, open_log, require_keys
    from bot.settings import load
    from storage.opening import open_database

    aside()
    settings = load()
    path = settings.database
    if not may_exist(path):
        misused(f"There is no database at {path}. Set COUNTERSIGN_DATABASE_URL as for the bot.")
    if not read_only:
        require_keys(settings)
    clock = SystemClock()
    store = await open_database(
        path, clock, settings.log_origin, None if read_only else settings.state_dir, read_only=read_only
    )
    try:
        if read_only:
            yield looking(store, settings.state_dir, clock)
            return
        if isinstance(path, PostgresServer):
            yield _through_leader(store, settings.state_dir, clock)
            return
        standing = await open_log(store, settings.state_dir, clock)
        try:
            yield standing.store
        finally:
            standing.close()
    finally:
        await store.close()


def _through_leader(store: SqlStore, state_dir: Path, clock: Clock) -> Store:
    from bot.decision_log.emergency_file import EmergencyFile
    from bot.decision_log.keys import LogKey
    from bot.runtime.open_log import looking
    from bot.runtime.through_leader import ThroughLeader
    from storage.postgres.replicas import listed

    async def alive() -> bool:
        return any(one.alive for one in await store.transactions.read(listed))

    key = LogKey(state_dir)
    emergency = EmergencyFile(state_dir, key.sign, key.check)
    return ThroughLeader(looking(store, state_dir, clock), key, emergency, clock, alive)


def read_policy(stored: StoredPolicy) -> Policy | None:
    """An accepted set; None where this release does not read it any more."""
    from runbooks.loader import load_files

    return load_files({file.path: file.content for file in stored.files}).policy


async def accepted_policy(store: Store) -> Policy | None:
    """The policy that the bot accepted last, from the database; the folder may have changed since."""
    stored = await store.policies.last()
    policy = None if stored is None else read_policy(stored)
    return None if policy is None else policy.on(SystemClock().now().date())
