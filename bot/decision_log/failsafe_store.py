"""The store that all callers use: the real one while the log can be written, and what still works while it cannot (rule 4).

The log is *stopped* when the signer refuses it or the disk refuses to write. Then nothing is given: an act that would leave
an entry is Stopped, unless it takes access away. Such an act is written to the emergency file
(`emergency_file`), overrides what is stored for everybody who reads (`failsafe_reads`), and is entered first when the log is back.
Answers, pages and the messages of such acts are meanwhile held in memory (`failsafe_inbox`, `failsafe_outbox`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import structlog

from bot.clock import Clock
from bot.decision_log.among_replicas import AmongReplicas
from bot.decision_log.commit_each import tried
from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.failsafe_inbox import FailsafeInbox, LogState
from bot.decision_log.failsafe_outbox import FailsafeOutbox
from bot.decision_log.failsafe_reads import FailsafeCalls, FailsafeCases, FailsafeHomes, FailsafeOperator
from bot.decision_log.held_commands import HeldCommands
from bot.decision_log.late_lines import LateLines
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import CountersignError, DiskRefuses, NotLeading, Reconnected, Stale, Stopped, StorageError, TooLate
from bot.domain.failsafe.revocation import Revocation, goes_on, taken
from bot.ports.host_commands import HOST, ActOnHost
from bot.ports.records import Cover
from bot.ports.store import Store

LOOK = 1.0  # seconds between two looks whether the log is back
_TRIES = 8
log = structlog.get_logger(__name__)


class FailsafeStore:
    """`Store` around another one, whose own parts pass through whole. `refuses` is the signer's finding, `cover` the gate to the
    outside."""

    def __init__(
        self, store: Store, emergency: EmergencyFile, clock: Clock, refuses: Callable[[], LogFinding | None], cover: Cover,
        among: AmongReplicas | None = None, held: HeldCommands | None = None,
    ) -> None:  # fmt: skip
        self._store, self._emergency, self._clock, self._cover = store, emergency, clock, cover
        self._alone, self._among = among is None, among or AmongReplicas()
        self._state = LogState(refuses, clock, self._among.lost)
        self._among.counts(self.kept)
        self._one, self.may_call = asyncio.Lock(), self._among.may_call
        self._told: list[Revocation] = []
        self.cases = FailsafeCases(store.cases, emergency, self._state.refused)
        self.homes = FailsafeHomes(store.homes, emergency, self.cases)
        self.calls = FailsafeCalls(store.calls, emergency, self.cases, self._among.leads)
        self.operator = FailsafeOperator(store.operator, emergency)
        self.inbox = FailsafeInbox(store.inbox, emergency, self._state, clock, self._among.leads, held, alone=self._alone)
        self.outbox = FailsafeOutbox(store.outbox, self._state, clock, self._among.leads)
        self.outbox.answered = self._finish
        self.late = LateLines(store.cases, store.operator, clock)
        self.history, self.absences, self.policies = store.history, store.absences, store.policies
        self.agreement, self.signing, self.reviews = store.agreement, store.signing, store.reviews
        self.log, self.anchors, self.clock, self.overview = store.log, store.anchors, store.clock, store.overview

    @property
    def why(self) -> str:
        """Why nothing is given; the empty string while the log can be written."""
        return self._state.why

    def kept(self) -> int:
        """How many acts wait for the log; at least one while this process may carry out more of them without it."""
        return max(len(self._emergency.lines()), int(bool(self._state.disk)))

    def refused(self, error: StorageError) -> None:
        """The disk refused to write: the log is stopped until it does."""
        self._state.refused(error)

    def findings(self) -> tuple[str, ...]:
        """Why nothing is given, and what waits for the log, a sentence each."""
        found = [f"The decision log is stopped, and nothing is given: {self.why}"] if self.why else []
        found += [missing] if (missing := self._among.unreported()) else []
        if waiting := len(self._emergency.lines()):
            found.append(f"Acts that took access away wait in the emergency file for the log: {waiting}.")
        if self._emergency.bad:
            found.append(f"{self._emergency.bad} lines of the emergency file are not signed with the log's key.")
        return tuple(found)

    # Acts.

    async def commit(self, act: Transition) -> Case | None:
        """As `Store.commit`; raises Stopped for what leaves an entry, or gives, while the log is stopped."""
        row = act.inbox
        if row is not None and row < 0:
            act = replace(act, inbox=None)
            if not self._alone and not self.why:
                raise StorageError("The log is back: what was held is stored first.")
        done = await self._committed(act, row)
        if row not in self.inbox.finished:
            self.inbox.forget(row)
        return done

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        """As `Store.commit_each`; one by one while the log is stopped."""
        if self.why or self._among.unreported():
            return [await tried(self.commit, act) for act in acts]
        found = await self._store.commit_each(acts)
        return [
            await tried(self.commit, act) if isinstance(result, DiskRefuses | Reconnected | Stopped) else result
            for act, result in zip(acts, found, strict=True)
        ]

    async def _committed(self, act: Transition, row: int | None) -> Case | None:
        if not self.why:
            self._among.hear_first(act)
            try:
                return await self._written(act)
            except StorageError as error:
                if isinstance(error, DiskRefuses):
                    self.refused(error)
                elif isinstance(error, NotLeading) or not goes_on(act):
                    raise
            except Stopped:
                log.warning("log.stopped_meanwhile")
        if goes_on(act):
            return await self._taken(act)
        changes = any(change is not None for change in (act.after, act.absence, act.operated, act.reviewed))
        if (act.entries or changes) and row is not None and not self._alone and self._state.lost_shortly:
            raise StorageError(self.why)  # its row is stored, or held in a file, so it is tried again
        if all(draft.type == "decision.refused" for draft in act.entries):
            act = replace(act, entries=())  # a refusal is answered, and no entry describes it
        if act.entries or changes:
            raise Stopped(self.why or "The log was stopped a moment ago; try again.")
        await self._only_said(act, row)
        return None

    async def _written(self, act: Transition) -> Case | None:
        try:
            return await self._store.commit(act)
        except Reconnected:
            self._among.lost()
            self._among.hear_first(act)
            return await self._store.commit(act)  # there is nobody to wait for

    async def _taken(self, act: Transition) -> Case | None:
        async with self._one:
            now = self._clock.now()
            if act.valid_before is not None and now >= act.valid_before:
                raise TooLate("The deadline passed before this could be written.")
            await self._check_unchanged(act)
            line = taken(act, now)
            await asyncio.to_thread(self._emergency.keep, line)
            log.warning("log.taken_without", request=act.after.id if act.after else None)
            await self._tell(line)
            return None if act.after is None else await self.cases.case(act.after.id)

    async def _check_unchanged(self, act: Transition) -> None:
        """The compare-and-swap that the store would make. Raises Stale."""
        if act.before is not None:
            stands = await self.cases.case(act.before.id)
            if stands is None or stands.request.version != act.before.request.version:
                raise Stale("The request changed meanwhile; look at it again.")
        asked = act.operated.before if act.operated is not None else None
        if asked is not None and await self.operator.action(asked.id) != asked:
            raise Stale("It changed meanwhile; look at it again.")
        if act.inbox is not None and act.inbox in self.inbox.carried_out():
            raise Stale("This was carried out already.")

    async def _only_said(self, act: Transition, row: int | None) -> None:
        """A page or a sentence: it needs no log. The row is finished once it was said, so that a kill loses no answer. Raises
        StorageError where another replica may be the one to answer it."""
        answered = row if act.says and act.signed is None else None
        silent = replace(act, says=(), inbox=act.inbox if answered is None else None)
        if act.inbox is not None and not self._alone:
            await self._store.commit(silent)
            silent = Transition(None, None)
        if answered is not None:
            self.inbox.finished.add(answered)
        self.outbox.hold(act.says, row=answered)
        try:
            await self._store.commit(silent)
        except DiskRefuses as error:
            self.refused(error)
            if silent.inbox is not None:
                self.inbox.finished.add(silent.inbox)

    async def _tell(self, line: Revocation) -> None:
        """Sends the act's messages, and redraws every copy of the case's messages."""
        self._told.append(line)
        self.outbox.hold(line.act.says, line)
        if line.act.refresh and line.act.after is not None:
            await self.outbox.hold_redraws(line.act.after.id, line)

    # When the log is back.

    async def watch(self, stop: asyncio.Event) -> None:
        """Looks until `stop` whether the log is back, and enters first what it does not have."""
        while not stop.is_set():
            try:
                await self.look()
            except CountersignError as error:
                log.warning("log.still_stopped", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK)

    async def look(self) -> None:
        """One look. Raises StorageError while the disk refuses."""
        await asyncio.to_thread(self._emergency.refresh)
        if self._state.refuses() is None and self._state.disk:
            await self._store.overview.prove_writable()
            if self._among.leads():
                await self._cover()
            self._state.disk = ""
            log.warning("log.disk_takes_again")
        if not self.why:
            await self._settle()
        if not self._alone:  # the database is on another machine, and may be lost
            await self.cases.remember()
        for line in self._emergency.lines():
            if line not in self._told:  # another process wrote it
                await self._tell(line)

    async def _settle(self) -> None:
        if not self._among.leads():
            await self.hand_over()
            return
        if not self._alone:
            await self.inbox.hand_in()
        await self.enter()
        await self._cover()  # also without a message to send: the unsigned tail is never older than a look

    async def hand_over(self) -> None:
        """Hands to the leader what came in and what was taken away while the database was lost. Raises StorageError."""
        await self.inbox.hand_in()
        for line in self._emergency.lines():
            text = self._emergency.text_of(line)
            key = f"emergency:{sha256(text.encode()).hexdigest()}"
            outcome = await self._store.inbox.outcome(key)
            if outcome:
                log.error("emergency.not_taken", error=outcome)  # the line stays, and is reported
            elif outcome is not None:
                await self._forgotten(line)
            if outcome is not None:
                continue
            unsent = self.outbox.unsent_of(line)
            says = self.outbox.says(unsent) if line in self._told else line.act.says
            places = tuple(place for place, say in enumerate(line.act.says) if say in says)
            await self._store.inbox.take_in(key, ActOnHost(HOST, text, late=True, unsent=places), {})
            self.outbox.drop(unsent)

    async def enter(self) -> None:
        """Enters into the log what was done without it, in order. Raises StorageError; the rest stays in the file then."""
        for line in self._emergency.lines():
            await self._entered(line)
            await self._forgotten(line)
        for row in self.inbox.finished - self.outbox.answering:
            await self._finish(row)

    async def _finish(self, row: int) -> None:
        with suppress(StorageError):  # it is tried again
            with suppress(Stale):
                if row > 0:
                    await self._store.commit(Transition(None, None, inbox=row))
            self.inbox.forget(row)

    async def _forgotten(self, line: Revocation) -> None:
        try:
            await asyncio.to_thread(self._emergency.forget, line)
        except OSError as error:
            raise StorageError(f"The emergency file cannot be written: {error.strerror}.") from None

    async def _entered(self, line: Revocation) -> None:
        for attempt in range(_TRIES):
            unsent = self.outbox.unsent_of(line)
            unsaid = line.saying(self.outbox.says(unsent)) if line in self._told else line
            act = await self.late.act(unsaid)
            if act is None:
                return
            try:
                await self._store.commit(act if attempt == 0 else replace(act, inbox=None))
            except Stale:
                continue
            self.outbox.drop(unsent)
            log.warning("log.entered_later", request=act.after.id if act.after else None)
            return
        raise StorageError("An act of the emergency file cannot be entered; it still stands there.")
