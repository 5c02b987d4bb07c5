"""The inbox while the log or the disk takes nothing: incoming commands are held in memory, and in a file beside it (`held_commands`).

A row that is held has a negative id. The next process with this STATE_DIR finds it in the file. Among replicas a held row is this
process's only while the log is stopped; afterwards it is stored, for the replica that leads. A stored row is anybody's, so this
process refuses none without the database.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bot.clock import Clock
from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.held_commands import HeldCommands
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import DiskRefuses, StorageError
from bot.domain.policy.people import Person
from bot.ports.commands import Command, FileRequest, lane_of
from bot.ports.queues import Inbox
from bot.ports.records import InboxRow, UnreadableRow

SHORT = 10.0  # seconds for which what came in waits for a database that was lost, before it is refused
log = structlog.get_logger(__name__)


class LogState:
    """Why the log is stopped: `refuses` is the signer's finding, `disk` the sentence of a disk that refused to write; `lost` is
    called when it begins to."""

    def __init__(self, refuses: Callable[[], LogFinding | None], clock: Clock, lost: Callable[[], None]) -> None:
        self.refuses, self._clock, self._lost = refuses, clock, lost
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
            self._lost()
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
        held: HeldCommands | None = None,
        *,
        alone: bool = True,
    ) -> None:
        """`leads`: whether stored rows are this process's to carry out. `alone`: there are no other replicas. Without `held` a command
        is held in memory only."""
        self._stored, self._emergency, self._state, self._clock = stored, emergency, state, clock
        self._leads, self._alone = leads, alone
        self._put_off: dict[int, datetime] = {}  # stored rows, while the disk refuses to note it
        self._file = held
        self._held: dict[int, InboxRow] = {} if held is None else {row.id: row for row in held.read()}
        self._numbers = itertools.count(-1 - len(self._held), -1)
        self.finished: set[int] = set()  # rows that are done with, and cannot be marked so yet

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
        row = InboxRow(next(self._numbers), key, act, answer, self._clock.now())
        if self._file is not None:
            await asyncio.to_thread(self._file.keep, row)
        self._held[row.id] = row
        return answer

    async def unfinished(self, limit: int, but: Collection[int] = ()) -> Sequence[InboxRow]:
        now = self._clock.now()
        self._put_off = {row: until for row, until in self._put_off.items() if until > now}
        without = self.carried_out().union(but, self._put_off)
        try:
            stored = await self._stored.unfinished(limit, without) if self._leads() else ()
        except StorageError:
            stored = ()
        mine = self._held.values() if self._alone or self._state.why else ()
        held = _in_turn([row for row in mine if row.received_at <= now and row.id not in self.finished.union(but)])
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
        """Stores what is held in memory and not answered, for the replica that leads. Raises StorageError; the rest stays in
        memory then."""
        for row in list(self._held.values()):
            if row.id not in self.finished:
                await self._stored.take_in(row.key, row.act, row.answer)
                self.forget(row.id)

    async def settle(self, inbox_id: int) -> None:
        """Raises StorageError where other replicas could carry the row out and the database does not take it."""
        if inbox_id < 0:
            return
        try:
            await self._stored.settle(inbox_id)
        except DiskRefuses:
            if not self._alone:
                raise

    async def refuse(self, inbox_id: int, why: str) -> None:
        await self._stored.refuse(inbox_id, why)

    async def outcome(self, key: str) -> str | None:
        return await self._stored.outcome(key)

    async def withdraw(self, key: str) -> bool:
        return await self._stored.withdraw(key)

    def forget(self, inbox_id: int | None) -> None:
        """Drops a row that is held; it was carried out, or its author was told."""
        self.finished.discard(inbox_id or 0)
        row = self._held.pop(inbox_id or 0, None)
        if row is not None and self._file is not None:
            self._file.forget(row.key)

    def carried_out(self) -> set[int]:
        """Ids of rows that were carried out and are not marked so in the store yet."""
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
