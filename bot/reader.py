"""What a person may read: never another provider's requests, never a domain that is not theirs (rule 11)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.clock import read_request_id
from bot.domain.motion import Sets
from bot.domain.people import Person
from bot.domain.policy import Policy
from bot.domain.request import Case
from bot.domain.rights import named_for
from bot.ports import Store

_PAGE = 25


class Reader:
    """Reads under the policy of the moment."""

    def __init__(self, store: Store, sets: Sets) -> None:
        self.store, self.sets = store, sets

    @property
    def policy(self) -> Policy:
        """The set in force."""
        return self.sets.current

    async def read_case(self, person: Person, text: str) -> Case | None:
        """A case by its id, read leniently; None where there is none that this person may see."""
        case_id = read_request_id(text)
        case = await self.store.case(case_id) if case_id else None
        return case if case is not None and self._may_see(person, case) else None

    async def read_queue(self, person: Person) -> Sequence[Case]:
        """All open asks of my domains, or of my provider."""
        provider = self.policy.provider_of(person)
        if provider is not None:
            return await self.store.open_cases([], [provider.id], _PAGE)
        domains = self.policy.domains.values()
        mine = [d.id for d in domains if person in named_for(self.policy, d) or person in self.policy.auditors]
        return await self.store.open_cases(mine, [], _PAGE)

    async def read_mine(self, person: Person) -> Sequence[Case]:
        return await self.store.cases_of(person, _PAGE)

    async def read_waiting(self, person: Person) -> Sequence[Case]:
        """What has reached me and is still mine to see."""
        return [case for case in await self.store.waiting_for(person, _PAGE) if self._may_see(person, case)]

    def _may_see(self, person: Person, case: Case) -> bool:
        provider = self.policy.provider_of(person)
        if provider is not None or person == case.request.requester:
            return person == case.request.requester or (provider is not None and provider.id == case.request.provider)
        domain = self.policy.domains.get(case.request.domain)
        return person in self.policy.auditors or (domain is not None and person in named_for(self.policy, domain))
