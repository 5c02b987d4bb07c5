"""The queues while the log or the disk takes nothing: incoming commands and outgoing messages are held in memory.

A row that is held in memory has a negative id. It is lost with the process, so among replicas a filing is never held. What was sent
about an act of the emergency file is sent again when the act is entered into the log.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.clock import Clock
from bot.decision_log.emergency_file import EmergencyFile
from bot.domain.case.transition import Lane, LogEvent, Notification
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import DiskRefuses, StorageError
from bot.domain.failsafe.revocation import Revocation
from bot.domain.policy.people import Person
from bot.domain.workflow.notifications import PAGER
from bot.ports.commands import Command, FileRequest, lane_of
from bot.ports.queues import Inbox, Outbox
from bot.ports.records import InboxRow, MessageCopy, OutboxRow, UnreadableRow

SHORT = 10.0  # seconds for which what is stored waits for a database that was lost, before it is refused
log = structlog.get_logger(__name__)


class LogState:
    """Why the log is stopped: `refuses` is the signer's finding, `disk` the sentence of a disk that refused to write."""

    def __init__(self, refuses: Callable[[], LogFinding | None], clock: Clock) -> None:
        self.refuses, self._clock = refuses, clock
        self.disk, self._since = "", 0.0

    @property
    def lost_shortly(self) -> bool:
        """Whether nothing but a disk that refused stops the log, since less than SHORT seconds."""
        return bool(self.disk) and self.refuses() is None and self._clock.monotonic() - self._since < SHORT

    @property
    def why(self) -> str:
        """The reason; the empty string while the log can be written."""
        refused = self.refuses()
        return refused.text if refused is not None else self.disk

    def refused(self, error: StorageError) -> None:
        """The disk refused to write: the log is stopped until it does."""
        if not self.disk:
            log.error("log.disk_refuses", error=str(error))
            self._since = self._clock.monotonic()
        self.disk = str(error)


class FailsafeInbox:
    """`Inbox`; while the disk refuses, commands are held in memory: those that take away are carried out, the others are answered with a refusal.

    A filing takes nothing away, so among replicas it is never held: it is stored, or it is not acknowledged.
    """

    def __init__(
        self,
        stored: Inbox,
        emergency: EmergencyFile,
        state: LogState,
        clock: Clock,
        leads: Callable[[], bool] = lambda: True,
        *,
        alone: bool = True,
    ) -> None:
        """`leads`: whether stored rows are this process's to carry out. `alone`: there are no other replicas."""
        self._stored, self._emergency, self._state, self._clock = stored, emergency, state, clock
        self._leads, self._alone = leads, alone
        self._put_off: dict[int, datetime] = {}  # stored rows, while the disk refuses to note it
        self._numbers = itertools.count(-1, -1)
        self._held: dict[int, InboxRow] = {}
        self.finished: set[int] = set()  # stored rows that are done with, and cannot be marked so yet

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        first = next((row for row in self._held.values() if row.key == key), None)
        if first is not None:
            return first.answer
        durable = isinstance(act, FileRequest) and not self._alone
        if durable or not self._state.disk:
            try:
                return await self._stored.take_in(key, act, answer)
            except DiskRefuses as error:
                self._state.refused(error)
                if durable:
                    raise
        number = next(self._numbers)
        self._held[number] = InboxRow(number, key, act, answer, self._clock.now())
        return answer

    async def unfinished(self, limit: int, but: Collection[int] = ()) -> Sequence[InboxRow]:
        now = self._clock.now()
        self._put_off = {row: until for row, until in self._put_off.items() if until > now}
        without = self.carried_out().union(but, self._put_off)
        try:
            stored = await self._stored.unfinished(limit, without) if self._leads() else ()
        except StorageError:
            stored = ()
        held = _in_turn([row for row in self._held.values() if row.received_at <= now and row.id not in but])
        return [*held, *stored][:limit]

    async def unreadable(self) -> Sequence[UnreadableRow]:
        return await self._stored.unreadable()

    async def read_again(self) -> None:
        if not self._leads():
            return
        try:
            await self._stored.read_again()
        except DiskRefuses as error:
            self._state.refused(error)

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        if inbox_id not in self._held:
            try:
                await self._stored.put_off(inbox_id, until)
            except DiskRefuses:
                self._put_off[inbox_id] = until
            return
        row = self._held[inbox_id]
        self._held[inbox_id] = replace(row, received_at=until, attempts=row.attempts + 1)

    async def hand_in(self) -> None:
        """Stores what is held in memory, for the replica that leads. Raises StorageError; the rest stays in memory then."""
        for row in list(self._held.values()):
            await self._stored.take_in(row.key, row.act, row.answer)
            self.forget(row.id)

    async def refuse(self, inbox_id: int, why: str) -> None:
        await self._stored.refuse(inbox_id, why)

    async def outcome(self, key: str) -> str | None:
        return await self._stored.outcome(key)

    async def withdraw(self, key: str) -> bool:
        return await self._stored.withdraw(key)

    def forget(self, inbox_id: int | None) -> None:
        """Drops a row that is held in memory; it was carried out."""
        self._held.pop(inbox_id or 0, None)

    def carried_out(self) -> set[int]:
        """Ids of stored rows that were carried out and are not marked so in the store yet."""
        return self.finished | {line.act.inbox for line in self._emergency.lines() if line.act.inbox is not None}


