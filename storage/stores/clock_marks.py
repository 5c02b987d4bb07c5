"""`bot.ports.clock_marks.ClockMarks` in rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.domain.case.transition import LogEvent
from bot.domain.failsafe.clock_jump import Mark
from storage.log import clock_mark
from storage.transactions import Transactions, Tx


class ClockMarkStore:
    """`ClockMarks`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def mark(self) -> Mark | None:
        return await self._db.read(clock_mark.read)

    async def keep(self, mark: Mark, entries: Sequence[LogEvent] = ()) -> None:
        def work(tx: Tx) -> None:
            tx.log(entries)
            clock_mark.keep(tx.session, mark)

        await self._db.write(work)

    async def request_acceptance(self) -> bool:
        return await self._db.write(lambda tx: clock_mark.wish(tx.session))

    async def acceptance_requested(self) -> bool:
        return await self._db.read(lambda session: clock_mark.wished(session))

    async def accept(self, accept: Callable[[], Mark], entry: LogEvent) -> None:
        def work(tx: Tx) -> None:
            tx.log([entry])
            clock_mark.lift(tx.session, tx.now, accept())

        await self._db.write(work)
