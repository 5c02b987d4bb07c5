"""Suspending a provider: from Slack by an owner or a risk owner in their own domains, from the host in all.

Source: governance-contract.md, section 4; the rules: `bot.domain.workflow.providers.suspension`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from bot.clock import Clock
from bot.domain.authority.authorization import Refused, may_record
from bot.domain.case.transition import Transition
from bot.domain.errors import LookupFailed
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.provider import Provider
from bot.domain.workflow.providers import suspension
from bot.ports.commands import SuspendProvider
from bot.ports.directory import Directory
from bot.ports.store import Store
from bot.service.accounts import account_of
from bot.service.current_policy import CurrentPolicy, taken_away

_ALL = 100_000  # requests that are pending or open


class Providers:
    """One for each process."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, current: CurrentPolicy) -> None:
        self._store, self._directory, self._clock, self._current = store, directory, clock, current

    async def suspend(self, act: SuspendProvider) -> Transition:
        """What the command comes to: one suspension for each of the person's domains, or the sentence why there is none."""
        await self._current.refresh()
        policy, reply = self._current.policy, asdict(act.reply)
        mine = suspension.domains_of(policy, act.person)
        provider = suspension.named(policy, act.provider)
        no = await self._refusal(policy, act, mine, provider)
        if no is not None or provider is None:
            return suspension.refused(act.person, reply, no or "")
        left = [d for d in mine if (provider.id, d.id) not in policy.standing.providers]
        names = ", ".join(d.name for d in mine)
        if not left:
            return suspension.refused(act.person, reply, f"{provider.name} is suspended in {names} already.")
        text = f"{provider.name} is suspended in {names}. An owner lifts it with Lift suspension."
        told = suspension.refused(act.person, reply, text)
        first, *rest = (
            suspension.begin(policy, provider, d, act.person, act.reason, self._clock.request_id(), self._clock.now())
            for d in left
        )
        return replace(first, also=tuple(rest), says=(*first.says, *told.says))

    async def _refusal(
        self, policy: Policy, act: SuspendProvider, mine: Sequence[Domain], provider: Provider | None
    ) -> str | None:
        if not mine:
            return f"Only owners and risk owners suspend a provider, in their own domains. Write to {policy.contact}."
        try:
            profile = await account_of(self._directory, act.person, takes_away=True)
        except LookupFailed:
            return "Slack did not answer. Send it again."
        allowed = may_record(policy, mine[0].id, act.person, profile)
        if isinstance(allowed, Refused):
            return allowed.reason
        if provider is None:
            return f"There is no such provider. The policy names: {', '.join(sorted(policy.providers)) or 'none'}."
        if not act.reason.strip():
            return "Say why: /countersign provider suspend NAME reason"
        return None


async def suspend_everywhere(
    store: Store, clock: Clock, policy: Policy, provider: Provider, reason: str
) -> Sequence[Domain]:
    """Suspends a provider from the host in every domain that it is served in; returns those where it was not suspended yet.

    Raises Stopped, StorageError. The log names an operator as the actor, not a person.
    """
    standing = taken_away(await store.cases.system_cases())
    lines = await store.cases.requests(_ALL, closed_too=False)
    also = {line.domain for line in lines if line.provider == provider.id}
    left = [d for d in suspension.served(policy, provider.id, also) if (provider.id, d.id) not in standing.providers]
    for domain in left:
        await store.commit(suspension.begin(policy, provider, domain, None, reason, clock.request_id(), clock.now()))
    return left
