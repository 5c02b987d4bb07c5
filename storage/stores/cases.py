"""`bot.ports.cases.Cases`, `CaseHistory` and `Absences` in rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.case.model import Case
from bot.domain.case.transition import Waking
from bot.domain.policy.people import Person
from bot.domain.workflow.absence import Absent
from bot.domain.workflow.autonomous_rights import Used
from bot.ports.records import (
    BreakGlassUsage,
    Deadline,
    DecidedFor,
    Due,
    FilingLimits,
    RequestLine,
    SystemCase,
)
from storage.cases import history, overview, reads
from storage.transactions import Transactions
from storage.values import ms


class CaseStore:
    """`Cases`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def case(self, case_id: str) -> Case | None:
        return await self._db.read(lambda session: reads.case(session, case_id))

    async def due(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Deadline]:
        return await self._db.read(lambda session: reads.due(session, now, limit, after))

    async def due_cases(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Due]:
        return await self._db.read(lambda session: reads.due_cases(session, now, limit, after))

    async def wake_on_call(self, now: datetime) -> None:
        await self._db.write(lambda tx: tx.session.run("wake_on_call", now=ms(now)))

    async def open_cases(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.open_cases(session, domains, providers, limit))

    async def newest(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.newest(session, domains, providers, limit))

    async def cases_of(self, requester: Person, limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.cases_of(session, requester, limit))

    async def waiting_for(self, person: Person, limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.waiting_for(session, person, limit))

    async def with_open_asks(self, domain: str, limit: int) -> Sequence[str]:
        return await self._db.read(lambda session: reads.with_open_asks(session, domain, limit))

    async def owing_of(self, provider: str, limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.owing_of(session, provider, limit))

    async def exceptions(self, limit: int, *, ended_too: bool = True) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.exceptions(session, limit, ended_too=ended_too))

    async def granted_since(self, since: datetime) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.granted_since(session, since))

    async def open_findings(self, domain: str) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.open_findings(session, domain))

    async def open_finding(self, domain: str, where: str) -> Case | None:
        return await self._db.read(lambda session: reads.open_finding(session, domain, where))

    async def autonomous_since(self, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
        return await self._db.read(lambda session: reads.autonomous_since(session, domains, since, limit))

    async def live_versions(self) -> Mapping[str, int]:
        rows = await self._db.read(lambda session: session.rows("live_versions"))
        return {row["id"]: row["version"] for row in rows}

    async def system_cases(self) -> Sequence[SystemCase]:
        return await self._db.read(overview.matters)

    async def requests(self, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
        return await self._db.read(lambda session: overview.requests(session, limit, closed_too=closed_too))

    async def open_samples(self) -> Sequence[RequestLine]:
        return await self._db.read(overview.open_samples)

    async def running_drill(self, runbook: str) -> str | None:
        return await self._db.read(lambda session: overview.running_drill(session, runbook))


class CaseHistoryStore:
    """`CaseHistory`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def filing_limits(
        self,
        requester: Person,
        domain: str,
        provider: str,
        runbook: str,
        target: str,
        now: datetime,
        *,
        denied_within: timedelta = timedelta(hours=24),
        expired_within: timedelta = timedelta(hours=2),
        week: timedelta = timedelta(days=7),
        also: Collection[str] = (),
    ) -> FilingLimits:
        plan = history.Plan(tuple(dict.fromkeys((requester.user, *also))), domain, provider, runbook, target)
        windows = history.Windows(denied_within, expired_within, week)
        return await self._db.read(lambda session: history.brakes(session, plan, now, windows))

    async def break_glass_usage(self, provider: str, domain: str, now: datetime, since: datetime) -> BreakGlassUsage:
        return await self._db.read(lambda session: history.glass_debt(session, provider, domain, now, since))

    async def wakings(self, whose: Waking) -> tuple[Sequence[datetime], int]:
        return await self._db.read(lambda session: history.wakings(session, whose))

    async def uses(self, provider: str, runbook: str, since: datetime) -> Used:
        return await self._db.read(lambda session: history.uses(session, provider, runbook, since))

    async def decided_for(self, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
        return await self._db.read(lambda session: reads.decided_for(session, person, since, until))


class AbsenceStore:
    """`Absences`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def away(self, now: datetime) -> Mapping[Person, datetime]:
        return await self._db.read(lambda session: reads.absences(session, now))

    async def of(self, person: Person) -> Absent | None:
        return await self._db.read(lambda session: reads.absence(session, person))

    async def over(self, now: datetime) -> Sequence[Person]:
        return await self._db.read(lambda session: reads.absences_over(session, now))
