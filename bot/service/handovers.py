"""Domains change hands on their day: open questions go to the new owner, both owners are notified, and the log has an entry.

Looked at before each sweep, from memory; only another owner reads the store. The first look at a domain only notes its owner.
Source: governance-contract.md, section 1.
"""

from __future__ import annotations

from bot.clock import Clock
from bot.domain.case.transition import Notification
from bot.domain.governance import handover
from bot.domain.governance.handover import Open, owner_today
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.people import Person
from bot.domain.workflow import notifications
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner

_ALL = 10_000


class Handovers:
    """One for each process."""

    def __init__(self, store: Store, clock: Clock, current: CurrentPolicy, transactions: TransactionRunner) -> None:
        self._store, self._clock, self._current, self._transactions = store, clock, current, transactions
        self._looked: dict[str, str] = {}  # the owners of the last look

    async def look(self) -> None:
        """Hands over what has another owner since the last look. Raises StorageError, Stopped: then it is looked at again."""
        policy = self._current.policy
        owners = {domain.id: owner_today(domain) for domain in policy.domains.values() if domain.terms}
        if owners == self._looked or self._clock.jumped() is not None:
            return
        known = await self._store.policies.domain_owners()
        for domain in policy.domains.values():
            if domain.terms and known.get(domain.id) != owner_today(domain):
                await self._hand_over(policy, domain, known.get(domain.id))
        self._looked = owners

    async def _hand_over(self, policy: Policy, domain: Domain, was: str | None) -> None:
        if was is None or not handover.is_by_date(domain, was):
            await self._store.policies.hand_over(domain.id, was, owner_today(domain), ())
            return
        for case_id in (found := await self._open(policy, domain)).asks:  # before it is noted: a crash looks again
            await self._transactions.sweep(case_id)
        former = Person.parse(was) if was else None
        text = handover.text(policy, domain, former, found, self._clock.now().date())
        told = handover.hears(policy, domain, former)
        says: tuple[Notification, ...] = tuple(notifications.answer(None, p, {}, "plain", text=text) for p in told)
        event = handover.event(policy, domain, former, found)
        await self._store.policies.hand_over(domain.id, was, owner_today(domain), (event,), says)
        self._current.spoke.set()

    async def _open(self, policy: Policy, domain: Domain) -> Open:
        cases = self._store.cases
        asks = await cases.with_open_asks(domain.id, _ALL)
        live = await cases.exceptions(_ALL, ended_too=False)
        owed = [case for provider in policy.providers for case in await cases.owing_of(provider, _ALL)]
        return Open(
            tuple(asks),
            tuple(case.id for case in live if case.request.domain == domain.id),
            tuple(case.id for case in owed if case.request.domain == domain.id),
        )
