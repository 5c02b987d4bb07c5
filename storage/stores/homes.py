"""`bot.ports.cases.Homes` in rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.ports.records import CaseSummary
from storage.cases import reads
from storage.queues import homes
from storage.transactions import Transactions


class HomeStore:
    """`Homes`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def page(self, person: Person) -> int:
        return await self._db.read(lambda session: homes.page(session, person))

    async def waiting(self, person: Person, limit: int) -> Sequence[CaseSummary]:
        return await self._db.read(lambda session: homes.waiting(session, person, limit))

    async def live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.cases(session, homes.live(session, person, domains, limit)))

    async def owing(self, requester: Person, limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.cases(session, homes.owing(session, requester, limit)))

    async def redraw(self, people: Iterable[Person] | None) -> None:
        await self._db.write(lambda tx: homes.redraw(tx.session, people, tx.now))
