"""The App Homes' part of the store (`bot.ports.store.Store`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bot.domain.case.model import Case
from bot.domain.policy.people import Person
from bot.ports.store import CaseSummary
from storage.cases import home_rows, reads
from storage.session import Session
from storage.transaction import Tx

T = TypeVar("T")


class HomeStore(ABC):
    """What whoever draws a Home asks; how a read or a write is run is the store's."""

    async def home_page(self, person: Person) -> int:
        return await self._read(lambda session: home_rows.page(session, person))

    async def home_waiting(self, person: Person, limit: int) -> Sequence[CaseSummary]:
        return await self._read(lambda session: home_rows.waiting(session, person, limit))

    async def home_live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.cases(session, home_rows.live(session, person, domains, limit)))

    async def home_owing(self, requester: Person, limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reads.cases(session, home_rows.owing(session, requester, limit)))

    async def redraw_homes(self, people: Iterable[Person] | None) -> None:
        await self._write(lambda tx: home_rows.redraw(tx.session, people, tx.now))

    @abstractmethod
    async def _write(self, work: Callable[[Tx], T]) -> T: ...

    @abstractmethod
    async def _read(self, work: Callable[[Session], T]) -> T: ...
