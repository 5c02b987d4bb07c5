"""Opens the database, its signer and its emergency file, for the bot and for the commands on the host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.clock import Clock, SystemClock
from bot.decision_log.among_replicas import AmongReplicas
from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.failsafe_store import FailsafeStore
from bot.decision_log.follower import LeasedSigner
from bot.decision_log.held_commands import HeldCommands
from bot.decision_log.host_acts import HostActs
from bot.decision_log.keys import LOG_KEY, PERMIT_KEY, LogKey
from bot.decision_log.signer import Signer, remembered, signer_of
from bot.domain.case.transition import Transition
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import KeyFileError, SettingsError, StorageError
from bot.ports.database import PostgresServer
from bot.ports.records import SignedCheckpoint
from bot.ports.store import Store
from bot.settings import Settings
from storage.opening import migrate, open_database
from storage.sql_store import SqlStore
from storage.sqlite.lock import FileLock

REPLICA_ID = "replica.id"  # in STATE_DIR


@dataclass(frozen=True, slots=True)
class OpenLog:
    """`stoppable` is the store that everybody uses."""

    stoppable: FailsafeStore
    signer: Signer
    lock: FileLock
    emergency: EmergencyFile
    key: LogKey

    def host_acts(self, committed: Callable[[Transition], None]) -> HostActs:
        """Carries out what other hosts hand in; `committed` as in `HostActs`."""
        return HostActs(self.stoppable, self.stoppable.late, self.emergency, self.key.check, committed)

    @property
    def store(self) -> Store:
        """The same as the port that it implements."""
        return self.stoppable

    def close(self) -> None:
        """Closes the signer's lock; the store is closed by the code that opened it."""
        self.lock.close()


def own_replica(state_dir: Path) -> str:
    """The id under which a replica with this STATE_DIR serves; empty where none has served yet."""
    try:
        return (state_dir / REPLICA_ID).read_text().strip()
    except OSError:
        return ""


async def bring_up_to_date(settings: Settings) -> None:
    """Migrates the database. On SQLite it also begins the log, on PostgreSQL the first bot does: its STATE_DIR remembers it.

    Raises SettingsError, SchemaError, StorageError."""
    if isinstance(settings.database, PostgresServer):
        await migrate(settings.database, SystemClock())
    else:
        await (await open_store(settings)).close()


def require_keys(settings: Settings) -> None:
    """On PostgreSQL every replica signs with the same keys, so none is made in passing. Raises SettingsError."""
    missing = [name for name in (LOG_KEY, PERMIT_KEY) if not (settings.state_dir / name).is_file()]
    if missing and isinstance(settings.database, PostgresServer):
        raise SettingsError(
            f"COUNTERSIGN_STATE_DIR {settings.state_dir} has no {' and no '.join(missing)}: make the keys once with"
            " `countersign keys init` and mount the same ones on every replica."
        )


async def open_store(settings: Settings, clock: Clock | None = None) -> SqlStore:
    """The database: on SQLite migrated, on PostgreSQL of this program's version. Raises SettingsError, SchemaError."""
    require_keys(settings)
    return await open_database(
        settings.database, clock or SystemClock(), origin=settings.log_origin, state_dir=settings.state_dir
    )


async def cover(settings: Settings) -> SignedCheckpoint | LogFinding:
    """Signs on demand, also while a bot runs. Returns the checkpoint that covers everything committed, or the finding
    that keeps the signer from it.

    Keys are made before the first signature. Raises SettingsError, SchemaError, StorageError, KeyFileError.
    """
    store, lock = await open_store(settings), FileLock(settings.state_dir)
    try:
        return await signer_of(store.log, settings.state_dir, lock).cover()
    finally:
        lock.close()
        await store.close()


async def open_log(store: SqlStore, state_dir: Path, clock: Clock, among: AmongReplicas | None = None) -> OpenLog:
    """A replica that does not lead enters and signs nothing. Else: enters the emergency file, then signs what a killed process left unsigned.

    If the signer or the disk refuses, the log is stopped, which is no error here. Raises KeyFileError.
    """
    lock = FileLock(state_dir)
    try:
        signer = await asyncio.to_thread(signer_of, store.log, state_dir, lock)
        if among is not None:
            signer = LeasedSigner(store.log, state_dir, lock, among.may_call)
        key = LogKey(state_dir)
        emergency = EmergencyFile(state_dir, key.sign, key.check)
        await asyncio.to_thread(emergency.make_room)
        held = HeldCommands(state_dir, key.sign, key.check)
        stoppable = FailsafeStore(store, emergency, clock, lambda: signer.stopped, signer.cover, among, held)
        try:
            if among is None or among.leads():
                await signer.cover()
                await stoppable.look()
        except StorageError as error:
            stoppable.refused(error)
    except BaseException:
        lock.close()
        raise
    return OpenLog(stoppable, signer, lock, emergency, key)


async def log_findings(settings: Settings, clock: Clock) -> tuple[str, ...]:
    """The findings of `doctor` on the log, a sentence each. Signs and changes nothing. Raises SettingsError, SchemaError."""
    store = await open_database(settings.database, clock, read_only=True)
    try:
        found = await remembered(store.log, settings.state_dir)
        refused = (
            (f"The decision log is stopped, and nothing is given: {found.text}",) if isinstance(found, LogFinding) else ()
        )
        kept = looking(store, settings.state_dir, clock)
        return (*refused, *(kept.findings() if isinstance(kept, FailsafeStore) else ()))
    finally:
        await store.close()


async def quarantine_findings(settings: Settings, clock: Clock) -> tuple[str, ...]:
    """The finding of `doctor` on rows of the inbox that could not be read. Raises SettingsError, SchemaError."""
    store = await open_database(settings.database, clock, read_only=True)
    try:
        return (await store.overview.lateness(clock.now())).quarantine()
    finally:
        await store.close()


def looking(store: SqlStore, state_dir: Path, clock: Clock) -> Store:
    """The store for reading only, with the revocations of the emergency file applied. Signs nothing."""
    try:
        key = LogKey(state_dir)
    except KeyFileError:
        return store  # no key in this folder ever signed

    async def nobody() -> LogFinding:
        return LogFinding("checkpoint", None, "Here nothing is signed.")

    return FailsafeStore(store, EmergencyFile(state_dir, key.sign, key.check), clock, lambda: None, nobody)
