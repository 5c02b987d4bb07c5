"""The store as everybody above sees it: the real one while the log can be written, and what goes on while it cannot (rule 4).

The log is *stopped* when the signer refuses it or the disk refuses to write. Then nothing is given: an act that would leave
an entry is Stopped, unless it takes access away. Such an act stands in the emergency file (`bot.decision_log.emergency_file`), overrides what
is stored for everybody who reads, and is entered first when the log is back. What must be said meanwhile stands in memory, as
the database may take nothing: answers, pages, and what the acts that went on have to tell.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import structlog

from bot.clock import Clock
from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.failsafe_reads import FailsafeReads
from bot.domain.case.model import Case
from bot.domain.case.operator_action import OperatorChange
from bot.domain.case.transition import Lane, LogEvent, Notification, Transition
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import CountersignError, DiskRefuses, Stale, Stopped, StorageError, TooLate
from bot.domain.failsafe.revocation import Revocation, entered, goes_on, taken
from bot.domain.workflow.notifications import PAGER
from bot.ports.commands import Command
from bot.ports.store import Cover, InboxRow, OutboxRow, Store

LOOK = 1.0  # seconds between two looks whether the log is back
_TRIES = 8
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _UnloggedNotification:
    """Something to be said that stands in no outbox. `line`: the act that it tells of."""

    outgoing: OutboxRow
    not_before: datetime
    line: Revocation | None = None
    leased: bool = False


class FailsafeStore(FailsafeReads):
    """`bot.ports.store.Store` around another one. `refuses` is the signer's finding, `cover` the gate to the outside."""

    def __init__(
        self, store: Store, emergency: EmergencyFile, clock: Clock, refuses: Callable[[], LogFinding | None], cover: Cover
    ) -> None:
        super().__init__(store, emergency)
        self._clock, self._refuses, self._cover = clock, refuses, cover
        self._disk = ""  # the sentence of a disk that refused
        self._one = asyncio.Lock()
        self._numbers = itertools.count(-1, -1)
        self._aside: dict[int, _UnloggedNotification] = {}
        self._acts: dict[int, InboxRow] = {}
        self._finished: set[int] = set()  # inbox rows that are done with, and cannot be marked so yet
        self._told: list[Revocation] = []
        self.spoke: Callable[[], None] = lambda: None  # hears that there is something to say

    @property
    def why(self) -> str:
        """Why nothing is given; the empty string while the log can be written."""
        refused = self._refuses()
        return refused.text if refused is not None else self._disk

    def findings(self) -> tuple[str, ...]:
        """Why nothing is given, and what waits for the log, a sentence each."""
        found = [f"The decision log is stopped, and nothing is given: {self.why}"] if self.why else []
        if waiting := len(self._emergency.lines()):
            found.append(f"{waiting} acts that took access away wait in the emergency file for the log.")
        if self._emergency.bad:
            found.append(f"{self._emergency.bad} lines of the emergency file are not signed with the log's key.")
        return tuple(found)

    # Acts.

    async def commit(self, act: Transition) -> Case | None:
        """As `Store.commit`; raises Stopped for what leaves an entry, or gives, while the log is stopped."""
        row = act.inbox
        if row is not None and row < 0:
            act = replace(act, inbox=None)
        done = await self._committed(act)
        self._acts.pop(row or 0, None)
        return done

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        """As `Store.commit_each`; one by one while the log is stopped."""
        if not self.why:
            found = await self._store.commit_each(acts)
            if not any(isinstance(result, DiskRefuses | Stopped) for result in found):
                return found
            return [
                await self._tried(act) if isinstance(result, DiskRefuses | Stopped) else result
                for act, result in zip(acts, found, strict=True)
            ]
        return [await self._tried(act) for act in acts]

    async def _tried(self, act: Transition) -> Exception | None:
        try:
            await self.commit(act)
        except CountersignError as error:
            return error
        return None

    async def _committed(self, act: Transition) -> Case | None:
        if not self.why:
            try:
                return await self._store.commit(act)
            except StorageError as error:
                if isinstance(error, DiskRefuses):
                    self.refused(error)
                elif not goes_on(act):
                    raise
            except Stopped:
                log.warning("log.stopped_meanwhile")
        if goes_on(act):
            return await self._taken(act)
        if all(draft.type == "decision.refused" for draft in act.entries):
            act = replace(act, entries=())  # whoever is refused hears why, and no entry says so
        if act.entries or act.after is not None or act.absence is not None or act.operated is not None:
            raise Stopped(self.why or "The log was stopped a moment ago; try again.")
        await self._only_said(act)
        return None

    async def _taken(self, act: Transition) -> Case | None:
        async with self._one:
            now = self._clock.now()
            if act.valid_before is not None and now >= act.valid_before:
                raise TooLate("The deadline passed before this could be written.")
            if act.before is not None:
                stands = await self.case(act.before.id)
                if stands is None or stands.request.version != act.before.request.version:
                    raise Stale("The request changed meanwhile; look at it again.")
            asked = act.operated.before if act.operated is not None else None
            if asked is not None and await self.operator_act(asked.id) != asked:
                raise Stale("It changed meanwhile; look at it again.")
            if act.inbox is not None and act.inbox in self._over():
                raise Stale("This was carried out already.")
            line = taken(act, now)
            await asyncio.to_thread(self._emergency.keep, line)
            log.warning("log.taken_without", request=act.after.id if act.after else None)
            await self._tell(line)
            return None if act.after is None else await self.case(act.after.id)

    async def _only_said(self, act: Transition) -> None:
        """A page or a sentence: it needs no log."""
        self._say(act.says)
        try:
            await self._store.commit(replace(act, says=()))
        except DiskRefuses as error:
            self.refused(error)
            if act.inbox is not None:
                self._finished.add(act.inbox)

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        """As `Store.take_in`; while the disk refuses, in memory: only what takes away comes of it, and a sentence else."""
        first = next((row for row in self._acts.values() if row.key == key), None)
        if first is not None:
            return first.answer
        if not self._disk:
            try:
                return await self._store.take_in(key, act, answer)
            except DiskRefuses as error:
                self.refused(error)
        number = next(self._numbers)
        self._acts[number] = InboxRow(number, key, act, answer, self._clock.now())
        return answer

    async def inbox(self, limit: int) -> Sequence[InboxRow]:
        over = self._over()
        try:
            stored = await self._store.inbox(limit + len(over))
        except StorageError:
            stored = ()
        now = self._clock.now()
        kept = [row for row in self._acts.values() if row.received_at <= now]
        return [*kept, *(row for row in stored if row.id not in over)][:limit]

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        if inbox_id not in self._acts:
            await self._store.put_off(inbox_id, until)
            return
        row = self._acts[inbox_id]
        self._acts[inbox_id] = replace(row, received_at=until, attempts=row.attempts + 1)

    def _over(self) -> set[int]:
        return self._finished | {line.act.inbox for line in self._emergency.lines() if line.act.inbox is not None}

    def refused(self, error: StorageError) -> None:
        """The disk took nothing: the log is stopped until it does."""
        if not self._disk:
            log.error("log.disk_refuses", error=str(error))
        self._disk = str(error)

    # What must be said meanwhile.

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        """What stands in memory; what stands in the outbox only while the log can be written."""
        mine = [
            one for one in self._aside.values()
            if not one.leased and one.not_before <= now and (one.outgoing.say.purpose == PAGER) is pages
        ][:limit]  # fmt: skip
        for one in mine:
            one.leased = True
        found = [one.outgoing for one in mine]
        if self.why:
            return found
        try:
            return [*found, *await self._store.lease(now, until, limit, pages=pages)]
        except DiskRefuses as error:
            self.refused(error)
            return found

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        if self._aside.pop(outgoing.id, None) is None:
            await self._store.sent(outgoing, channel, ts, drawn, entries, plain=plain)

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        if self._aside.pop(outgoing.id, None) is None:
            await self._store.undeliverable(outgoing, error, entries)

    async def release(self, outgoing: OutboxRow, not_before: datetime, error: str) -> None:
        one = self._aside.get(outgoing.id)
        if one is None:
            await self._store.release(outgoing, not_before, error)
        else:
            one.not_before, one.leased = not_before, False

    def _say(self, says: Sequence[Notification], line: Revocation | None = None) -> None:
        now = self._clock.now()
        for say in says:
            number = next(self._numbers)
            self._aside[number] = _UnloggedNotification(OutboxRow(number, say, 0, now), now, line)
        self.spoke()

    async def _tell(self, line: Revocation) -> None:
        """What the act says, and every copy of the case's messages drawn again."""
        self._told.append(line)
        self._say(line.act.says, line)
        if not line.act.refresh or line.act.after is None:
            return
        with suppress(StorageError):
            for copy in await self._store.copies(line.act.after.id):
                number, now = next(self._numbers), self._clock.now()
                say = Notification(copy.purpose, Lane.EDIT, copy.case, copy.to, copy.channel)
                self._aside[number] = _UnloggedNotification(OutboxRow(number, say, 0, now, copy), now, line)

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
        if self._refuses() is None and self._disk:
            await self._store.prove_writable()
            await self._cover()
            self._disk = ""
            log.warning("log.disk_takes_again")
        if not self.why:
            await self.enter()
            await self._cover()  # also what nothing was said about: the tail is never older than a look
        for line in self._emergency.lines():
            if line not in self._told:  # another process wrote it
                await self._tell(line)

    async def enter(self) -> None:
        """Enters into the log what was done without it, in order. Raises StorageError, and then the rest still stands."""
        for line in self._emergency.lines():
            await self._entered(line)
            await self._forgotten(line)
        for row in list(self._finished):
            with suppress(Stale):
                await self._store.commit(Transition(None, None, inbox=row))
            self._finished.discard(row)

    async def _has(self, change: OperatorChange) -> bool:
        """Whether the store knows an operator's act as a line leaves it: the line was entered before a kill."""
        after = change.after
        stored = await self._store.operator_act(after.id) if after is not None else None
        return stored is not None and stored.version >= (0 if change.before is None else change.before.version + 1)

    async def _forgotten(self, line: Revocation) -> None:
        try:
            await asyncio.to_thread(self._emergency.forget, line)
        except OSError as error:
            raise StorageError(f"The emergency file cannot be written: {error.strerror}.") from None

    async def _entered(self, line: Revocation) -> None:
        for attempt in range(_TRIES):
            stored = await self._store.case(line.act.after.id) if line.act.after is not None else None
            act = entered(line, stored)
            if act is None or (act.operated is not None and await self._has(act.operated)):
                return
            unsaid = [number for number, one in self._aside.items() if one.line == line and one.outgoing.copy is None]
            if line in self._told:
                act = replace(act, says=tuple(self._aside[number].outgoing.say for number in unsaid))
            try:
                await self._store.commit(act if attempt == 0 else replace(act, inbox=None))
            except Stale:
                continue
            for number in unsaid:
                self._aside.pop(number, None)
            log.warning("log.entered_later", request=act.after.id if act.after else None)
            return
        raise StorageError("An act of the emergency file cannot be entered; it still stands there.")


def stoppable_store(
    store: Store, emergency: EmergencyFile, clock: Clock, refuses: Callable[[], LogFinding | None], cover: Cover
) -> tuple[Store, FailsafeStore]:
    """The wrapped store as the port that it keeps, and as itself."""
    made = FailsafeStore(store, emergency, clock, refuses, cover)
    return cast(Store, made), made
