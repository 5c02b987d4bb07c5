"""Absences as use cases: going, coming back, and whose open questions go where meanwhile (design, section 4)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

from bot.clock import Clock
from bot.domain.case.transition import Transition
from bot.domain.policy.people import Person
from bot.domain.workflow import absence, notifications
from bot.domain.workflow.absence import Absent
from bot.ports.commands import SetAbsence
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy
from bot.service.queries import CaseQueries
from bot.service.transactions import TransactionRunner

_OPEN = 1000


class Absences:
    """What the service does about people who are not here."""

    def __init__(
        self, store: Store, clock: Clock, scale: float, current: CurrentPolicy, transactions: TransactionRunner,
        queries: CaseQueries,
    ) -> None:  # fmt: skip
        self._store, self._clock, self._scale, self._current = store, clock, scale, current
        self._transactions, self._queries = transactions, queries

    async def carry_out(self, act: SetAbsence, inbox: int) -> None:
        """Notes an absence, and hands on the open questions that wait for this person; or its end."""
        until = self._until(act)
        if until is None:
            await self._transactions.retry_on_conflict(partial(self._back, act), inbox)
            return
        reply: dict[str, object] = asdict(act.reply)
        if until <= self._clock.now():
            wrong = Transition(None, None, says=(notifications.answer(None, act.person, reply, "away_how"),))
            await self._transactions.retry_on_conflict(partial(_always, wrong), inbox)
            return
        await self._transactions.retry_on_conflict(
            partial(_always, absence.leave(self._current.policy, act.person, until, reply)), inbox
        )
        for domain in self._current.policy.domains.values():
            if act.person == domain.owner or act.person in domain.deputies:
                for case_id in await self._store.cases.with_open_asks(domain.id, _OPEN):
                    await self._transactions.retry_on_conflict(partial(self._transactions.stand_in, case_id), None)

    async def welcome_back(self) -> None:
        """Ends every absence whose time has passed; the person who was acted for gets one summary."""
        for person in await self._store.absences.over(self._clock.now()):
            await self._transactions.retry_on_conflict(partial(self._passed, person), None)

    def _until(self, act: SetAbsence) -> datetime | None:
        """When an absence ends; a date's span runs on the policy's clock. None: they are back."""
        now = self._clock.now()
        if act.until:
            return now + (datetime.fromisoformat(act.until) - now) / self._scale
        return now + timedelta(seconds=act.seconds / self._scale) if act.seconds else None

    async def _back(self, act: SetAbsence) -> Transition:
        found, now = await self._store.absences.of(act.person), self._clock.now()
        decided = found is not None and await self._was_acted_for(found, now)
        return absence.come_back(self._current.policy, act.person, asdict(act.reply), found, now, decided=decided)

    async def _passed(self, person: Person) -> Transition | None:
        found, now = await self._store.absences.of(person), self._clock.now()
        if found is None or found.until > now:
            return None
        return absence.passed(found, decided=await self._was_acted_for(found, now))

    async def _was_acted_for(self, found: Absent, now: datetime) -> bool:
        return bool(await self._queries.read_decided_for(found.person, found.since, min(now, found.until)))


async def _always(act: Transition) -> Transition:
    return act
