"""An outside party, and whose people are whose.

`provider_of` is the one answer to "who is whose": loader, click, `doctor` and channels all ask it, so that a person whom
one of them counts as a provider's is nobody's approver for another (party rule, design section 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.domain.policy.people import Humans, Person, Ref


@dataclass(frozen=True, slots=True)
class Provider:
    """An outside party. Everyone of `workspaces`, `members`, `requesters` and `leads` belongs to it."""

    id: str
    name: str
    contract: str | None
    contract_until: date | None
    channel: str | None
    workspaces: frozenset[str]
    members: tuple[Ref, ...]
    requesters: tuple[Ref, ...]
    leads: tuple[Ref, ...]
    contract_from: date | None = None  # nothing is filed before this day
    service: str = ""  # what the contract is about, for readers

    def owns(self, person: Person) -> bool:
        """Party rule, on the safe side: a user id named here belongs here whatever team a payload claims."""
        named = {ref.user for group in (self.members, self.requesters, self.leads) for ref in group}
        return person.team in self.workspaces or person.user in named

    def may_ask(self, person: Person) -> bool:
        return any(ref.matches(person) for ref in self.requesters)

    def leads_include(self, person: Person) -> bool:
        return any(ref.matches(person) for ref in self.leads)

    def begins_later(self, today: date) -> bool:
        """Whether nothing may be filed yet: `contract_from` is the first day, UTC."""
        return self.contract_from is not None and today < self.contract_from

    def ended(self, today: date) -> bool:
        """Whether its contract is over: `contract_until` is the last day, UTC."""
        return self.contract_until is not None and today > self.contract_until


def provider_of(providers: Iterable[Provider], humans: Humans, person: Person) -> Provider | None:
    """The provider that a human belongs to by any of their accounts; None for everybody else.

    Accounts that `same_person` writes with a workspace count in that workspace; the others in the person's own.
    """
    accounts = humans.accounts_of(person)
    return next((provider for provider in providers if any(provider.owns(account) for account in accounts)), None)
