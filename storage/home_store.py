"""The App Homes' part of the store (`bot.ports.Store`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bot.domain.people import Person
from bot.domain.request import Case
from bot.ports import Glimpse
from storage import homes, reading
from storage.sqlite import Session
from storage.writing import Tx

T = TypeVar("T")


class HomeStore(ABC):
    """What whoever draws a Home asks; how a read or a write is run is the store's."""

    async def home_page(self, person: Person) -> int:
        return await self._read(lambda session: homes.page(session, person))

    async def home_waiting(self, person: Person, limit: int) -> Sequence[Glimpse]:
        return await self._read(lambda session: homes.waiting(session, person, limit))

    async def home_live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reading.cases(session, homes.live(session, person, domains, limit)))

    async def home_owing(self, requester: Person, limit: int) -> Sequence[Case]:
        return await self._read(lambda session: reading.cases(session, homes.owing(session, requester, limit)))

    async def redraw_homes(self, people: Iterable[Person] | None) -> None:
        await self._write(lambda tx: homes.redraw(tx.session, people, tx.now))

    @abstractmethod
    async def _write(self, work: Callable[[Tx], T]) -> T: ...

    @abstractmethod
    async def _read(self, work: Callable[[Session], T]) -> T: ...
