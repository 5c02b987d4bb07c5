"""What a person may read: never another provider's requests, never a domain that is not theirs (rule 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.clock import read_request_id
from bot.domain.authority.authorization import named_for, open_to, suspended, waiting_asks
from bot.domain.case.model import Case
from bot.domain.decision_log.signed_note import read_checkpoint, read_note
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import notifications
from bot.ports.records import CaseSummary, DecidedFor
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy

_PAGE, _REGISTER = 25, 1000
HOME_PAGE, _HOME_WAITING = 10, 1000


@dataclass(frozen=True, slots=True)
class HomeContents:
    """The contents of one person's App Home.

    `waiting` is the page of what waits for their answer, `waits` how many there are. `mine`: what they asked for, newest
    first. `live`: open grants, their own and those of the domains they are named in. `owing`: cases for which they owe
    something. `away_until`: the end of their absence. `led`: the open requests of the provider that they lead. `audit`: what
    an auditor watches; None for everybody else.
    """

    person: Person
    page: int
    pages: int
    waits: int
    waiting: Sequence[Case]
    mine: Sequence[Case]
    live: Sequence[Case]
    owing: Sequence[Case]
    away_until: datetime | None
    led: Sequence[Case] = ()
    audit: AuditView | None = None


@dataclass(frozen=True, slots=True)
class AuditView:
    """What an auditor watches: the exceptions that hold, overdue questions by domain, and how far the log is signed."""

    exceptions: Sequence[Case]
    overdue: Mapping[str, int]
    entries: int
    signed: int


class CaseQueries:
    """Reads under the policy of the moment."""

    def __init__(self, store: Store, current: CurrentPolicy) -> None:
        self._store, self._current = store, current

    @property
    def policy(self) -> Policy:
        """The set in force."""
        return self._current.policy

    async def read_case(self, person: Person, text: str) -> Case | None:
        """A case by its id, read leniently; None where there is none that this person may see."""
        case_id = read_request_id(text)
        case = await self._store.cases.case(case_id) if case_id else None
        return case if case is not None and self._may_see(person, case) else None

    async def read_queue(self, person: Person) -> Sequence[Case]:
        """All open asks of my domains, or of my provider."""
        return await self._store.cases.open_cases(*self._seen_by(person), _PAGE)

    async def read_newest(self, person: Person) -> Sequence[Case]:
        """The newest cases of my domains, or of my provider, in any state."""
        return await self._store.cases.newest(*self._seen_by(person), _PAGE)

    def _seen_by(self, person: Person) -> tuple[list[str], list[str]]:
        """The domains and the providers whose cases this person may see."""
        provider = self.policy.provider_of(person)
        if provider is not None:
            return [], [provider.id]
        audits = person in self.policy.auditors
        return [d.id for d in self.policy.domains.values() if audits or person in named_for(self.policy, d)], []

    async def read_mine(self, person: Person) -> Sequence[Case]:
        return await self._store.cases.cases_of(person, _PAGE)

    async def read_waiting(self, person: Person) -> Sequence[Case]:
        """What has reached me and is still mine to see and to answer."""
        found = await self._store.cases.waiting_for(person, _PAGE)
        return [case for case in found if self._may_see(person, case) and open_to(case, self.policy, person)]

    async def read_reviews(self, person: Person) -> Sequence[Case]:
        """Where an ask after the yes waits for my answer: a review, a ratification, an extension, a renewal."""
        waiting = await self.read_waiting(person)
        return [case for case in waiting if notifications.reviews_again(case, self.policy, person)]

    async def read_owing(self, person: Person) -> Sequence[Case]:
        """Cases for which this person owes evidence or a rotation; for a lead, those of their provider."""
        mine = list(await self._store.homes.owing(person, _PAGE))
        led = [p.id for p in self.policy.providers.values() if p.leads_include(person)]
        for provider in led:
            mine += [case for case in await self._store.cases.owing_of(provider, _PAGE) if case not in mine]
        return mine

    async def read_exceptions(self, person: Person, now: datetime) -> Sequence[Case]:
        """The exceptions that hold at `now`: of my domains, of my provider, or all for an auditor."""
        found = await self._store.cases.exceptions(_REGISTER, ended_too=False)
        return [case for case in found if case.grant and now < case.grant.not_after and self._may_see(person, case)]

    async def read_decided_for(self, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
        """What others answered in this person's name, both ends included; nothing once they belong to a provider."""
        if self.policy.provider_of(person) is not None:
            return ()
        return await self._store.history.decided_for(person, since, until)

    async def read_home(self, person: Person, now: datetime) -> HomeContents:
        """The contents of a person's App Home at `now`, on the page that they opened last."""
        found = await self._store.homes.waiting(person, _HOME_WAITING)
        seen = [one for one in found if self._visible(person, one.requester, one.provider, one.domain)]
        mine = [one.id for one in seen if not self._perhaps_barred(person, one) or await self._waits(person, one.id)]
        pages = max(1, -(-len(mine) // HOME_PAGE))
        page = min(max(await self._store.homes.page(person), 1), pages)
        shown = [await self._store.cases.case(id_) for id_ in mine[(page - 1) * HOME_PAGE : page * HOME_PAGE]]
        named = [d.id for d in self.policy.domains.values() if person in named_for(self.policy, d)]
        away = (await self._store.absences.away(now)).get(person)
        live = await self._store.homes.live(person, named, HOME_PAGE)
        return HomeContents(
            person, page, pages, len(mine), [case for case in shown if case is not None],
            await self._store.cases.cases_of(person, HOME_PAGE), [case for case in live if self._may_see(person, case)],
            await self._store.homes.owing(person, HOME_PAGE), away, await self._led_by(person),
            await self._audited_by(person, now),
        )  # fmt: skip

    def _perhaps_barred(self, person: Person, one: CaseSummary) -> bool:
        """Whether only the whole case says if it is theirs to answer; so seldom that a Home reads few cases for it."""
        humans, involved = self.policy.humans, (one.requester, *([one.subject] if one.subject else []))
        several = len(humans.accounts(person)) > 1
        mine = any(humans.same(person, somebody) for somebody in involved)
        return mine or one.said_yes or several or suspended(self.policy, one.domain, person) is not None

    async def _waits(self, person: Person, case_id: str) -> bool:
        case = await self._store.cases.case(case_id)
        return case is not None and bool(waiting_asks(case, self.policy, person))

    async def _led_by(self, person: Person) -> Sequence[Case]:
        """The open requests of the providers that this person leads, the next to expire first."""
        led = [provider.id for provider in self.policy.providers.values() if provider.leads_include(person)]
        return await self._store.cases.open_cases([], led, HOME_PAGE) if led else ()

    async def _audited_by(self, person: Person, now: datetime) -> AuditView | None:
        if person not in self.policy.auditors or self.policy.provider_of(person) is not None:
            return None
        late = (await self._store.overview.lateness(now)).overdue
        note = await self._store.log.last_checkpoint()
        signed = read_checkpoint(read_note(note).text).size if note is not None else 0
        overdue = {domain: found.count for domain, found in late.items() if found.count}
        return AuditView(await self.read_exceptions(person, now), overdue, (await self._store.log.head()).size, signed)

    def _may_see(self, person: Person, case: Case) -> bool:
        request = case.request
        return self._visible(person, request.requester, request.provider, request.domain) or self._shared(person, case)

    def _shared(self, person: Person, case: Case) -> bool:
        """A lead sees a finding of the organisation's people once the owner shares it."""
        if case.finding is None or not case.finding.shared:
            return False
        runbook = self.policy.runbooks.get(case.request.runbook)
        named = (self.policy.providers.get(id_) for id_ in (runbook.providers if runbook else ()))
        return any(provider is not None and provider.leads_include(person) for provider in named)

    def _visible(self, person: Person, requester: Person, provider_id: str, domain_id: str) -> bool:
        provider = self.policy.provider_of(person)
        if provider is not None or person == requester:
            return person == requester or (provider is not None and provider.id == provider_id)
        domain = self.policy.domains.get(domain_id)
        return person in self.policy.auditors or (domain is not None and person in named_for(self.policy, domain))
