"""What is stored, read with what was taken away while the log could not be written: a line of the emergency file overrides
the stored state until the log has it (rule 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.decision_log.emergency_file import EmergencyFile
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.operator_action import OperatorAction, OperatorActionState
from bot.domain.policy.people import Person
from bot.ports.store import Deadline, Due, RequestLine, Store


class FailsafeReads:
    """The reading half of a store; whatever it does not name is the store's own."""

    def __init__(self, store: Store, emergency: EmergencyFile) -> None:
        self._store, self._emergency = store, emergency

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def case(self, case_id: str) -> Case | None:
        found = await self._store.case(case_id)
        return None if found is None else self._emergency.over(found)

    async def ended_aside(self) -> Sequence[Case]:
        ids = dict.fromkeys(line.act.after.id for line in self._emergency.lines() if line.act.after is not None)
        found = [await self.case(case_id) for case_id in ids]
        return [case for case in found if case is not None and case.grant is not None]

    async def due_cases(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Due]:
        found = await self._store.due_cases(now, limit, after)
        return [replace(due, case=self._emergency.over(due.case)) for due in found]

    async def open_cases(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        return self._pending(await self._store.open_cases(domains, providers, limit))

    async def cases_of(self, requester: Person, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._store.cases_of(requester, limit)]

    async def waiting_for(self, person: Person, limit: int) -> Sequence[Case]:
        return self._pending(await self._store.waiting_for(person, limit))

    async def home_live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        found = [self._emergency.over(case) for case in await self._store.home_live(person, domains, limit)]
        return [case for case in found if case.grant is not None and case.grant.state is GrantState.OPEN]

    async def home_owing(self, requester: Person, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._store.home_owing(requester, limit)]

    async def autonomous_since(self, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._store.autonomous_since(domains, since, limit)]

    async def exceptions(self, limit: int, *, ended_too: bool = True) -> Sequence[Case]:
        found = [self._emergency.over(case) for case in await self._store.exceptions(limit, ended_too=ended_too)]
        return [case for case in found if ended_too or (case.grant is not None and case.grant.state is GrantState.OPEN)]

    async def requests(self, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
        found = [await self._listed(one) for one in await self._store.requests(limit, closed_too=closed_too)]
        return [one for one in found if closed_too or one.state == RequestState.PENDING or one.grant == GrantState.OPEN]

    async def operator_act(self, act_id: str) -> OperatorAction | None:
        return (await self._newer_aside()).get(act_id) or await self._store.operator_act(act_id)

    async def unfinished_acts(self) -> Sequence[OperatorAction]:
        """Those of the emergency file too, the ones that were filed without the log among them."""
        aside = await self._newer_aside()
        stored = [act for act in await self._store.unfinished_acts() if act.id not in aside]
        return [
            *stored,
            *(act for act in aside.values() if act.state in (OperatorActionState.OPEN, OperatorActionState.CONFIRMED)),
        ]

    async def _newer_aside(self) -> dict[str, OperatorAction]:
        """Those that the store does not know as far yet: a line that was entered once and was put back says nothing."""
        aside = self._aside_acts()
        stored = {act_id: await self._store.operator_act(act_id) for act_id in aside}
        return {id_: act for id_, act in aside.items() if (known := stored[id_]) is None or known.version < act.version}

    def _aside_acts(self) -> dict[str, OperatorAction]:
        """Operator's acts as the emergency file leaves them, each with the version that it will have in the store."""
        found: dict[str, OperatorAction] = {}
        for line in self._emergency.lines():
            change = line.act.operated
            if change is not None and change.after is not None:
                version = 0 if change.before is None else change.before.version + 1
                found[change.after.id] = replace(change.after, version=version)
        return found

    def _pending(self, found: Sequence[Case]) -> Sequence[Case]:
        standing = (self._emergency.over(case) for case in found)
        return [case for case in standing if case.request.state is RequestState.PENDING or self._unchanged(case)]

    def _unchanged(self, case: Case) -> bool:
        return all(line.act.after is None or line.act.after.id != case.id for line in self._emergency.lines())

    async def _listed(self, one: RequestLine) -> RequestLine:
        if all(line.act.after is None or line.act.after.id != one.id for line in self._emergency.lines()):
            return one
        case = await self.case(one.id)
        if case is None:
            return one
        grant = None if case.grant is None else case.grant.state.value
        return replace(one, state=case.request.state.value, grant=grant, closed_at=case.request.closed_at)
