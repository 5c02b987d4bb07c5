"""Absences as use cases: going, coming back, and whose open questions go where meanwhile (design, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

from bot.domain.case.transition import Transition
from bot.domain.policy.people import Person
from bot.domain.workflow import absence, notifications
from bot.domain.workflow.absence import Absent
from bot.ports.commands import SetAbsence
from bot.ports.records import DecidedFor
from bot.service.transactions import TransactionRunner

_OPEN = 1000


class Absences(TransactionRunner):
    """What the desk does about people who are not here."""

    async def away(self, act: SetAbsence, inbox: int) -> None:
        """Notes an absence, and hands on the open questions that wait for this person; or its end."""
        until = self._until(act)
        if until is None:
            await self._retry_on_conflict(partial(self._back, act), inbox)
            return
        reply: dict[str, object] = asdict(act.reply)
        if until <= self.clock.now():
            wrong = Transition(None, None, says=(notifications.answer(None, act.person, reply, "away_how"),))
            await self._retry_on_conflict(partial(_always, wrong), inbox)
            return
        await self._retry_on_conflict(partial(_always, absence.leave(self.policy, act.person, until, reply)), inbox)
        for domain in self.policy.domains.values():
            if act.person == domain.owner or act.person in domain.deputies:
                for case_id in await self.store.cases.with_open_asks(domain.id, _OPEN):
                    await self._retry_on_conflict(partial(self._stand_in, case_id), None)

    async def welcome_back(self) -> None:
        """Ends every absence whose time has passed; whoever was acted for is told, once."""
        for person in await self.store.absences.over(self.clock.now()):
            await self._retry_on_conflict(partial(self._passed, person), None)

    async def read_decided_for(self, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
        """What others answered in this person's name, both ends included; nothing once they belong to a provider."""
        if self.policy.provider_of(person) is not None:
            return ()
        return await self.store.history.decided_for(person, since, until)

    def _until(self, act: SetAbsence) -> datetime | None:
        """When an absence ends; a date's span runs on the policy's clock. None: they are back."""
        now = self.clock.now()
        if act.until:
            return now + (datetime.fromisoformat(act.until) - now) / self.scale
        return now + timedelta(seconds=act.seconds / self.scale) if act.seconds else None

    async def _back(self, act: SetAbsence) -> Transition:
        found, now = await self.store.absences.of(act.person), self.clock.now()
        decided = found is not None and await self._was_acted_for(found, now)
        return absence.come_back(self.policy, act.person, asdict(act.reply), found, now, decided=decided)

    async def _passed(self, person: Person) -> Transition | None:
        found, now = await self.store.absences.of(person), self.clock.now()
        if found is None or found.until > now:
            return None
        return absence.passed(found, decided=await self._was_acted_for(found, now))

    async def _was_acted_for(self, found: Absent, now: datetime) -> bool:
        return bool(await self.read_decided_for(found.person, found.since, min(now, found.until)))


async def _always(act: Transition) -> Transition:
    return act
