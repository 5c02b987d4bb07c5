"""Runs the transactions of one store: reads on one connection, writes in groups on another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from bot.clock import Clock
from bot.domain.errors import StorageError
from storage.cases.group_commit import Group
from storage.session import Database, Session
from storage.transaction import Tx

T = TypeVar("T")


class Transactions:
    """Without a `writer`, every write raises StorageError. `lock` is held during each writing transaction."""

    def __init__(
        self, reader: Database, writer: Database | None, clock: Clock, lock: AbstractContextManager[None] | None = None
    ) -> None:
        self.reader, self.writer = reader, writer
        self.group = None if writer is None else Group(writer, clock, lock or nullcontext())

    async def read(self, work: Callable[[Session], T]) -> T:
        """Returns what `work` returns; all its statements read the state of one moment."""
        return await self.reader.run(lambda session: _snapshot(session, work))

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Returns what `work` returns once that is committed; raises its error if it failed."""
        return await self._writing().run(work)

    async def write_each(self, works: Sequence[Callable[[Tx], T]]) -> Sequence[T | Exception]:
        """The same for many at once: results and errors in their places."""
        return await self._writing().run_each(works)

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
