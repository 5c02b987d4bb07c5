"""The transactions of one store: reads on one connection, writes in groups on another.

Group commit: acts that arrive together share one transaction, and one wait for the disk.

An act that fails undoes only itself, and its error goes to its own caller: the transaction is undone and run again with each act
in a savepoint, which few groups need. No caller learns of success before the commit. If the commit fails, every caller of the group gets that error, also those whose act was refused, because
the state that refused them was never stored.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from bot.clock import Clock
from bot.domain.case.transition import LogEvent
from bot.domain.errors import EntryError, Stopped, StorageError
from storage.log.append import Ledger
from storage.session import Database, Lasting, Session

T = TypeVar("T")
GROUP = 100  # acts in one transaction at most


@dataclass(frozen=True, slots=True)
class Tx:
    """The session and the log of one act. `now` was read after the transaction had begun."""

    session: Session
    ledger: Ledger
    now: datetime
    clock: Clock
    halted: str = ""  # why the log takes nothing

    def log(self, entries: Sequence[LogEvent]) -> None:
        """Appends entries. Raises EntryError, and Stopped while the signer refuses this log."""
        if entries and self.halted:
            raise Stopped(self.halted)
        for draft in entries:
            self.ledger.append(draft, self.now)


class Transactions:
    """Without a `writer`, every write raises StorageError. `lock` is held during each writing transaction."""

    def __init__(
        self, reader: Database, writer: Database | None, clock: Clock, lock: AbstractContextManager[None] | None = None
    ) -> None:
        self.reader, self.writer = reader, writer
        self.timed: Callable[[str, float], None] = lambda *_: None  # with `read` or `write`, and seconds
        self._clock = clock
        self.group = None if writer is None else Group(writer, clock, lock or nullcontext())

    async def read(self, work: Callable[[Session], T]) -> T:
        """Returns what `work` returns; all its statements read the state of one moment."""
        with self._timing("read"):
            return await self.reader.run(lambda session: _snapshot(session, work))

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Returns what `work` returns once that is committed; raises its error if it failed."""
        with self._timing("write"):
            return await self._writing().run(work)

    async def write_each(self, works: Sequence[Callable[[Tx], T]]) -> Sequence[T | Exception]:
        """The same for many at once: results and errors in their places."""
        with self._timing("write"):
            return await self._writing().run_each(works)

    @contextmanager
    def _timing(self, operation: str) -> Iterator[None]:
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self.timed(operation, self._clock.monotonic() - began)

    def halt(self, why: str) -> None:
        """From now on every log entry raises Stopped with this reason; the empty string ends that."""
        if self.group is not None:
            self.group.halted = why

    async def close(self) -> None:
        """Closes after everything under way is committed."""
        if self.group is not None:
            await self.group.drained()
        await self.reader.close()
        if self.writer is not None:
            await self.writer.close()

    def _writing(self) -> Group:
        if self.group is None:
            raise StorageError("The database is opened for reading only.")
        return self.group


def _snapshot(session: Session, work: Callable[[Session], T]) -> T:
    session.begin(write=False)
    try:
        return work(session)
    finally:
        session.rollback()  # it read only


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Slot:
    """Calls `heard` on the event loop with the result."""

    work: Callable[[Tx], Any]
    heard: Callable[[_Outcome], None]


_Outcomes = list[tuple[_Slot, _Outcome]]


