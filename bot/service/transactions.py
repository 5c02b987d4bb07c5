"""How a judged act is carried out, and what needs nobody's click: the clock's acts, and a card that cannot be delivered.

An act is judged, then committed; if another act was faster the commit raises Stale, and it is judged again on the new state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.domain.case.ask import Brake
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import Frozen, LookupFailed, Stale, Stopped, StorageError, TooLate, WokenEnough
from bot.domain.failsafe import clock_guard
from bot.domain.policy.model import Kind, Policy
from bot.domain.policy.people import Person, Profile
from bot.domain.timing import cooling_off, waking
from bot.domain.timing.escalation import Away as NotHere
from bot.domain.timing.escalation import Presence
from bot.domain.timing.steps import candidates
from bot.domain.workflow import delegation, notifications, timers
from bot.domain.workflow.suspensions import suspending
from bot.ports.directory import Directory
from bot.ports.records import Due, OutboxRow
from bot.ports.store import Store
from bot.ports.tracing import NO_TRACING, Tracing
from bot.service import suspensions
from bot.service.current_policy import CurrentPolicy

CARD_AGE, PRESENCE_WAIT = 60.0, 0.5  # seconds; the first by the policy's clock, so that a demo sees who falls asleep
TRIES = 8
DOUBT = timedelta(seconds=5)
_BREATH = 8  # cases judged in one go of the event loop


class TransactionRunner:
    """One for each process. `spoke` is set when there is something to send, `committed` is called with every act that was committed,
    `tracing` hears what is done for a request."""

    def __init__(self, store: Store, directory: Directory, clock: Clock, scale: float, current: CurrentPolicy) -> None:
        self._store, self._directory, self._clock, self._scale, self._current = store, directory, clock, scale, current
        self.spoke = current.spoke
        self.committed: Callable[[Transition], None] = lambda act: None
        self.tracing: Tracing = NO_TRACING
        self._brake: ContextVar[Brake | None] = ContextVar("brake", default=None)  # while an act is judged again
        self._reviewed = ""  # the set whose autonomous rights are under review

    async def keep_rights(self) -> None:
        """Once for each set: begins and ends the reviews of autonomous rights."""
        policy = self._current.policy
        if self._reviewed == policy.digest or self._clock.jumped() is not None:
            return
        try:
            for act in await suspensions.reviews(self._store, policy, self._clock, self._scale):
                await self.commit(act)
        except (Frozen, Stale, StorageError, Stopped):
            return  # the next sweep tries again, and what takes access away waits for none of it
        self._reviewed = policy.digest

    # What the clock and the messenger bring.

    async def sweep(self, case_id: str) -> None:
        """Everything that is due on a case now."""
        await self.retry_on_conflict(lambda: self._sweep(case_id), None)

    async def judge_due(self, found: Sequence[Due], failed: Callable[[str], None]) -> list[Transition]:
        """What is due on cases that were read together: who is there is asked once for all of them, and the loop breathes
        between them. `failed` is called, inside the error handler, with a case that could not be judged."""
        now, known = self._clock.now(), {due.case.request.domain for due in found}
        listed = [person for domain in known for person in candidates(self._current.policy, domain)]
        urgent = any(due.case.request.kind == "emergency_access" for due in found)
        awake_or_not = await self.presence(listed, "emergency_access" if urgent else None)
        asleep_or_not = Presence(awake_or_not.away, binding=awake_or_not.binding)
        acts = []
        for number, due in enumerate(found, 1):
            emergency = due.case.request.kind == "emergency_access"
            try:
                act = self._swept(due.case, awake_or_not if emergency else asleep_or_not, now, due.cards)
            except Exception:  # noqa: BLE001  # one case stops nobody else's
                failed(due.case.id)
            else:
                acts += [] if act is None else [act]
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return acts

    async def carry_out_due(self, acts: Sequence[Transition], failed: Callable[[str], None]) -> None:
        """Commits what was judged. Where somebody was faster it is judged again; `failed` as in `judge_due`."""
        acts = [self._whole(act) for act in acts]
        for number, (act, result) in enumerate(zip(acts, await self._store.commit_each(acts), strict=True), 1):
            if result is None:
                self.written(act)
            elif act.before is not None and not isinstance(result, Stopped):  # else it is due again when the log is back
                await self._not_written(act.before.id, result, failed)
            if number % _BREATH == 0:
                await asyncio.sleep(0)

    async def _not_written(self, case_id: str, error: Exception, failed: Callable[[str], None]) -> None:
        try:
            if not isinstance(error, Stale | TooLate | Frozen):
                raise error
            await self.sweep(case_id)
        except Stopped:
            return
        except Exception:  # noqa: BLE001  # one case stops nobody else's
            failed(case_id)

    async def _sweep(self, case_id: str) -> Transition | None:
        case = await self._store.cases.case(case_id)
        if case is None:
            return None
        presence = await self.presence(candidates(self._current.policy, case.request.domain), case.request.kind)
        cards = [c for c in await self._store.outbox.copies(case_id) if c.purpose == "card"]
        return self._swept(case, presence, self._clock.now(), len(cards))

    def _swept(self, case: Case, presence: Presence, now: datetime, cards: int) -> Transition | None:
        older = self._current.sets.also_binding(case.request.filed_at) if cooling_off.waits(case) else ()
        return self._unless_doubted(timers.sweep(case, self._current.policy, presence, now, cards, older), now)

    def _unless_doubted(self, act: Transition | None, now: datetime) -> Transition | None:
        """What the clock would open waits while the clock is doubted (rule 12): it is looked at again in a while."""
        if act is None or act.before is None or self._clock.jumped() is None or not clock_guard.gives(act):
            return act
        return Transition(act.before, act.before, wake_at=now + DOUBT)

    async def undelivered(self, outgoing: OutboxRow, error: str) -> None:
        """A card will never reach its person: the engine moves on if nobody else of the step was reached. A receipt that
        does not arrive is posted under the channel button."""
        person, case_id = outgoing.say.to, outgoing.say.case
        if person is None or case_id is None:
            return

        async def judged() -> Transition | None:
            case = await self._store.cases.case(case_id)
            if case is None:
                return None
            if outgoing.say.purpose == "receipt":
                say = notifications.receipt_at_door(case, str(outgoing.say.data.get("door", "")))
                return Transition(None, None, says=(say,)) if say else None
            presence = await self.presence(candidates(self._current.policy, case.request.domain), case.request.kind)
            version = int(str(outgoing.say.data["version"])) if "version" in outgoing.say.data else None
            return timers.card_failed(case, self._current.policy, presence, person, error, self._clock.now(), version)

        await self.retry_on_conflict(judged, None)
        await self.retry_on_conflict(lambda: self.stand_in(case_id), None)  # they may have acted for an owner who is away

    async def slack_is_silent(self, outgoing: OutboxRow) -> None:
        """Slack has taken nothing for a while, and this waits for it: its reader is paged instead where they can be."""
        person, case_id = outgoing.say.to, outgoing.say.case
        if person is None or case_id is None:
            return

        async def judged() -> Transition | None:
            case = await self._store.cases.case(case_id)
            if case is None or self._brake.get() is not None:
                return None
            return timers.slack_is_silent(case, self._current.policy, person, self._clock.now())

        await self.retry_on_conflict(judged, None)

    async def heard(self, case_id: str, judge: Callable[[Case, Policy, datetime], Transition | None]) -> None:
        """An external system answered about a case, or did not: judged on the current state."""

        async def judged() -> Transition | None:
            case = await self._store.cases.case(case_id)
            return None if case is None else judge(case, self._current.policy, self._clock.now())

        await self.retry_on_conflict(judged, None)

    async def stand_in(self, case_id: str) -> Transition | None:
        """Judges whether the asks of a case go to deputies now, because somebody asked is away."""
        case = await self._store.cases.case(case_id)
        if case is None:
            return None
        return delegation.stand_in(case, self._current.policy, await self.presence_for(case), self._clock.now())

    # How an act is carried out.

    async def retry_on_conflict(self, judge: Callable[[], Awaitable[Transition | None]], inbox: int | None) -> None:
        """Judges and commits; judges again while somebody else was faster. What would give while the clock is doubted
        becomes its refusal (rule 12). Raises Stale after many tries."""
        frozen, brake = False, None
        for attempt in range(TRIES):
            act = await self._judged(judge, brake)
            if act is None:
                return
            act = replace(act, inbox=inbox)
            if clock_guard.gives(act) and (frozen or self._clock.jumped() is not None):
                act = clock_guard.refuse(act)
            try:
                await self.commit(act)
                return
            except Frozen:
                frozen = True
            except WokenEnough as enough:
                brake = waking.brake(enough.moments, enough.braked, self._clock.now(), self._scale)
            except (Stale, TooLate):
                if attempt == TRIES - 1:
                    raise

    async def _judged(self, judge: Callable[[], Awaitable[Transition | None]], brake: Brake | None) -> Transition | None:
        """Judges with `brake` in every `presence` that is asked for meanwhile."""
        token = self._brake.set(brake)
        try:
            return await judge()
        finally:
            self._brake.reset(token)

    async def commit(self, act: Transition) -> None:
        """Carries out what was judged. Raises Stale, Frozen, TooLate, Stopped, StorageError."""
        await self._store.commit(self._whole(act))
        self.written(act)

    def written(self, act: Transition) -> None:
        """An act is committed: there may be something to say."""
        self.spoke.set()
        self.committed(act)
        if act.after is not None:
            with self.tracing.span("committed", act.after.id, entries=" ".join(draft.type for draft in act.entries)):
                pass

    async def presence_for(self, case: Case) -> Presence:
        """The people the case could ask who are away now."""
        return await self.presence(candidates(self._current.policy, case.request.domain), case.request.kind)

    def _whole(self, act: Transition) -> Transition:
        policy, now = self._current.policy, self._clock.now()
        also = suspending(act, policy, self._clock.request_id, now)
        wakes = waking.waking(act, policy, now, self._scale)
        return replace(act, also=(*act.also, *also), wakes=wakes) if also or wakes != act.wakes else act

    async def presence(self, people: Iterable[Person], kind: Kind | None) -> Presence:
        """Who is away, whose account is gone and, for an emergency, who sleeps. Whom Slack does not answer for in time
        counts as there and awake: a card is tried."""
        await self._current.refresh()
        listed = list(dict.fromkeys(people))
        away = await self._store.absences.away(self._clock.now())
        found = await asyncio.gather(*(self._account(person) for person in listed))
        absent: dict[Person, NotHere] = {person: "absent" for person in listed if person in away}
        gone: dict[Person, NotHere] = {
            person: "deactivated"
            for person, profile in zip(listed, found, strict=True)
            if profile is not None and profile.deleted
        }
        quiet = await self._quiet(listed) if kind == "emergency_access" else {}
        return Presence(absent | gone, quiet, self._brake.get(), self._current.sets.also_binding)

    async def _quiet(self, people: Iterable[Person]) -> dict[Person, datetime]:
        listed = list(people)
        found = await asyncio.gather(*(self._sleeps(person) for person in listed))
        return {person: until for person, until in zip(listed, found, strict=True) if until is not None}

    async def _sleeps(self, person: Person) -> datetime | None:
        try:
            async with asyncio.timeout(PRESENCE_WAIT):
                return await self._directory.quiet_until(person, CARD_AGE / self._scale)
        except (LookupFailed, TimeoutError):
            return None

    async def _account(self, person: Person) -> Profile | None:
        try:
            async with asyncio.timeout(PRESENCE_WAIT):
                return await self._directory.profile(person, CARD_AGE / self._scale)
        except (LookupFailed, TimeoutError):
            return None