def _in_turn(rows: Sequence[InboxRow]) -> list[InboxRow]:
    """The order of `Inbox.unfinished` for rows in memory."""
    lanes, turns, found = set[tuple[Person, object]](), Counter[Person](), list[tuple[int, InboxRow]]()
    for row in rows:
        lane = (row.act.person, lane_of(row.act) or row.id)
        if lane not in lanes:
            lanes.add(lane)
            turns[row.act.person] += 1
            found.append((turns[row.act.person], row))
    return [row for _, row in sorted(found, key=lambda one: one[0])]


async def _nobody(_row: int) -> None:
    """The default callback: does nothing."""


@dataclass(slots=True)
class _Held:
    """A message that is in memory only. `line`: the act of the emergency file that it describes."""

    outgoing: OutboxRow
    not_before: datetime
    line: Revocation | None = None
    leased: bool = False
    row: int | None = None  # of the stored inbox, that this answers


class FailsafeOutbox:
    """`Outbox`, and the messages that are held in memory."""

    def __init__(self, stored: Outbox, state: LogState, clock: Clock, leads: Callable[[], bool] = lambda: True) -> None:
        """`leads`: whether stored messages are this process's to send."""
        self._stored, self._state, self._clock, self._leads = stored, state, clock, leads
        self._numbers = itertools.count(-1, -1)
        self._held: dict[int, _Held] = {}
        self.spoke: Callable[[], None] = lambda: None  # called when there is something to send
        self.answered: Callable[[int], Awaitable[None]] = _nobody  # called with a stored row whose last answer was sent

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        """Messages in memory, and the stored ones only while the log can be written."""
        mine = [
            one for one in self._held.values()
            if not one.leased and one.not_before <= now and (one.outgoing.say.purpose == PAGER) is pages
        ][:limit]  # fmt: skip
        for one in mine:
            one.leased = True
        found = [one.outgoing for one in mine]
        if self._state.why or not self._leads():
            return found
        try:
            return [*found, *await self._stored.lease(now, until, limit, pages=pages)]
        except DiskRefuses as error:
            self._state.refused(error)
            return found

    async def release(self, outgoing: OutboxRow, not_before: datetime, error: str) -> None:
        one = self._held.get(outgoing.id)
        if one is None:
            await self._stored.release(outgoing, not_before, error)
        else:
            one.not_before, one.leased = not_before, False

    async def slack_is_back(self, now: datetime) -> None:
        await self._stored.slack_is_back(now)

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        if not await self._over(outgoing.id):
            await self._stored.sent(outgoing, channel, ts, drawn, entries, plain=plain)

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        if not await self._over(outgoing.id):
            await self._stored.undeliverable(outgoing, error, entries)

    async def _over(self, number: int) -> bool:
        """A message was sent or never will be; False for a stored one."""
        one = self._held.pop(number, None)
        if one is not None and one.row is not None and one.row not in self.answering:
            await self.answered(one.row)
        return one is not None

    @property
    def answering(self) -> set[int]:
        """Stored rows of the inbox whose answers are in memory and were not sent yet."""
        return {one.row for one in self._held.values() if one.row is not None}

    async def redraw_open(self) -> None:
        await self._stored.redraw_open()

    async def found_again(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        await self._stored.found_again(outgoing, channel, ts, plain)

    async def direct_channel(self, person: Person) -> str | None:
        return await self._stored.direct_channel(person)

    async def copies(self, case_id: str) -> Sequence[MessageCopy]:
        return await self._stored.copies(case_id)

    def hold(self, says: Sequence[Notification], line: Revocation | None = None, row: int | None = None) -> None:
        """Holds messages in memory, to be sent at once. `row`: the stored row that they answer."""
        for say in says:
            self._put(say, line, row=row)
        self.spoke()

    async def hold_redraws(self, case_id: str, line: Revocation) -> None:
        """Holds a redraw of every message about a case, as far as the database can be read."""
        with suppress(StorageError):
            for copy in await self._stored.copies(case_id):
                self._put(Notification(copy.purpose, Lane.EDIT, copy.case, copy.to, copy.channel), line, copy)

    def unsent_of(self, line: Revocation) -> list[int]:
        """Numbers of the messages in memory that describe an act and were not sent yet; redraws aside."""
        return [number for number, one in self._held.items() if one.line == line and one.outgoing.copy is None]

    def says(self, numbers: Sequence[int]) -> tuple[Notification, ...]:
        """What the messages of these numbers say."""
        return tuple(self._held[number].outgoing.say for number in numbers)

    def drop(self, numbers: Sequence[int]) -> None:
        """Drops messages that the stored outbox has now."""
        for number in numbers:
            self._held.pop(number, None)

    def _put(
        self, say: Notification, line: Revocation | None, copy: MessageCopy | None = None, row: int | None = None
    ) -> None:
        number, now = next(self._numbers), self._clock.now()
        self._held[number] = _Held(OutboxRow(number, say, 0, now, copy), now, line, row=row)
