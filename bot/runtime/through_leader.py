"""The store of a command on a host whose database several replicas serve: what it commits, the replica that leads carries out.

The act goes into the inbox, signed with the log's key, and is answered within WAIT seconds. Where no replica leads, what takes
access away is written into this host's emergency file, and counts as soon as a replica has entered it; all else is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.clock import Clock
from bot.decision_log.commit_each import tried
from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.host_acts import command, raise_as
from bot.decision_log.keys import LogKey
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import Stopped
from bot.domain.failsafe.revocation import goes_on, taken
from bot.ports.store import Store
from bot.terminal import say

WAIT, LOOK = 10.0, 0.1  # seconds that a command waits for the leader, and between two looks
NOBODY = "No replica leads, so nothing was changed: start one, and look at `countersign replicas`."
WRITTEN = "No replica leads. It is written in the emergency file of STATE_DIR, and counts when a replica of this host has started."


class ThroughLeader:
    """`Store` whose commits go to the leader. `alive` says whether any replica lives; reads go to the store itself."""

    def __init__(
        self, store: Store, key: LogKey, emergency: EmergencyFile, clock: Clock, alive: Callable[[], Awaitable[bool]]
    ) -> None:
        self._key, self._emergency, self._clock, self._alive = key, emergency, clock, alive
        self.cases, self.history, self.absences, self.homes = store.cases, store.history, store.absences, store.homes
        self.inbox, self.outbox, self.calls, self.policies = store.inbox, store.outbox, store.calls, store.policies
        self.log, self.anchors, self.agreement, self.reviews = store.log, store.anchors, store.agreement, store.reviews
        self.signing, self.operator, self.clock, self.overview = store.signing, store.operator, store.clock, store.overview

    async def commit(self, act: Transition) -> Case | None:
        """As `Store.commit`; the case as it is read afterwards. Raises Stopped where no replica leads."""
        row = command(act, self._key.sign)
        key = f"host:{self._clock.salt().hex()}"
        await self.inbox.take_in(key, row, {})
        outcome = await self._answered(key)
        if outcome is None and not await self.inbox.withdraw(key):
            outcome = await self.inbox.outcome(key)
        if outcome is None:
            await self._without_leader(act)
        else:
            raise_as(outcome)
        return None if act.after is None else await self.cases.case(act.after.id)

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        return [await tried(self.commit, act) for act in acts]

    async def _answered(self, key: str) -> str | None:
        end = self._clock.monotonic() + WAIT
        while self._clock.monotonic() < end:
            outcome = await self.inbox.outcome(key)
            if outcome is not None:
                return outcome
            if not await self._alive():
                return None
            await asyncio.sleep(LOOK)
        return None

    async def _without_leader(self, act: Transition) -> None:
        if not goes_on(act):
            raise Stopped(NOBODY)
        await asyncio.to_thread(self._emergency.keep, taken(act, self._clock.now()))
        say(WRITTEN, error=True)
