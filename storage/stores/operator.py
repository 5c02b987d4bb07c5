"""`bot.ports.operator.OperatorRecords` in rows: acts that two people confirm, holds, erasure and pruning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.case.operator_action import Hold, OperatorAction
from bot.domain.errors import StorageError
from bot.domain.operator.erasure import SubjectRecord
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from storage.log import private_text
from storage.operator import erasure, pruning
from storage.operator import rows as operator_rows
from storage.session import Session, Upkeep
from storage.transactions import Transactions


class OperatorStore:
    """`OperatorRecords`. `upkeep` is the backend's; None in a store that is opened for reading only."""

    def __init__(self, transactions: Transactions, upkeep: Upkeep | None) -> None:
        self._db, self._upkeep = transactions, upkeep

    async def action(self, act_id: str) -> OperatorAction | None:
        return await self._db.read(lambda session: operator_rows.act(session, act_id))

    async def unfinished(self) -> Sequence[OperatorAction]:
        return await self._db.read(operator_rows.unfinished)

    async def hold(self, hold_id: str) -> Hold | None:
        return await self._db.read(lambda session: operator_rows.hold(session, hold_id))

    async def holds_on(self, subject: Person) -> Sequence[Hold]:
        return await self._db.read(lambda session: operator_rows.holds_on(session, subject))

    async def person_of(self, ref: str) -> Person | None:
        def work(session: Session) -> Person | None:
            row = session.row("person_of_ref", ref=ref)
            return None if row is None else Person(row["team_id"], row["user_id"])

        return await self._db.read(work)

    async def ref_of(self, person: Person) -> str | None:
        def work(session: Session) -> str | None:
            row = session.row("ref", team=person.team, user=person.user)
            return None if row is None else str(row["ref"])

        return await self._db.read(work)

    async def subject_record(self, subject: Person) -> SubjectRecord:
        return await self._db.read(lambda session: erasure.standing(session, subject))

    async def erase(self, act: OperatorAction, policy: Policy, retention: timedelta) -> None:
        subject = act.subject
        assert subject is not None  # an erasure has one
        await self._db.write(lambda tx: erasure.erase(tx, act.id, subject, policy, retention))

    async def erasure_report(self, act_id: str) -> tuple[int, Sequence[str]]:
        return await self._db.read(lambda session: erasure.report(session, act_id))

    async def prunable(self, before: datetime) -> int:
        return await self._db.read(lambda session: max(0, pruning.minimum(session, before) - pruning.pruned(session)))

    async def begin_pruning(self, act_id: str, before: datetime, policy: Policy) -> None:
        await self._db.write(lambda tx: pruning.begin(tx, act_id, before, policy))

    async def empty_entries(self, limit: int) -> int:
        return await self._db.write(lambda tx: pruning.empty_some(tx.session, limit))

    async def pruned(self) -> int:
        return await self._db.read(pruning.pruned)

    async def empty_over(self, limit: int) -> int:
        return await self._db.write(lambda tx: private_text.empty_over(tx.session, limit))

    async def shed(self) -> bool:
        return await self._keeping_up().shed()

    async def rebuild(self) -> bool:
        return await self._keeping_up().rebuild()

    def _keeping_up(self) -> Upkeep:
        if self._upkeep is None:
            raise StorageError("The database is opened for reading only.")
        return self._upkeep
