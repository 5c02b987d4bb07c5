"""Processes the inbox, oldest row first: several requests concurrently, the rows of one request in order.

A row is finished in the transaction of its command. What fails for now (Slack does not answer, the database is busy) is
retried with back-off; after the last attempt its author gets a sentence, so that nobody waits in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from bot.domain.errors import CountersignError
from bot.ports.commands import SaySentence
from bot.ports.records import InboxRow
from bot.service.approvals import ApprovalService

_AT_ONCE, _POLL, _GIVE_UP = 16, 0.25, 12
log = structlog.get_logger(__name__)


class InboxWorker:
    """Runs until stopped; `drain` processes everything that is due and returns."""

    def __init__(self, desk: ApprovalService, beat: Callable[[], None] = lambda: None) -> None:
        self._desk, self._beat = desk, beat
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._about: dict[int, str | None] = {}  # the request that a row in progress concerns

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop`, then finishes the rows in progress and those that are due."""
        while not stop.is_set():
            self._beat()
            self._desk.arrived.clear()
            if not await self._take():
                await _first(stop, self._desk.arrived, list(self._busy.values()))
        await self.drain()

    async def drain(self) -> None:
        """Processes everything that is due in the inbox now."""
        while await self._take() or self._busy:
            if self._busy:
                await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)

    async def _take(self) -> bool:
        room = _AT_ONCE - len(self._busy)
        if room <= 0:
            return False
        known = set(self._busy)  # a row that finishes while the inbox is read is still among the rows read
        found = [r for r in await self._desk.store.inbox.unfinished(_AT_ONCE + len(known)) if r.id not in known]
        rows = self._in_turn(found)[:room]
        for row in rows:
            self._about[row.id] = _about(row)
            self._busy[row.id] = asyncio.create_task(self._one(row))
        return bool(rows)

    def _in_turn(self, rows: Sequence[InboxRow]) -> list[InboxRow]:
        """The rows that no earlier row of the same request precedes: Finished, then the evidence for it."""
        taken, free = set(self._about.values()), []
        for row in rows:
            about = _about(row)
            if about is None or about not in taken:
                free.append(row)
            taken.add(about)
        return free

    async def _one(self, row: InboxRow) -> None:
        request = _about(row)
        structlog.contextvars.bind_contextvars(**({"request": request} if request else {}))
        try:
            await self._desk.carry_out(row)
        except CountersignError as error:
            await self._later(row, str(error))
        except Exception:
            log.exception("act.failed", inbox=row.id, kind=row.act.kind)
            await self._later(row, "unexpected")
        finally:
            self._busy.pop(row.id, None)
            self._about.pop(row.id, None)

    async def _later(self, row: InboxRow, error: str) -> None:
        log.warning("act.put_off", inbox=row.id, kind=row.act.kind, attempts=row.attempts + 1, error=error)
        try:
            if row.attempts + 1 < _GIVE_UP:
                await self._desk.store.inbox.put_off(
                    row.id, self._desk.clock.now() + timedelta(seconds=2 ** min(row.attempts, 6))
                )
                return
            reply = getattr(row.act, "reply", None)
            tell = SaySentence(row.act.person, "failed", "", reply) if reply else None
            await self._desk.give_up(row, tell)
        except CountersignError as again:
            log.error("act.not_put_off", inbox=row.id, error=str(again))


def _about(row: InboxRow) -> str | None:
    """The request that a row concerns, or None."""
    return getattr(row.act, "case", None) or getattr(row.act, "id", None)


async def _first(stop: asyncio.Event, arrived: asyncio.Event, busy: list[asyncio.Task[None]]) -> None:
    """Returns at the first of: a stop, an arrival, a finished row, _POLL seconds."""
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(arrived.wait())]
    try:
        await asyncio.wait([*waiting, *busy], timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
