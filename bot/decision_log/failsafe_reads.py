"""Stored state, read with what was taken away while the log could not be written: a line of the emergency file overrides
the stored state until the log has it (rule 4).

Every method of a port is written out here, overridden or passed through. A method of a port that is neither does not
type-check; the test of this module lists each one with the reason why it may pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.decision_log.emergency_file import EmergencyFile
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.domain.case.operator_action import Hold, OperatorAction, OperatorActionState
from bot.domain.errors import DiskRefuses
from bot.domain.failsafe.revocation import begins
from bot.domain.operator.erasure import SubjectRecord
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.cases import Cases, Homes
from bot.ports.operator import OperatorRecords
from bot.ports.queues import ExecutorCalls
from bot.ports.records import CaseSummary, Deadline, Due, ExecutorCall, RequestLine, SystemCase

_NOT_OVER = frozenset({"pending", "open", "acknowledged"})  # states of requests, and of findings


class FailsafeCases:
    """`Cases` with the emergency file over them. What may have to be taken away while the database is lost is remembered."""

    def __init__(
        self, stored: Cases, emergency: EmergencyFile, lost: Callable[[DiskRefuses], None] = lambda error: None
    ) -> None:
        """`lost` stops the log: while a case is only remembered nothing is given."""
        self._stored, self._emergency, self._lost = stored, emergency, lost
        self._live: dict[str, Case] = {}
        self._system: Sequence[SystemCase] | None = None

    async def remember(self) -> None:
        """Reads what is pending or open, as far as it changed since the last call. Raises StorageError."""
        versions = await self._stored.live_versions()
        self._live = {case_id: case for case_id, case in self._live.items() if case_id in versions}
        for case_id, version in versions.items():
            known = self._live.get(case_id)
            if known is None or known.request.version != version:
                case = await self._stored.case(case_id)
                self._live |= {} if case is None else {case_id: case}
        self._system = await self._stored.system_cases()

    async def case(self, case_id: str) -> Case | None:
        found = await self._read(case_id) or self._begun().get(case_id)
        return None if found is None else self._emergency.over(found)

    async def _read(self, case_id: str) -> Case | None:
        try:
            return await self._stored.case(case_id)
        except DiskRefuses as error:
            if case_id not in self._live:
                raise
            self._lost(error)
            return self._live[case_id]

    async def live_versions(self) -> Mapping[str, int]:
        return await self._stored.live_versions()

    async def due(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Deadline]:
        return await self._stored.due(now, limit, after)

    async def due_cases(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Due]:
        found = await self._stored.due_cases(now, limit, after)
        return [replace(due, case=self._emergency.over(due.case)) for due in found]

    async def wake_on_call(self, now: datetime) -> None:
        await self._stored.wake_on_call(now)

    async def open_cases(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        return self._pending(await self._stored.open_cases(domains, providers, limit))

    async def newest(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._stored.newest(domains, providers, limit)]

    async def cases_of(self, requester: Person, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._stored.cases_of(requester, limit)]

    async def waiting_for(self, person: Person, limit: int) -> Sequence[Case]:
        return self._pending(await self._stored.waiting_for(person, limit))

    async def with_open_asks(self, domain: str, limit: int) -> Sequence[str]:
        return await self._stored.with_open_asks(domain, limit)

    async def owing_of(self, provider: str, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._stored.owing_of(provider, limit)]

    async def exceptions(self, limit: int, *, ended_too: bool = True) -> Sequence[Case]:
        found = [self._emergency.over(case) for case in await self._stored.exceptions(limit, ended_too=ended_too)]
        return [case for case in found if ended_too or (case.grant is not None and case.grant.state is GrantState.OPEN)]

    async def granted_since(self, since: datetime) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._stored.granted_since(since)]

    async def open_findings(self, domain: str) -> Sequence[Case]:
        return await self._stored.open_findings(domain)

    async def open_finding(self, domain: str, where: str) -> Case | None:
        return await self._stored.open_finding(domain, where)

    async def autonomous_since(self, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._stored.autonomous_since(domains, since, limit)]

    async def system_cases(self) -> Sequence[SystemCase]:
        stored = [await self._with_newest_ask(one) for one in await self._stored_system_cases()]
        known = {one.id for one in stored}
        return [*stored, *(_listed(case) for case in self._begun().values() if case.id not in known)]

    async def _stored_system_cases(self) -> Sequence[SystemCase]:
        try:
            return await self._stored.system_cases()
        except DiskRefuses as error:
            if self._system is None:
                raise
            self._lost(error)
            return self._system

    async def requests(self, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
        found = [await self._listed(one) for one in await self._stored.requests(limit, closed_too=closed_too)]
        return [one for one in found if closed_too or one.state in _NOT_OVER or one.grant == GrantState.OPEN]

    async def open_samples(self) -> Sequence[RequestLine]:
        return await self._stored.open_samples()

    async def running_drill(self, runbook: str) -> str | None:
        return await self._stored.running_drill(runbook)

    def _begun(self) -> dict[str, Case]:
        """Cases that began while the log was stopped: suspensions of providers."""
        acts = (act for line in self._emergency.lines() for act in (line.act, *line.act.also) if begins(act))
        return {act.after.id: act.after for act in acts if act.after is not None}

    def _pending(self, found: Sequence[Case]) -> Sequence[Case]:
        overridden = (self._emergency.over(case) for case in found)
        return [case for case in overridden if str(case.request.state) in _NOT_OVER or not self._named(case.id)]

    def _named(self, case_id: str) -> bool:
        """Whether a line of the emergency file is about this case."""
        return any(line.act.after is not None and line.act.after.id == case_id for line in self._emergency.lines())

    async def _with_newest_ask(self, one: SystemCase) -> SystemCase:
        case = await self.case(one.id) if self._named(one.id) else None
        return one if case is None else replace(one, state=case.asks[-1].state)

    async def _listed(self, one: RequestLine) -> RequestLine:
        case = await self.case(one.id) if self._named(one.id) else None
        if case is None:
            return one
        grant = None if case.grant is None else case.grant.state.value
        return replace(one, state=case.request.state.value, grant=grant, closed_at=case.request.closed_at)


def _listed(case: Case) -> SystemCase:
    request = case.request
    state = case.asks[-1].state
    return SystemCase(
        request.id, request.matter, request.domain, request.runbook, request.runbook_sha256, request.subject, state,
        request.target,
    )  # fmt: skip


class FailsafeHomes:
    """`Homes` with the emergency file over them. `cases` are the overridden ones."""

    def __init__(self, stored: Homes, emergency: EmergencyFile, cases: FailsafeCases) -> None:
        self._stored, self._emergency, self._cases = stored, emergency, cases

    async def page(self, person: Person) -> int:
        return await self._stored.page(person)

    async def waiting(self, person: Person, limit: int) -> Sequence[CaseSummary]:
        found = await self._stored.waiting(person, limit)
        named = {line.act.after.id for line in self._emergency.lines() if line.act.after is not None}
        over = {one.id for one in found if one.id in named and not await self._is_asked(one.id)}
        return [one for one in found if one.id not in over]

    async def live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        found = [self._emergency.over(case) for case in await self._stored.live(person, domains, limit)]
        return [case for case in found if case.grant is not None and case.grant.state is GrantState.OPEN]

    async def owing(self, requester: Person, limit: int) -> Sequence[Case]:
        return [self._emergency.over(case) for case in await self._stored.owing(requester, limit)]

    async def redraw(self, people: Iterable[Person] | None) -> None:
        await self._stored.redraw(people)

    async def _is_asked(self, case_id: str) -> bool:
        case = await self._cases.case(case_id)
        return case is not None and any(ask.state is AskState.OPEN for ask in case.asks)


class FailsafeCalls:
    """`ExecutorCalls`, and the grants whose end no stored call closes yet. Stored calls are the leader's to make."""

    def __init__(
        self,
        stored: ExecutorCalls,
        emergency: EmergencyFile,
        cases: FailsafeCases,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._stored, self._emergency, self._cases, self._leads = stored, emergency, cases, leads

    async def lease(self, now: datetime, until: datetime, limit: int) -> Sequence[ExecutorCall]:
        return await self._stored.lease(now, until, limit) if self._leads() else ()

    async def ended_aside(self) -> Sequence[Case]:
        ids = dict.fromkeys(line.act.after.id for line in self._emergency.lines() if line.act.after is not None)
        found = [await self._cases.case(case_id) for case_id in ids]
        return [case for case in found if case is not None and case.grant is not None]

    async def release(self, call: ExecutorCall, not_before: datetime, error: str) -> None:
        await self._stored.release(call, not_before, error)


class FailsafeOperator:
    """`OperatorRecords` with the acts of the emergency file over them."""

    def __init__(self, stored: OperatorRecords, emergency: EmergencyFile) -> None:
        self._stored, self._emergency = stored, emergency

    async def action(self, act_id: str) -> OperatorAction | None:
        return (await self._newer()).get(act_id) or await self._stored.action(act_id)

    async def unfinished(self) -> Sequence[OperatorAction]:
        """As `OperatorRecords.unfinished`, with those that were filed while the log was stopped."""
        newer = await self._newer()
        stored = [act for act in await self._stored.unfinished() if act.id not in newer]
        open_ = (OperatorActionState.OPEN, OperatorActionState.CONFIRMED)
        return [*stored, *(act for act in newer.values() if act.state in open_)]

    async def hold(self, hold_id: str) -> Hold | None:
        return await self._stored.hold(hold_id)

    async def holds_on(self, subject: Person) -> Sequence[Hold]:
        return await self._stored.holds_on(subject)

    async def subject_record(self, subject: Person) -> SubjectRecord:
        return await self._stored.subject_record(subject)

    async def erase(self, act: OperatorAction, policy: Policy, retention: timedelta) -> None:
        await self._stored.erase(act, policy, retention)

    async def erasure_report(self, act_id: str) -> tuple[int, Sequence[str]]:
        return await self._stored.erasure_report(act_id)

    async def prunable(self, before: datetime) -> int:
        return await self._stored.prunable(before)

    async def begin_pruning(self, act_id: str, before: datetime, policy: Policy) -> None:
        await self._stored.begin_pruning(act_id, before, policy)

    async def empty_entries(self, limit: int) -> int:
        return await self._stored.empty_entries(limit)

    async def pruned(self) -> int:
        return await self._stored.pruned()

    async def rebuild(self) -> bool:
        return await self._stored.rebuild()

    async def empty_over(self, limit: int) -> int:
        return await self._stored.empty_over(limit)

    async def shed(self) -> bool:
        return await self._stored.shed()

    async def person_of(self, ref: str) -> Person | None:
        return await self._stored.person_of(ref)

    async def ref_of(self, person: Person) -> str | None:
        return await self._stored.ref_of(person)

    async def _newer(self) -> dict[str, OperatorAction]:
        """Acts of the emergency file that the store does not know as far yet. A line that was entered but not removed from
        the file (a kill in between) overrides nothing."""
        kept = self._kept()
        stored = {act_id: await self._stored.action(act_id) for act_id in kept}
        return {id_: act for id_, act in kept.items() if (known := stored[id_]) is None or known.version < act.version}

    def _kept(self) -> dict[str, OperatorAction]:
        """Acts as the emergency file leaves them, each with the version that it will have in the store."""
        found: dict[str, OperatorAction] = {}
        for line in self._emergency.lines():
            change = line.act.operated
            if change is not None and change.after is not None:
                version = 0 if change.before is None else change.before.version + 1
                found[change.after.id] = replace(change.after, version=version)
        return found
