"""Everything of a provider ends with its contract, and a request ends whose requester may not ask any more.

Looked at before each sweep, from memory: only a changed policy, a new day or the end of a notice reads any case. A contract
that was past already when this program first looked waits 24 h after everybody concerned was notified of what will end.
Source: governance-contract.md, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.case.transition import Notification
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider
from bot.domain.workflow import notifications
from bot.domain.workflow.providers import contract_notices
from bot.domain.workflow.providers.contract_notices import Notice
from bot.domain.workflow.providers.suspension import leads_of
from bot.ports.records import RequestLine
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy
from bot.service.transactions import TransactionRunner

NOTICE = timedelta(hours=24)  # of policy time
_ALL = 100_000  # requests that are pending or open


class Contracts:
    """One for each process."""

    def __init__(
        self, store: Store, clock: Clock, scale: float, current: CurrentPolicy, transactions: TransactionRunner
    ) -> None:
        self._store, self._clock, self._scale, self._current = store, clock, scale, current
        self._transactions = transactions
        self._grace: Mapping[str, datetime] | None = None  # notice of contracts that were past at the first look
        self._given: set[Notice] | None = None  # notices of ends to come; None: not read yet
        # The set, the ended contracts and the suspensions by which open requests were judged.
        self._looked = ("", frozenset[str](), frozenset[tuple[str, str]]())

    async def look(self) -> None:
        """Ends what the policy and the day have taken from providers and requesters since the last look.

        Raises StorageError, Stopped: then it is looked at again.
        """
        await self._current.refresh()
        if self._clock.jumped() is None:  # no doubted clock ends a contract; a suspension needs no clock
            await self._look_at_dates(self._current.policy, self._clock.now())
        policy = self._current.policy
        ended = policy.standing.contracts_over
        looked = (policy.digest, ended, policy.standing.providers)
        if self._looked == looked:
            return
        cases = self._store.cases
        samples = await cases.open_samples()  # one of each kind first, so that a start reads few
        if any(concerned(line, policy, ended) for line in samples):
            for line in await cases.requests(_ALL, closed_too=False):
                if concerned(line, policy, ended):
                    await self._transactions.sweep(line.id)
        self._looked = looked

    async def _look_at_dates(self, policy: Policy, now: datetime) -> None:
        """Finds the contracts that are over now, and the ends of which notice is due."""
        grace = self._grace if self._grace is not None else await self._first_look(policy, now)
        self._current.contracts_over(over(policy, grace, now) | ended_early(policy, self._current.ended))
        if self._given is None:
            self._given = set(await self._store.policies.contract_notices())
        for coming in contract_notices.due(self._current.policy, self._given, now, self._scale):
            lines = await self._store.cases.requests(_ALL, closed_too=False)
            ids = [line.id for line in lines if line.provider == coming.provider.id and not line.drill]
            says = contract_notices.says(policy, coming, ids)
            await self._store.policies.give_contract_notices(coming.notices, says)
            self._given |= set(coming.notices)
            self._current.spoke.set()

    async def _first_look(self, policy: Policy, now: datetime) -> Mapping[str, datetime]:
        """Contracts that are past already get notice, once for an installation."""
        found = await self._store.policies.contract_grace()
        if found is None:
            until, ids = now + NOTICE / self._scale, past(policy, now)
            lines = await self._store.cases.requests(_ALL, closed_too=False) if ids else ()
            await self._store.policies.give_contract_grace(ids, until, notices(policy, lines, ids, until))
            found = await self._store.policies.contract_grace() or {}
            self._current.spoke.set()
        self._grace = found
        return found


def past(policy: Policy, now: datetime) -> frozenset[str]:
    """The providers whose contract is over."""
    return frozenset(p.id for p in policy.providers.values() if p.ended(now.date()))


def over(policy: Policy, grace: Mapping[str, datetime], now: datetime) -> frozenset[str]:
    """Those of them whose notice is over too."""
    return frozenset(id_ for id_ in past(policy, now) if id_ not in grace or now >= grace[id_])


def ended_early(policy: Policy, ended: Mapping[str, datetime]) -> frozenset[str]:
    """The providers that two people ended, but for those whose `contract_from` names a later day: a new contract."""
    return frozenset(
        p.id for p in policy.providers.values()
        if p.id in ended and (p.contract_from is None or p.contract_from <= ended[p.id].date())
    )  # fmt: skip


def concerned(line: RequestLine, policy: Policy, ended: frozenset[str]) -> bool:
    """Whether a request that is pending or open may end by the policy: judged whole by the sweep. Looks at nothing of it but what
    `open_samples` tells apart."""
    provider = policy.providers.get(line.provider)
    if line.drill or not line.provider:
        return False
    if provider is None or provider.id in ended or (provider.id, line.domain) in policy.standing.providers:
        return True
    return line.state == "pending" and _may_not_ask(line, policy, provider)


def _may_not_ask(line: RequestLine, policy: Policy, provider: Provider) -> bool:
    runbook = policy.runbooks.get(line.runbook)
    return not provider.may_ask(line.requester) or (runbook is not None and provider.id not in runbook.providers)


def notices(policy: Policy, lines: Sequence[RequestLine], ids: frozenset[str], until: datetime) -> tuple[Notification, ...]:
    """Notices of what will end of these providers, to their requesters and leads, and to the owners of the domains."""
    says: list[Notification] = []
    for provider in (policy.providers[id_] for id_ in sorted(ids)):
        mine = [line for line in lines if line.provider == provider.id and not line.drill]
        text = (
            f"The contract of {provider.name} ended on {provider.contract_until}. At {until:%Y-%m-%d %H:%M} UTC this ends: "
            f"{', '.join(line.id for line in mine)}. Renew the date in the policy if that is wrong."
        )
        says += [notifications.answer(None, person, {}, "plain", text=text) for person in _told(policy, provider, mine)]
    return tuple(says)


def _told(policy: Policy, provider: Provider, lines: Sequence[RequestLine]) -> tuple[Person, ...]:
    if not lines:
        return ()
    owners = (policy.domains[line.domain].owner for line in lines if line.domain in policy.domains)
    return tuple(dict.fromkeys((*owners, *leads_of(policy, provider), *(line.requester for line in lines))))
