"""Processes the inbox, fair by person and by request, the rows of one request in order.

Everybody's oldest row has its turn before anybody's second (`Inbox.unfinished`), and nobody has more than _EACH in progress:
four hundred clicks on one request, or two hundred filings by one person, delay nobody else's. A press that can never count
is refused without waiting for what comes before it on its request.

A row is finished in the transaction of its command. What fails for now (Slack does not answer, the database is busy) is
retried with back-off; after the last attempt its author gets a sentence, so that nobody waits in vain.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.domain.errors import CountersignError
from bot.domain.policy.people import Person
from bot.ports.commands import ReplyAddress, SaySentence, SignAnswer, lane_of
from bot.ports.queues import Inbox
from bot.ports.records import InboxRow
from bot.ports.tracing import request_of
from bot.service.approvals import ApprovalService

_AT_ONCE, _EACH, _POLL, _GIVE_UP = 16, 4, 0.25, 12
_AHEAD, _FRESH = 256, 0.05  # rows read at once, seconds after which they are read again
_MOST = 64  # rows in progress, with those that wait for another row of their request
log = structlog.get_logger(__name__)


class InboxWorker:
    """Runs until stopped; `drain` processes everything that is due and returns."""

    def __init__(
        self, service: ApprovalService, inbox: Inbox, clock: Clock, beat: Callable[[], None] = lambda: None,
        handled: Callable[[str, str, float], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        """`handled` is called with the kind of a command, what became of it and the seconds since it was taken in."""
        self._handled = handled
        self._service, self._inbox, self._clock, self._beat = service, inbox, clock, beat
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._rows: dict[int, InboxRow] = {}  # those of `_busy`
        self._ahead: list[InboxRow] = []  # read, and not in progress yet
        self._read_at = 0.0
        self._waiting: set[int] = set()  # those that wait for an earlier row of their request

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`, then finishes the rows in progress and those that are due."""
        with suppress(CountersignError):
            await self._inbox.read_again()
        while not stop.is_set():
            self._beat()
            self._service.arrived.clear()
            if not await self._take():
                await _first(stop, self._service.arrived, list(self._busy.values()))
        await self.drain()

    async def drain(self) -> None:
        """Processes everything that is due in the inbox now."""
        while await self._take() or self._busy:
            if self._busy:
                await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)

    async def _take(self) -> bool:
        """Takes what has its turn; whether another look may find more at once: a row hides the later ones of its lane until it ends."""
        known = set(self._busy)
        room = min(_AT_ONCE - len(self._busy) + len(self._waiting), _MOST - len(self._busy))
        if room <= 0:
            return False
        rows = self._fair(await self._next())[:room]
        for row in rows:
            self._ahead.remove(row)
            earlier = [self._busy[r.id] for r in self._rows.values() if _about(r) is not None and _about(r) == _about(row)]
            self._rows[row.id] = row
            self._busy[row.id] = asyncio.create_task(self._one(row, earlier))
        return bool(rows) or not known <= self._busy.keys()

    async def _next(self) -> Sequence[InboxRow]:
        """What is due and not in progress; read again every _FRESH seconds, because a long inbox is dear to read."""
        now = self._clock.monotonic()
        if not self._ahead or now - self._read_at >= _FRESH:
            known = set(self._busy)  # a row that finishes while the inbox is read is still among the rows read
            found = await self._inbox.unfinished(_AHEAD + len(known))
            self._ahead, self._read_at = [row for row in found if row.id not in known], now
        return self._ahead

    def _fair(self, rows: Sequence[InboxRow]) -> list[InboxRow]:
        """The rows whose turn it is: one at a time of a person's in one lane, and at most _EACH of one person."""
        lanes = {_lane(row) for row in self._rows.values()}
        each = Counter(row.act.person for row in self._rows.values())
        found = []
        for row in rows:
            if _lane(row) not in lanes and each[row.act.person] < _EACH:
                found.append(row)
                lanes.add(_lane(row))
                each[row.act.person] += 1
        return found

    async def _one(self, row: InboxRow, earlier: Sequence[asyncio.Task[None]]) -> None:
        request = _about(row)
        structlog.contextvars.bind_contextvars(**({"request": request} if request else {}))
        try:
            with self._service.transactions.tracing.span(
                "carry out", request, command=row.act.kind, attempt=row.attempts + 1
            ):
                if not await self._refused_beside(row, earlier):
                    await self._service.carry_out(row)
            self._count(row, "done")
        except CountersignError as error:
            await self._later(row, str(error))
        except Exception:
            log.exception("act.failed", inbox=row.id, kind=row.act.kind)
            await self._later(row, "unexpected")
        finally:
            self._busy.pop(row.id, None)
            self._rows.pop(row.id, None)

    async def _refused_beside(self, row: InboxRow, earlier: Sequence[asyncio.Task[None]]) -> bool:
        """Refuses at once a command that can never count; any other waits for the `earlier` rows of its request (returns False)."""
        if not earlier:
            return False
        if await self._service.refuse_at_once(row):
            return True
        self._waiting.add(row.id)
        try:
            await asyncio.wait(earlier)
        finally:
            self._waiting.discard(row.id)
        return False

    async def _later(self, row: InboxRow, error: str) -> None:
        log.warning("act.put_off", inbox=row.id, kind=row.act.kind, attempts=row.attempts + 1, error=error)
        try:
            if row.attempts + 1 < _GIVE_UP:
                await self._inbox.put_off(row.id, self._clock.now() + timedelta(seconds=2 ** min(row.attempts, 6)))
                self._count(row, "put_off")
                return
            signed = isinstance(row.act, SignAnswer)
            reply = ReplyAddress(row.act.person) if signed else getattr(row.act, "reply", None)
            tell = SaySentence(row.act.person, "failed", "", reply) if reply else None
            await self._service.give_up(row, tell)
            self._count(row, "given_up")
        except CountersignError as again:
            log.error("act.not_put_off", inbox=row.id, error=str(again))

    def _count(self, row: InboxRow, result: str) -> None:
        self._handled(row.act.kind, result, (self._clock.now() - row.received_at).total_seconds())


def _about(row: InboxRow) -> str | None:
    """The request that a row concerns, or None."""
    return request_of(row.act)


def _lane(row: InboxRow) -> tuple[Person, object]:
    """Of rows of the same lane one is in progress."""
    return row.act.person, lane_of(row.act) or row.id


async def _first(stop: asyncio.Event, arrived: asyncio.Event, busy: list[asyncio.Task[None]]) -> None:
    """Returns at the first of: a stop, an arrival, a finished row, _POLL seconds."""
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(arrived.wait())]
    try:
        await asyncio.wait([*waiting, *busy], timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
