"""The operator's half of the store: acts that two people confirm, and holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.case.operator_action import Hold, OperatorAction
from bot.domain.operator.erasure import SubjectRecord
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from storage.cases import private_text
from storage.operator import erasure, pruning
from storage.operator import rows as operator_rows
from storage.session import Session
from storage.transaction import Tx

T = TypeVar("T")


class OperatorRowStore(ABC):
    """`bot.ports_operator.OperatorBook`; how a read is run is the store's."""

    async def operator_act(self, act_id: str) -> OperatorAction | None:
        return await self._read(lambda session: operator_rows.act(session, act_id))

    async def unfinished_acts(self) -> Sequence[OperatorAction]:
        return await self._read(operator_rows.unfinished)

    async def hold(self, hold_id: str) -> Hold | None:
        return await self._read(lambda session: operator_rows.hold(session, hold_id))

    async def holds_on(self, subject: Person) -> Sequence[Hold]:
        return await self._read(lambda session: operator_rows.holds_on(session, subject))

    async def person_of(self, ref: str) -> Person | None:
        def work(session: Session) -> Person | None:
            row = session.row("person_of_ref", ref=ref)
            return None if row is None else Person(row["team_id"], row["user_id"])

        return await self._read(work)

    async def ref_of(self, person: Person) -> str | None:
        def work(session: Session) -> str | None:
            row = session.row("ref", team=person.team, user=person.user)
            return None if row is None else str(row["ref"])

        return await self._read(work)

    async def erasure_standing(self, subject: Person) -> SubjectRecord:
        return await self._read(lambda session: erasure.standing(session, subject))

    async def erase(self, act: OperatorAction, policy: Policy, retention: timedelta) -> None:
        subject = act.subject
        assert subject is not None  # an erasure has one
        await self._write(lambda tx: erasure.erase(tx, act.id, subject, policy, retention))

    async def erasure_report(self, act_id: str) -> tuple[int, Sequence[str]]:
        return await self._read(lambda session: erasure.report(session, act_id))

    async def prunable(self, before: datetime) -> int:
        return await self._read(lambda session: max(0, pruning.minimum(session, before) - pruning.pruned(session)))

    async def begin_pruning(self, act_id: str, before: datetime, policy: Policy) -> None:
        await self._write(lambda tx: pruning.begin(tx, act_id, before, policy))

    async def empty_entries(self, limit: int) -> int:
        return await self._write(lambda tx: pruning.empty_some(tx.session, limit))

    async def pruned(self) -> int:
        return await self._read(pruning.pruned)

    async def empty_over(self, limit: int) -> int:
        return await self._write(lambda tx: private_text.empty_over(tx.session, limit))

    @abstractmethod
    async def _write(self, work: Callable[[Tx], T]) -> T: ...

    @abstractmethod
    async def _read(self, work: Callable[[Session], T]) -> T: ...
