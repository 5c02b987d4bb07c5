"""`bot.ports.store.Store` on SQLite: one connection writes in groups, another reads beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.clock import Clock
from bot.decision_log import signer_memory
from bot.domain.case.model import Case
from bot.domain.case.transition import SYSTEM, LogEvent, Notification, Transition
from bot.domain.errors import SettingsError, StorageError
from bot.domain.failsafe.clock_jump import Mark
from bot.domain.policy.people import Person
from bot.domain.workflow.absence import Absent
from bot.domain.workflow.autonomous_rights import Used
from bot.ports.commands import Command
from bot.ports.store import (
    Backlog,
    BreakGlassUsage,
    CachedCalendar,
    Deadline,
    DecidedFor,
    Due,
    FilingLimits,
    InboxRow,
    Lateness,
    MessageCopy,
    OutboxRow,
    RequestLine,
    StoredPolicy,
    SystemCase,
)
from storage.cases import history, overview, reads
from storage.cases.commit import carry_out, write
from storage.cases.group_commit import Group
from storage.log import clock_mark as time_mark
from storage.log import tiles
from storage.log.append import Ledger
from storage.policy import calendar_cache, policies
from storage.queues import inbox, outbox
from storage.session import Session
from storage.sqlite import schema
from storage.sqlite.driver import SqliteDatabase, SqliteSession, rebuild, shed
from storage.sqlite.lock import FileLock
from storage.stores.anchors import AnchorStore
from storage.stores.epochs import EpochStore
from storage.stores.executor_calls import CallStore
from storage.stores.homes import HomeStore
from storage.stores.log import LogStore
from storage.stores.operator import OperatorRowStore
from storage.transaction import Tx
from storage.values import ms

T = TypeVar("T")
_ORIGIN = re.compile(r"[^\s+]{1,200}")


class SqliteStore(LogStore, HomeStore, OperatorRowStore, AnchorStore, EpochStore, CallStore):
    """Made by `open`; `close` it. With `read_only` every writing method raises StorageError."""

    def __init__(self, reader: SqliteDatabase, writer: SqliteDatabase | None, clock: Clock, lock: FileLock | None) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._lock = lock
        self._group = None if writer is None else Group(writer, clock, lock or nullcontext())

    @classmethod
    async def open(
        cls,
        path: Path | str,
        clock: Clock,
        origin: str | None = None,
        state_dir: Path | str | None = None,
        *,
        read_only: bool = False,
    ) -> SqliteStore:
        """Opens the database, brings its schema up to date and begins its log if it has none.

        `origin` is the log's name (COUNTERSIGN_LOG_ORIGIN); `state_dir` holds the lock that commits take, without it none
        is taken. Raises SchemaError, SettingsError (the log has another origin), StorageError (the file).
        """
        file = Path(path)
        if read_only:
            return cls(await _reader(file), None, clock, None)
        lock = None if state_dir is None else FileLock(Path(state_dir))
        writer = None
        try:
            writer = await SqliteDatabase.open(file)
            await writer.run(
                partial(
                    _begin,
                    clock=clock,
                    origin=origin,
                    lock=lock or nullcontext(),
                    state_dir=None if state_dir is None else Path(state_dir),
                )
            )
            return cls(await _reader(file), writer, clock, lock)
        except BaseException:
            if writer is not None:
                await writer.close()
            if lock is not None:
                lock.close()
            raise

    async def close(self) -> None:
        """After everything under way is committed."""
        if self._group is not None:
            await self._group.drained()
        await self._reader.close()
        if self._writer is not None:
            await self._writer.close()
        if self._lock is not None:
            self._lock.close()

    def halt(self, why: str) -> None:
        """From now on every entry raises Stopped: the signer refuses this log. The empty string lets it go on."""
        if self._group is not None:
            self._group.halted = why

    # ── acts ──

    async def commit(self, act: Transition) -> Case | None:
        return await self._write(lambda tx: carry_out(tx, act))

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        return await self._writing().run_each([partial(write, act=act) for act in acts])

    # ── cases ──

    async def case(self, case_id: str) -> Case | None:
        return await self._read(lambda session: reads.case(session, case_id))

    async def due(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Deadline]:
        return await self._read(lambda session: reads.due(session, now, limit, after))

    async def due_cases(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Due]:
        return await self._read(lambda session: reads.due_cases(session, now, limit, after))

    async def wake_on_call(self, now: datetime) -> None:
        await self._write(lambda tx: tx.session.run("wake_on_call", now=ms(now)))

    async def matters(self) -> Sequence[SystemCase]:
        return await self._read(overview.matters)

    async def uses(self, provider: str, runbook: str, since: datetime) -> Used:
        return await self._read(lambda session: history.uses(session, provider, runbook, since))

    async def autonomous_since(self, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.autonomous_since(session, domains, since, limit))

    async def glass_debt(self, provider: str, domain: str, now: datetime, since: datetime) -> BreakGlassUsage:
        return await self._read(lambda session: history.glass_debt(session, provider, domain, now, since))

    async def brakes(
        self,
        requester: Person,
        domain: str,
        provider: str,
        runbook: str,
        target: str,
        now: datetime,
        *,
        denied_within: timedelta = timedelta(hours=24),
        expired_within: timedelta = timedelta(hours=2),
        week: timedelta = timedelta(days=7),
        also: Collection[str] = (),
    ) -> FilingLimits:
        plan = history.Plan(tuple(dict.fromkeys((requester.user, *also))), domain, provider, runbook, target)
        windows = history.Windows(denied_within, expired_within, week)
        return await self._read(lambda session: history.brakes(session, plan, now, windows))

    async def open_cases(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.open_cases(session, domains, providers, limit))

    async def absences(self, now: datetime) -> Mapping[Person, datetime]:
        return await self._read(lambda session: reads.absences(session, now))

    async def absence(self, person: Person) -> Absent | None:
        return await self._read(lambda session: reads.absence(session, person))

    async def absences_over(self, now: datetime) -> Sequence[Person]:
        return await self._read(lambda session: reads.absences_over(session, now))

    async def decided_for(self, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
        return await self._read(lambda session: reads.decided_for(session, person, since, until))

    async def with_open_asks(self, domain: str, limit: int) -> Sequence[str]:
        return await self._read(lambda session: reads.with_open_asks(session, domain, limit))

    async def cases_of(self, requester: Person, limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.cases_of(session, requester, limit))

    async def waiting_for(self, person: Person, limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.waiting_for(session, person, limit))

    async def owing_of(self, provider: str, limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.owing_of(session, provider, limit))

    async def exceptions(self, limit: int, *, ended_too: bool = True) -> Sequence[Case]:
        return await self._read(lambda session: reads.exceptions(session, limit, ended_too=ended_too))

    # ── inbox ──

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        text = inbox.to_text(act)
        return await self._write(lambda tx: inbox.take_in(tx.session, key, text, answer, tx.now))

    async def inbox(self, limit: int) -> Sequence[InboxRow]:
        now = self._clock.now()
        return await self._read(lambda session: inbox.unfinished(session, now, limit))

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        await self._write(lambda tx: inbox.put_off(tx.session, inbox_id, until))

    # ── outbox ──

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        if not await self._read(lambda session: outbox.something_to_lease(session, now, pages=pages)):
            return ()
        return await self._write(lambda tx: outbox.lease(tx.session, now, until, limit, pages=pages))

    async def free_leases(self) -> None:
        """What a killed process had taken to say, or to tell executors, is free again. Only for the process that speaks, at its start."""
        await self._write(lambda tx: _free_leases(tx.session))

    async def slack_is_back(self, now: datetime) -> None:
        await self._write(lambda tx: tx.session.run("slack_is_back", now=ms(now)))

    async def release(self, outgoing: OutboxRow, not_before: datetime, error: str) -> None:
        await self._write(lambda tx: outbox.release(tx.session, outgoing, not_before, error, tx.now))

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        def work(tx: Tx) -> None:
            outbox.sent(tx.session, outgoing, channel, ts, drawn, tx.now, plain=plain)
            tx.log(entries)

        await self._write(work)

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        def work(tx: Tx) -> None:
            outbox.undeliverable(tx.session, outgoing, error, tx.now)
            tx.log(entries)

        await self._write(work)

    async def copies(self, case_id: str) -> Sequence[MessageCopy]:
        return await self._read(lambda session: outbox.copies(session, case_id))

    # ── policy ──

    async def accept_policy(
        self,
        policy: StoredPolicy,
        entries: Sequence[LogEvent],
        says: Sequence[Notification] = (),
        *,
        replaced_binds_until: datetime | None = None,
    ) -> None:
        def work(tx: Tx) -> None:
            policies.accept(tx.session, policy, replaced_binds_until)
            tx.log(entries)
            for say in says:
                outbox.put(tx.session, say, tx.now)

        await self._write(work)

    async def binding_policies(self, now: datetime) -> Sequence[StoredPolicy]:
        return await self._read(lambda session: policies.binding(session, now))

    async def last_policy(self) -> StoredPolicy | None:
        return await self._read(policies.last)

    async def policy_files(self, digest: str) -> StoredPolicy | None:
        return await self._read(lambda session: policies.by_digest(session, digest))

    async def file_by_hash(self, sha256: str) -> bytes | None:
        return await self._read(lambda session: policies.file_by_hash(session, sha256))

    async def kept_feeds(self) -> Mapping[str, CachedCalendar]:
        return await self._read(calendar_cache.kept)

    async def keep_feed(self, address: str, feed: CachedCalendar, since: datetime) -> None:
        await self._write(lambda tx: calendar_cache.keep(tx.session, address, feed, since))

    # ── time ──

    async def time_mark(self) -> Mark | None:
        return await self._read(time_mark.read)

    async def keep_time(self, mark: Mark, entries: Sequence[LogEvent] = ()) -> None:
        def work(tx: Tx) -> None:
            tx.log(entries)
            time_mark.keep(tx.session, mark)

        await self._write(work)

    async def wish_time_accepted(self) -> bool:
        return await self._write(lambda tx: time_mark.wish(tx.session))

    async def time_wished(self) -> bool:
        return await self._read(lambda session: time_mark.wished(session))

    async def accept_time(self, accept: Callable[[], Mark], entry: LogEvent) -> None:
        def work(tx: Tx) -> None:
            tx.log([entry])
            time_mark.lift(tx.session, tx.now, accept())

        await self._write(work)

    # ── what an operator watches ──

    async def backlog(self, now: datetime) -> Backlog:
        return await self._read(lambda session: overview.backlog(session, now))

    async def lateness(self, before: datetime) -> Lateness:
        return await self._read(lambda session: overview.lateness(session, before))

    async def prove_writable(self) -> None:
        await self._write(lambda tx: overview.prove_writable(tx.session))

    async def running_drill(self, runbook: str) -> str | None:
        return await self._read(lambda session: overview.running_drill(session, runbook))

    async def requests(self, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
        return await self._read(lambda session: overview.requests(session, limit, closed_too=closed_too))

    async def log_file(self, name: str) -> bytes | None:
        return await self._read(lambda session: tiles.file(session, name))

    async def shed(self) -> bool:
        """Empties the write-ahead log, which holds what was overwritten; False where a reader still needs it."""
        if self._writer is None:
            raise StorageError("The database is opened for reading only.")
        return await self._writer.run(shed)

    async def rebuild(self) -> bool:
        """Writes the database anew, so that no page holds what was deleted; False where a reader still needs the old one."""
        if self._writer is None:
            raise StorageError("The database is opened for reading only.")
        return await self._writer.run(rebuild)

    async def _write(self, work: Callable[[Tx], T]) -> T:
        return await self._writing().run(work)

    def _writing(self) -> Group:
        if self._group is None:
            raise StorageError("The database is opened for reading only.")
        return self._group

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await self._reader.run(lambda session: _snapshot(session, work))


def _free_leases(session: Session) -> None:
    outbox.free_leases(session)
    session.run("free_calls")


def _snapshot(session: Session, work: Callable[[Session], T]) -> T:
    """All statements of a read see one moment."""
    session.begin(write=False)
    try:
        return work(session)
    finally:
        session.rollback()


async def _reader(file: Path) -> SqliteDatabase:
    reader = await SqliteDatabase.open(file, writable=False)
    try:
        await reader.run(schema.check)
    except BaseException:
        await reader.close()
        raise
    return reader


def _begin(
    session: SqliteSession, *, clock: Clock, origin: str | None, lock: AbstractContextManager[None], state_dir: Path | None
) -> None:
    """Schema, and entry 0 of a log that has none."""
    if origin is not None and not _ORIGIN.fullmatch(origin):
        raise SettingsError("COUNTERSIGN_LOG_ORIGIN is a name without blanks and plus signs, such as example.org/log.")
    with lock:
        schema.migrate(session, ms(clock.now()))
        session.begin(write=True)
        try:
            _open_log(session, clock, origin, state_dir)
            session.commit()
        except BaseException:
            session.rollback()
            raise


def _open_log(session: Session, clock: Clock, origin: str | None, state_dir: Path | None) -> None:
    row = session.row("log_head")
    if row is None:
        name = origin or f"countersign.local/{clock.salt()[:4].hex()}"
        if state_dir is not None:
            signer_memory.begin(state_dir, name)
        session.run("open_log", origin=name, edge=b"")
        ledger = Ledger(session, clock)
        ledger.append(LogEvent("log.opened", SYSTEM), clock.now())
        ledger.flush()
    elif origin is not None and not re.fullmatch(re.escape(origin) + r"(\.\d+)?", row["origin"]):
        raise SettingsError(
            f"The log's origin is {row['origin']} and stays so; COUNTERSIGN_LOG_ORIGIN says {origin}. Correct the setting."
        )
