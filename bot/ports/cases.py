"""Reading cases, what earlier cases say, absences, and the App Homes. Each method is one read of one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.case.model import Case
from bot.domain.case.transition import Waking
from bot.domain.policy.people import Person
from bot.domain.workflow.absence import Absent
from bot.domain.workflow.autonomous_rights import Used
from bot.ports.records import (
    BreakGlassUsage,
    CaseSummary,
    Deadline,
    DecidedFor,
    Due,
    FilingLimits,
    RequestLine,
    SystemCase,
)


class Cases(Protocol):
    """Cases as committed. A list is complete up to `limit`; a drill is in none that says so."""

    async def case(self, case_id: str) -> Case | None:
        """One case whole; None where there is none of that id."""

    async def due(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Deadline]:
        """Cases whose `wake_at` has come, most overdue first; with `after`, those behind it in that order."""

    async def due_cases(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Due]:
        """The cases of `due` whole, in the same order; the number of statements does not grow with the number of cases."""

    async def wake_on_call(self, now: datetime) -> None:
        """Makes pending requests that on-call was asked in due at `now`: who is on call may have changed."""

    async def open_cases(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        """Pending cases of any of these domains or providers, the next to expire first; never a drill."""

    async def newest(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        """Cases of any of these domains or providers in any state, the newest first; never a drill."""

    async def cases_of(self, requester: Person, limit: int) -> Sequence[Case]:
        """Cases that a person requested, newest first."""

    async def waiting_for(self, person: Person, limit: int) -> Sequence[Case]:
        """Pending cases whose open ask has reached the person, the next to expire first; never a drill."""

    async def with_open_asks(self, domain: str, limit: int) -> Sequence[str]:
        """Ids of a domain's cases that still have an open ask, also after the yes; never a drill."""

    async def owing_of(self, provider: str, limit: int) -> Sequence[Case]:
        """Cases of a provider for which evidence or a rotation is owed, the most overdue first."""

    async def exceptions(self, limit: int, *, ended_too: bool = True) -> Sequence[Case]:
        """Policy exceptions that were opened, or only those that are open; the next to end first."""

    async def granted_since(self, since: datetime) -> Sequence[Case]:
        """Cases whose grant is open, or ended at `since` or later."""

    async def open_findings(self, domain: str) -> Sequence[Case]:
        """The findings of a domain that are not closed, the oldest first."""

    async def open_finding(self, domain: str, where: str) -> Case | None:
        """The oldest finding of a domain that is not closed and is about the same place (`same_text`); None where there is none."""

    async def autonomous_since(self, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
        """Grants that were opened under autonomous rights of these domains since then, the oldest first."""

    async def live_versions(self) -> Mapping[str, int]:
        """The version of each request that is pending or has an open grant, by its id."""

    async def system_cases(self) -> Sequence[SystemCase]:
        """Every case that nobody filed, closed ones included."""

    async def requests(self, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
        """Requests oldest first: those pending or with an open grant, or all."""

    async def open_samples(self) -> Sequence[RequestLine]:
        """One request that is pending or has an open grant, of each state, domain, provider, requester and runbook."""

    async def running_drill(self, runbook: str) -> str | None:
        """The id of the drill of a runbook that is under way; None where there is none."""


class CaseHistory(Protocol):
    """What earlier cases say about a new one. Counts are exact as of the read; windows are real time."""

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
        """What limits a new request; `target` is compared exactly. For counting, a user id is one human in any workspace;
        `also`: the other user ids of this one. Callers divide the windows by TIME_SCALE."""

    async def break_glass_usage(self, provider: str, domain: str, now: datetime, since: datetime) -> BreakGlassUsage:
        """Break-glass openings since `since`, and whether a ratification or review of one is overdue at `now`."""

    async def wakings(self, whose: Waking) -> tuple[Sequence[datetime], int]:
        """When the requester woke people of the domain, oldest first, and how often since then nobody was paged any more."""

    async def uses(self, provider: str, runbook: str, since: datetime) -> Used:
        """How often a provider used a runbook since then (exclusive), not counting refused, denied and expired requests."""

    async def decided_for(self, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
        """What others answered on this person's behalf, both ends included, oldest first."""


class Absences(Protocol):
    """Who is away. `Store.commit` begins and ends an absence (`Transition.absence`)."""

    async def away(self, now: datetime) -> Mapping[Person, datetime]:
        """Who is away at `now`, and until when."""

    async def of(self, person: Person) -> Absent | None:
        """A person's absence that nobody has ended yet, passed or not."""

    async def over(self, now: datetime) -> Sequence[Person]:
        """Whose absence has passed at `now` and is not ended yet."""


class Homes(Protocol):
    """The App Homes."""

    async def page(self, person: Person) -> int:
        """The page of their App Home that a person looked at last, from 1."""

    async def waiting(self, person: Person, limit: int) -> Sequence[CaseSummary]:
        """Cases that wait for this person's answer, the next to expire first; never a drill."""

    async def live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        """Open grants that a person requested or that are in one of the domains, the next to end first."""

    async def owing(self, requester: Person, limit: int) -> Sequence[Case]:
        """Cases for which the requester owes evidence or a rotation, the most overdue first."""

    async def redraw(self, people: Iterable[Person] | None) -> None:
        """Queues a redraw of the Homes of these people, of everybody with None, if opened within 30 days."""
