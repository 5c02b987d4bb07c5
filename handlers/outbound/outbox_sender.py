"""The loop that drains the outbox: leases rows, orders them by lane, and delivers them within Slack's rate limits (rule 5).

One place that is slow, paused or gone never holds up another. A row whose lease ends (a crash) is sent again: at least
once, and a click on any copy has the same effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from bot.domain.case.transition import Lane
from bot.http.client import new_session
from bot.ports.queues import Outbox
from bot.ports.records import OutboxRow
from handlers.outbound.api_calls import TIMEOUT, SlackSender
from handlers.outbound.delivery import Delivery
from handlers.outbound.message_table import kind_of, spot
from handlers.outbound.rate_lanes import Called, Lanes, Spot

LEASE = timedelta(seconds=120)
POLL, PARTING = 0.25, 3.0  # seconds: between looks without a wake-up; for the last messages at a stop
_GROUP, _ROOM, _AT_ONCE, _URGENT = 100, 1000, 16, 4
log = structlog.get_logger(__name__)


class OutboxSender:
    """`delivery` sends what the `lanes` hold. `spoke` is set when there is something to say; `beat` is called once a round, for
    the health check."""

    def __init__(
        self, delivery: Delivery, lanes: Lanes, outbox: Outbox, clock: Clock, spoke: asyncio.Event, client: AsyncWebClient,
        beat: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._delivery, self._lanes, self._outbox, self._clock, self._spoke = delivery, lanes, outbox, clock, spoke
        self._client, self._beat = client, beat
        self._running: dict[int, asyncio.Task[None]] = {}
        self._ahead: asyncio.Task[object] | None = None  # signs for all of a lease while they are drawn

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until `stop`; then sends what is due for a few seconds more and returns the rest to the outbox."""
        async with self._connected():
            while not stop.is_set():
                self._beat()
                self._spoke.clear()
                taken = await self._take_safely()
                self._start()
                if taken < _GROUP:
                    await self._rest(stop)
            await self._part()

    async def drain(self) -> None:
        """Sends everything that is due now, and returns."""
        async with self._connected():
            while True:
                taken = await self._take()
                self._start()
                if not self._running and not taken:
                    break
                await self._first_done(None)
            await self._empty("waits for its turn")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """One connection pool for everything that is sent; the Web API client uses it too meanwhile."""
        async with new_session(TIMEOUT) as session:
            before, self._client.session = self._client.session, session
            self._sender = SlackSender(self._client, session)
            try:
                yield
            finally:
                self._client.session = before
                if self._ahead is not None:
                    await asyncio.wait([self._ahead])

    # Leasing.

    async def _take_safely(self) -> int:
        try:
            return await self._take()
        except Exception:
            log.exception("outbox.not_leased")
            return 0

    async def _take(self) -> int:
        """Leases what is due and queues it; returns how many rows there were."""
        if len(self._lanes) >= _ROOM:
            return 0
        now = self._clock.now()
        rows = await self._outbox.lease(now, now + LEASE, _GROUP)
        if (self._ahead is None or self._ahead.done()) and not all(row.aside for row in rows):
            self._ahead = asyncio.create_task(self._delivery.covered())
        twins, sent_back = list[OutboxRow](), list[tuple[OutboxRow, float]]()
        for row in rows:
            if row.say.purpose == "home" and self._lanes.holds_another(row):
                twins.append(row)  # else each change of a busy minute would be drawn, one after the other
            elif (back := self._line_up(row)) is not None:
                sent_back.append(back)
        await asyncio.gather(*(self._outbox.sent(row, "", "", 0, ()) for row in twins))
        await self._delivery.give_back(sent_back, "waits for its turn")
        return len(rows)

    def _line_up(self, row: OutboxRow) -> tuple[OutboxRow, float] | None:
        """Queues a row; returns a row that has no room, with the time of its turn."""
        if row.id in self._running or self._lanes.holds(row):
            return None  # still held here; its lease was too short
        here, known = self._clock.monotonic(), kind_of(row)
        settles = known.settles - self._delivery.age(row) if known else 0.0
        return self._lanes.offer(row, spot(row), here, here + max(settles, 0.0), calm=self._delivery.may_wait(row))

    def _start(self) -> None:
        while (last := self._room()) is not None:
            found = self._lanes.take(self._clock.monotonic(), last)
            if found is None:
                return
            row, place = found
            self._running[row.id] = asyncio.create_task(self._one(row, place))

    def _room(self) -> Lane | None:
        """The last lane from which another call may begin now: some calls are reserved for urgent rows, however slow Slack is."""
        running = len(self._running)
        return None if running >= _AT_ONCE else Lane.URGENT if running >= _AT_ONCE - _URGENT else Lane.HOME

    async def _rest(self, stop: asyncio.Event) -> None:
        """Waits until something happens, a queued row is due, or POLL has passed."""
        here = self._clock.monotonic()
        last = self._room()
        next_at = None if last is None else self._lanes.next_at(here, last)
        waits = POLL if next_at is None else min(POLL, max(next_at - here, 0.001))
        events = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._spoke.wait())]
        try:
            await asyncio.wait([*events, *self._running.values()], timeout=waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for event in events:
                event.cancel()
            await asyncio.gather(*events, return_exceptions=True)

    async def _part(self) -> None:
        """At a stop: sends what is due at once; returns what is queued to the outbox."""
        end = self._clock.monotonic() + PARTING
        while (left := end - self._clock.monotonic()) > 0:
            taken = await self._take_safely()
            self._start()
            if not self._running and not taken:
                break
            await self._first_done(left)
        await self._empty("stopped")
        if self._running:
            await asyncio.wait(self._running.values(), timeout=TIMEOUT + PARTING)

    async def _empty(self, why: str) -> None:
        """Returns what is queued to the outbox, due at once."""
        here = self._clock.monotonic()
        await self._delivery.give_back([(row, here) for row in self._lanes.clear()], why)

    async def _first_done(self, timeout: float | None) -> None:
        if self._running:
            await asyncio.wait(self._running.values(), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    async def _one(self, row: OutboxRow, place: Spot) -> None:
        called: Called | None = None
        try:
            called = await self._delivery.deliver(row, place, self._sender)
        finally:
            self._running.pop(row.id, None)
            self._lanes.done(place, self._clock.monotonic(), called)
