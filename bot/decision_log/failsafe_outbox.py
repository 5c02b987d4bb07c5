"""The outbox while the log or the disk takes nothing: messages are held in memory.

A row that is held in memory has a negative id. It is lost with the process; what was sent about an act of the emergency file is
sent again when the act is entered into the log.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from bot.clock import Clock
from bot.decision_log.failsafe_inbox import LogState
from bot.domain.case.transition import Lane, LogEvent, Notification
from bot.domain.errors import CountersignError, DiskRefuses, NotLeading, StorageError
from bot.domain.failsafe.revocation import Revocation
from bot.domain.policy.people import Person
from bot.domain.workflow.notifications import PAGER
from bot.ports.queues import Outbox
from bot.ports.records import MessageCopy, OutboxRow

log = structlog.get_logger(__name__)


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
    """`Outbox`, and the messages that are held in memory.

    What became of a stored message is noted first when the disk, or a database that was lost, takes writes again: its lease would
    hold it back for minutes otherwise.
    """

    def __init__(self, stored: Outbox, state: LogState, clock: Clock, leads: Callable[[], bool] = lambda: True) -> None:
        """`leads`: whether stored messages are this process's to send."""
        self._stored, self._state, self._clock, self._leads = stored, state, clock, leads
        self._numbers = itertools.count(-1, -1)
        self._held: dict[int, _Held] = {}
        self._unnoted: deque[Callable[[], Awaitable[None]]] = deque()
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
            await self._note_first()
            return [*found, *await self._stored.lease(now, until, limit, pages=pages)]
        except DiskRefuses as error:
            self._state.refused(error)
            return found

    async def release(self, rows: Sequence[tuple[OutboxRow, datetime, str]]) -> None:
        stored = [row for row in rows if row[0].id not in self._held]
        if stored:
            await self._noted(partial(self._stored.release, stored))
        for outgoing, not_before, _ in rows:
            if (one := self._held.get(outgoing.id)) is not None:
                one.not_before, one.leased = not_before, False

    async def slack_is_back(self, now: datetime) -> None:
        await self._stored.slack_is_back(now)

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        if not await self._over(outgoing.id):
            await self._noted(partial(self._sent, outgoing, channel, ts, drawn, entries, plain=plain))

    async def _sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool
    ) -> None:
        try:
            await self._stored.sent(outgoing, channel, ts, drawn, entries, plain=plain)
        except NotLeading:
            await self._stored.said_late(outgoing, channel, ts, plain)

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        if not await self._over(outgoing.id):
            await self._noted(partial(self._stored.undeliverable, outgoing, error, entries))

    async def _noted(self, note: Callable[[], Awaitable[None]]) -> None:
        try:
            await note()
        except DiskRefuses as error:
            self._state.refused(error)
            self._unnoted.append(note)

    async def _note_first(self) -> None:
        """Notes what could not be noted, in order. Raises DiskRefuses; the rest waits on then."""
        while self._unnoted:
            try:
                await self._unnoted[0]()
            except DiskRefuses:
                raise
            except CountersignError as error:
                log.warning("outbox.not_noted", error=str(error))  # its lease ends by itself
            self._unnoted.popleft()

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

    async def redraw_open(self, authority: str) -> None:
        await self._stored.redraw_open(authority)

    async def redrawn_for(self) -> str:
        return await self._stored.redrawn_for()

    async def found_again(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        await self._stored.found_again(outgoing, channel, ts, plain)

    async def said_late(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        await self._stored.said_late(outgoing, channel, ts, plain)

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