class Group:
    """Queues writing work and runs it in groups on the database's thread."""

    def __init__(self, database: Database, clock: Clock, lock: AbstractContextManager[None]) -> None:
        self._database = database
        self._clock = clock
        self._lock = lock
        self.halted = ""  # why the log takes nothing; set by the signer when it refuses
        self._waiting: deque[_Slot] = deque()
        self._under_way: asyncio.Future[_Outcomes] | None = None

    async def run(self, work: Callable[[Tx], T]) -> T:
        """What `work` returns once it is committed; its error if it failed. A cancelled caller waits for the end."""
        future = Lasting[T](loop=asyncio.get_running_loop())

        def heard(outcome: _Outcome) -> None:
            if outcome.error is None:
                future.set_result(outcome.result)
            else:
                future.set_exception(outcome.error)

        self._waiting.append(_Slot(work, heard))
        self._pump()
        return await future

    async def run_each(self, works: Sequence[Callable[[Tx], T]]) -> list[T | Exception]:
        """The same for many at once, which costs the event loop one turn and not one for each: results and errors in
        their places. What stops the program is raised."""
        if not works:
            return []
        whole = Lasting[None](loop=asyncio.get_running_loop())
        outcomes: list[_Outcome] = [_Outcome()] * len(works)
        left = len(works)

        def hearing(place: int) -> Callable[[_Outcome], None]:
            def heard(outcome: _Outcome) -> None:
                nonlocal left
                outcomes[place], left = outcome, left - 1
                if not left:
                    whole.set_result(None)

            return heard

        self._waiting.extend(_Slot(work, hearing(place)) for place, work in enumerate(works))
        self._pump()
        await whole
        return [_result(outcome) for outcome in outcomes]

    async def drained(self) -> None:
        """When nothing waits or runs any more."""
        while self._under_way is not None:
            await asyncio.wait({self._under_way})
            await asyncio.sleep(0)  # lets _deliver run

    def _pump(self) -> None:
        if self._under_way is None and self._waiting:
            self._under_way = self._database.start(self._together)
            self._under_way.add_done_callback(self._deliver)

    def _deliver(self, done: asyncio.Future[_Outcomes]) -> None:
        self._under_way = None
        if (fault := done.exception()) is not None:
            outcomes = [(self._waiting.popleft(), _Outcome(error=fault)) for _ in range(len(self._waiting))]
        else:
            outcomes = done.result()
        for slot, outcome in outcomes:
            slot.heard(outcome)
        self._pump()

    def _together(self, session: Session) -> _Outcomes:
        """On the database's thread: one transaction. Raises only before it has taken anybody from the queue."""
        with self._lock:
            slots = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            try:
                return self._again(session, slots)
            except Exception as error:  # noqa: BLE001  # it belongs to the callers; everything is undone first
                session.rollback()
                return [(slot, _Outcome(error=_explained(session, error))) for slot in slots]

    def _again(self, session: Session, slots: list[_Slot]) -> _Outcomes:
        """The transaction, retried if its connection was lost before the commit."""
        try:
            return self._transaction(session, slots)
        except Exception:
            session.rollback()
            if not session.renew():
                raise
            return self._transaction(session, slots)

    def _transaction(self, session: Session, slots: list[_Slot]) -> _Outcomes:
        tx = self._begun(session)
        try:
            outcomes = [(slot, _Outcome(slot.work(tx))) for slot in slots]
            session.flush()
        except Exception as error:
            if not session.in_transaction:  # a full disk makes SQLite undo everything by itself
                raise
            session.rollback()
            return self._apart(session, slots) if slots[1:] else [(slots[0], _Outcome(error=_explained(session, error)))]
        return _committed(tx, outcomes)

    def _apart(self, session: Session, slots: list[_Slot]) -> _Outcomes:
        """The transaction with each act in a savepoint."""
        tx = self._begun(session)
        return _committed(tx, [(slot, _one(slot, tx)) for slot in slots])

    def _begun(self, session: Session) -> Tx:
        now = session.begin(write=True) or self._clock.now()
        return Tx(session, Ledger(session, self._clock), now, self._clock, self.halted)


def _committed(tx: Tx, outcomes: _Outcomes) -> _Outcomes:
    tx.ledger.flush()
    tx.session.commit()
    return outcomes


def _one(slot: _Slot, tx: Tx) -> _Outcome:
    """One act in its savepoint. Raises only when the whole transaction is lost."""
    session, ledger = tx.session, tx.ledger
    mark = ledger.state
    session.savepoint()
    try:
        outcome = _Outcome(slot.work(tx))
        session.flush()
    except Exception as error:  # it belongs to the caller; the act is undone first
        if not session.in_transaction:
            raise
        ledger.undo(mark)
        session.rollback_to_savepoint()
        outcome = _Outcome(error=_explained(session, error))
    session.release_savepoint()
    return outcome


def _result(outcome: _Outcome) -> Any:
    if outcome.error is not None and not isinstance(outcome.error, Exception):
        raise outcome.error
    return outcome.result if outcome.error is None else outcome.error


def _explained(session: Session, error: Exception) -> Exception:
    if (known := session.explained(error)) is not None:
        return known
    if isinstance(error, UnicodeEncodeError):
        return EntryError("A text holds half a character (a lone surrogate); type it again.")
    return error
