"""The policy in force, and what acts have taken away from it.

Suspended authority and withdrawn rights are cases (`bot.domain.workflow.suspensions`), read again before each judgement: they hold in
every process, across restarts, and whatever set is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from bot.clock import Clock
from bot.domain.authority.endorsement import Became, Endorsement, WaitingChange, became, waiting_changes, with_endorsements
from bot.domain.authority.policy_rollout import InForce, Sets, strictest
from bot.domain.case.lifecycle import AskState
from bot.domain.errors import DiskRefuses
from bot.domain.policy.governance import Narrowed
from bot.domain.policy.model import Policy, Suspended, TakenAway
from bot.ports.records import SystemCase
from bot.ports.store import Store


class CurrentPolicy:
    """One for each process; judgements and views take the current set from it. `spoke` is set when there is
    something to say."""

    def __init__(self, store: Store, clock: Clock, scale: float, policy: Policy) -> None:
        self._store, self._clock, self._scale = store, clock, scale
        self._sets = Sets((InForce(policy, clock.now()),))
        self._narrowed: tuple[Narrowed, ...] | None = None
        self.ended: Mapping[str, datetime] = {}  # the providers that two people ended, as of the last `refresh`
        self._day: date | None = None  # UTC, for whose owners `_sets` is
        self._endorsed: tuple[Endorsement, ...] = ()
        self.spoke = asyncio.Event()
        self.confirmed: Callable[[Policy], Policy] = lambda policy: policy  # without what owners have yet to confirm

    @property
    def sets(self) -> Sets:
        """The sets that bind, with the owners of today. Owners by date are part of an accepted set: they need no delay."""
        today = self._clock.now().date()
        if today != self._day:
            self._sets, self._day = self._sets.on(today), today
        return self._sets

    @sets.setter
    def sets(self, sets: Sets) -> None:
        self._sets, self._day = sets, None

    @property
    def policy(self) -> Policy:
        """The set in force."""
        return self.sets.current

    @property
    def key_changes(self) -> tuple[WaitingChange, ...]:
        """The changes of the signing keys that wait for an endorsement, as of the last `refresh`."""
        return waiting_changes(self.sets, self._endorsed, self._clock.now()) if self._has_keys else ()

    def became(self, id_: str) -> Became:
        """What has become of a change of the signing keys, as of the last `refresh`."""
        return became(self.sets, self._endorsed, id_, self._clock.now())

    @property
    def _has_keys(self) -> bool:
        sets = self.sets.sets
        return len(sets) > 1 and any(one.policy.signing is not None for one in sets[:-1])

    @property
    def asking(self) -> Policy:
        """The set in force as it counts for a new request: what it lately made easier counts later (`policy_rollout`)."""
        return self.confirmed(strictest(self.policy, self.sets.also_binding(self._clock.now())))

    async def refresh(self) -> None:
        """Reads what acts have taken away from the set in force, and which of its changes were endorsed: before every judgement.
        Raises StorageError."""
        if self._has_keys:
            await self._read_endorsements()
        by_cases = taken_away(await self._store.cases.system_cases(), await self._narrowed_now())
        policy = self.policy
        found = replace(by_cases, contracts_over=policy.standing.contracts_over)
        if found != policy.standing:
            self.sets = self.sets.with_current(replace(policy, standing=found))

    async def _read_endorsements(self) -> None:
        try:
            endorsed = tuple(await self._store.policies.endorsements())
        except DiskRefuses:  # the database is lost: nothing can be given, and what is known counts
            if self._narrowed is None:
                raise
            return
        if endorsed != self._endorsed:
            self._endorsed = endorsed
            self.sets = with_endorsements(self.sets, endorsed, self._scale)

    async def _narrowed_now(self) -> Sequence[Narrowed]:
        """What reviews have narrowed, read with `ended`; as it was known last while the database is lost, when nothing can be
        given."""
        try:
            narrowed, self.ended = await self._store.policies.taken_away()
            self._narrowed = tuple(narrowed)
        except DiskRefuses:
            if self._narrowed is None:
                raise
        return self._narrowed

    def contracts_over(self, providers: frozenset[str]) -> None:
        """The providers whose contract has ended, and with it everything of theirs."""
        if providers != self.policy.standing.contracts_over:
            taken = replace(self.policy.standing, contracts_over=providers)
            self.sets = self.sets.with_current(replace(self.policy, standing=taken))

    async def adopt(self, policy: Policy) -> None:
        """Puts a changed set in force that is stored and announced already."""
        self.sets = self.sets.then(policy, self._clock.now(), self._scale)
        self.spoke.set()
        await self._store.cases.wake_on_call(self._clock.now())

    async def reread(self, policy: Policy) -> None:
        """The same set with its feeds read again. Another person may be on call now: open questions are re-evaluated."""
        self.sets = self.sets.with_current(policy)
        await self._store.cases.wake_on_call(self._clock.now())


def taken_away(found: Sequence[SystemCase], narrowed: Iterable[Narrowed] = ()) -> TakenAway:
    """What the cases that nobody filed, and the reviews, take away now."""
    suspended = (
        Suspended(m.domain, m.subject, m.id)
        for m in found
        if m.kind == "suspension" and m.state is AskState.OPEN and m.subject is not None
    )
    withdrawn = (m.sha256 for m in found if m.kind == "right" and m.state is AskState.NO)
    providers = ((m.provider, m.domain) for m in found if m.kind == "provider" and m.state is AskState.OPEN)
    gone, less = frozenset(providers), frozenset(narrowed)
    return TakenAway(frozenset(suspended), frozenset(withdrawn), providers=gone, narrowed=less)
