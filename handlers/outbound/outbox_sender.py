"""Drains the outbox: everything written to be said is said, or recorded as undeliverable with the reason (rule 5).

Rows are leased, drawn from the case of that moment, sent, and noted. Lanes decide the order; one place that is slow, paused
or gone never holds up another. A row whose lease ends (a crash) is sent again: at least once, and every copy answers a
click alike. What was drawn waits until a checkpoint covers the state that it was drawn from; while the log is stopped
nothing leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.case.model import Case
from bot.domain.case.operator_action import is_act
from bot.domain.case.transition import SYSTEM, Lane, LogEvent, Value
from bot.domain.errors import LookupFailed, StorageError
from bot.domain.timing.quiet_hours import rings_at
from bot.ports.store import Cover, Directory, OutboxRow, SignedCheckpoint
from bot.service.approvals import ApprovalService
from handlers.outbound.api_calls import TIMEOUT, MessagePlace, SlackSender
from handlers.outbound.message_table import (
    Dropped,
    Job,
    MessageEdit,
    NewMessage,
    Published,
    RenderContext,
    Reply,
    ViewUpdate,
    keeps_hours,
    purpose_of,
    spot,
    tells_decision,
)
from handlers.outbound.rate_lanes import Called, Lanes, Spot
from handlers.views.checkpoint import unsigned, with_checkpoint
from handlers.views.kit.time_scale_mark import marked_once
from handlers.web_api.errors import CALL_ERRORS, UNANSWERED, Verdict, verdict

LEASE, GIVE_UP = timedelta(seconds=120), timedelta(hours=24)
PAUSE, SILENT = 5.0, 60.0  # seconds without any answer of Slack's: it was away; prompts leave beside it
_PROMPTS = frozenset({"card", "reminder", "deadline"})
POLL, PARTING = 0.25, 3.0  # seconds: between looks without a wake-up; for last words at a stop
ACCOUNT_AGE = 60.0  # seconds of the policy's clock
STOPPED, STOPPED_WAIT = "the log is stopped", 2.0  # seconds until what waits for the log is looked at again
_GROUP, _ROOM, _AT_ONCE, _URGENT, _SLOWEST = 100, 1000, 16, 4, 60.0
log = structlog.get_logger(__name__)


class OutboxSender:
    """`cover` is the gate to the outside. `pace`: seconds between two new messages in one conversation. `prefix`: of the
    commands that texts name."""

    def __init__(
        self,
        desk: ApprovalService,
        client: AsyncWebClient,
        directory: Directory,
        cover: Cover,
        *,
        prefix: str = "",
        pace: float = 1.0,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._desk, self._client, self._directory, self._cover = desk, client, directory, cover
        self._stage, self._beat = RenderContext(desk, prefix), beat
        self._lanes = Lanes({"chat.postMessage": pace})
        self._running: dict[int, asyncio.Task[None]] = {}
        self._failures: dict[int, int] = {}
        self._called: dict[int, Called] = {}  # of rows that are being said
        self._silent_since: float | None = None  # the first call that got no answer, since Slack last gave one

    async def run(self, stop: asyncio.Event) -> None:
        """Speaks until `stop`; then says what can be said within seconds and gives the rest back."""
        async with self._connected():
            while not stop.is_set():
                self._beat()
                self._desk.spoke.clear()
                taken = await self._take_safely()
                self._start()
                if taken < _GROUP:
                    await self._rest(stop)
            await self._part()

    async def drain(self) -> None:
        """Says everything that can be said now, and returns."""
        async with self._connected():
            while True:
                taken = await self._take()
                self._start()
                if not self._running and not taken:
                    break
                await self._first_done(None)
            await self._give_back(self._lanes.clear(), "waits for its turn", self._desk.clock.monotonic())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """One pool of connections for everything that is said; the Web API client shares it meanwhile."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
            before, self._client.session = self._client.session, session
            self._sender = SlackSender(self._client, session)
            try:
                yield
            finally:
                self._client.session = before

    # Taking.

    async def _take_safely(self) -> int:
        try:
            return await self._take()
        except Exception:
            log.exception("outbox.not_leased")
            return 0

    async def _take(self) -> int:
        """Leases what is due and lines it up; how many rows there were."""
        if len(self._lanes) >= _ROOM:
            return 0
        now = self._desk.clock.now()
        rows = await self._desk.store.lease(now, now + LEASE, _GROUP)
        sent_back = [back for row in rows if (back := self._line_up(row)) is not None]
        await asyncio.gather(*(self._give_back([row], "waits for its turn", at) for row, at in sent_back))
        return len(rows)

    def _line_up(self, row: OutboxRow) -> tuple[OutboxRow, float] | None:
        """Takes a row in; gives back one for which there is no room, with its time."""
        if row.id in self._running or self._lanes.holds(row):
            return None  # we have it still; its lease was only too short
        here, known = self._desk.clock.monotonic(), purpose_of(row)
        settles = known.settles - self._age(row) if known else 0.0
        return self._lanes.offer(row, spot(row), here, here + max(settles, 0.0))

    def _start(self) -> None:
        while (last := self._room()) is not None:
            found = self._lanes.take(self._desk.clock.monotonic(), last)
            if found is None:
                return
            row, place = found
            self._running[row.id] = asyncio.create_task(self._one(row, place))

    def _room(self) -> Lane | None:
        """The last lane of which another call may begin now: some room is kept for the urgent, however slow Slack is."""
        running = len(self._running)
        return None if running >= _AT_ONCE else Lane.URGENT if running >= _AT_ONCE - _URGENT else Lane.HOME

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until something happens, a held message may go, or a poll's time has passed."""
        here = self._desk.clock.monotonic()
        last = self._room()
        next_at = None if last is None else self._lanes.next_at(here, last)
        waits = POLL if next_at is None else min(POLL, max(next_at - here, 0.001))
        events = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._desk.spoke.wait())]
        try:
            await asyncio.wait([*events, *self._running.values()], timeout=waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for event in events:
                event.cancel()
            await asyncio.gather(*events, return_exceptions=True)

    async def _part(self) -> None:
        """Last words: what is due and can go at once goes; what is held is given back."""
        end = self._desk.clock.monotonic() + PARTING
        while (left := end - self._desk.clock.monotonic()) > 0:
            taken = await self._take_safely()
            self._start()
            if not self._running and not taken:
                break
            await self._first_done(left)
        await self._give_back(self._lanes.clear(), "stopped", self._desk.clock.monotonic())
        if self._running:
            await asyncio.wait(self._running.values(), timeout=TIMEOUT + PARTING)

    async def _first_done(self, timeout: float | None) -> None:
        if self._running:
            await asyncio.wait(self._running.values(), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    # Saying.

    async def _one(self, row: OutboxRow, place: Spot) -> None:
        try:
            await self._say(row, place)
        except Exception:
            log.exception("message.failed", outbox=row.id, purpose=row.say.purpose)
            await self._try_later(row, place)
        finally:
            self._running.pop(row.id, None)
            self._lanes.done(place, self._desk.clock.monotonic(), self._called.pop(row.id, None))

    async def _try_later(self, row: OutboxRow, place: Spot) -> None:
        try:
            await self._judged(row, place, Verdict("later", "unexpected"))
        except Exception:
            log.exception("message.not_given_back", outbox=row.id)  # the lease ends by itself

    async def _say(self, row: OutboxRow, place: Spot) -> None:
        known = purpose_of(row)
        if known is None:
            await self._never(row, "unknown_purpose")
            return
        if known.looked_up and await self._is_gone(row):
            await self._never(row, "deactivated")
            return
        case = await self._desk.store.case(row.say.case) if row.say.case else None
        job = await known.draw(self._stage, row, case)
        if isinstance(job, Dropped):
            await self._desk.store.undeliverable(row, job.why, ())
            return
        morning = await self._held_until(row, case)
        if morning is not None:
            await self._desk.store.release(row, morning, "held until the morning")
            return
        signed = await self._covered()
        if signed is None and not row.aside:
            await self._give_back([row], STOPPED, self._desk.clock.monotonic() + STOPPED_WAIT)
            return
        job = self._finished(job, signed, decision=tells_decision(row, case))
        try:
            standing = await self._send(row, job)
        except CALL_ERRORS as error:
            judged = verdict(error)
            if judged.error not in UNANSWERED:
                await self._answered()
            elif self._silent_since is None:
                self._silent_since = self._desk.clock.monotonic()
            await self._judged(row, place, judged)
            return
        await self._answered()
        shown = job.drawn if isinstance(job, NewMessage | MessageEdit) else 0
        await self._note(row, standing, case.request.version if case else shown)

    async def _send(self, row: OutboxRow, job: Job) -> MessagePlace:
        began = self._desk.clock.monotonic()
        try:
            return await self._sender.send(job, self._age(row))
        finally:
            self._called[row.id] = Called(began, self._desk.clock.monotonic())

    async def _covered(self) -> SignedCheckpoint | None:
        """The checkpoint over what was drawn; None while the log is stopped."""
        try:
            signed = await self._cover()
        except StorageError as error:
            log.error("log.not_signed", error=str(error))
            return None
        return signed if isinstance(signed, SignedCheckpoint) else None

    async def _answered(self) -> None:
        """Slack is there. What waits only because it was silent goes now, and not when its pause is over."""
        here = self._desk.clock.monotonic()
        silence, self._silent_since = here - (self._silent_since or here), None
        if silence > PAUSE and self._failures:
            await self._desk.store.slack_is_back(self._desk.clock.now())
            self._desk.spoke.set()

    def _finished(
        self,
        job: NewMessage | MessageEdit | Reply | ViewUpdate | Published,
        signed: SignedCheckpoint | None,
        *,
        decision: bool,
    ) -> Job:
        """What every message has beside what it says: the clock's mark, and the checkpoint where it tells a decision."""
        if isinstance(job, ViewUpdate | Published):
            return job
        said = marked_once(job.message, self._stage.scene())
        if signed is None:
            return replace(job, message=unsigned(said))
        return replace(job, message=with_checkpoint(said, signed) if decision and not isinstance(job, Reply) else said)

    async def _is_gone(self, row: OutboxRow) -> bool:
        """Slack takes messages to deactivated accounts without a word: look first. No answer: try."""
        if row.say.to is None:
            return False
        try:
            return (await self._directory.profile(row.say.to, ACCOUNT_AGE / self._desk.scale)).deleted
        except LookupFailed:
            return False

    async def _held_until(self, row: OutboxRow, case: Case | None) -> datetime | None:
        """When this may ring for its reader, if not now (`daytime`). Whom Slack does not tell us about is not kept waiting."""
        now = self._desk.clock.now()
        if row.say.to is None or self._desk.scale > 1 or not keeps_hours(row, case):
            return None
        try:
            profile = await self._directory.profile(row.say.to, ACCOUNT_AGE / self._desk.scale)
        except LookupFailed:
            return None
        at = rings_at(now, profile.time_zone)
        return at if at > now else None

    async def _note(self, row: OutboxRow, standing: MessagePlace, drawn: int) -> None:
        known = purpose_of(row)
        plain = known is not None and known.remembered
        kept = known is not None and (known.kept or plain or row.copy is not None)
        entries = [_entry("delivery.sent", row)] if known and known.logged else []
        place = standing if kept else MessagePlace()
        await self._desk.store.sent(row, place.channel, place.ts, drawn, entries, plain=plain)
        self._failures.pop(row.id, None)

    async def _judged(self, row: OutboxRow, place: Spot, judged: Verdict) -> None:
        """Slack did not take it: wait as told, try again later, or never."""
        here = self._desk.clock.monotonic()
        if judged.kind == "limited":
            log.warning("slack.limited", method=place.method, wait=judged.wait)
            held = self._lanes.pause(place, here + judged.wait, everywhere=place.method != "chat.postMessage")
            await self._give_back([row, *held], judged.error, here + judged.wait)
        elif judged.kind == "never" or self._age(row) > GIVE_UP.total_seconds():
            await self._never(row, judged.error)
        else:
            if judged.kind == "later" and row.say.purpose in _PROMPTS and here - (self._silent_since or here) > SILENT:
                await self._desk.slack_is_silent(row)
            tries = self._failures[row.id] = self._failures.get(row.id, 0) + 1
            await self._give_back([row], judged.error, here + min(2.0 ** (tries - 1), _SLOWEST))

    async def _never(self, row: OutboxRow, error: str) -> None:
        """It will not be said: recorded, and for a card the engine moves on first."""
        level = log.debug if row.say.purpose in ("form", "home") else log.warning  # a form that was closed is no trouble
        level("message.undeliverable", outbox=row.id, purpose=row.say.purpose, error=error)
        self._failures.pop(row.id, None)
        known = purpose_of(row)
        if (row.say.purpose in ("card", "receipt") or row.say.purpose.startswith("ask.")) and row.copy is None:
            await self._desk.undelivered(row, error)
        entries = [_entry("delivery.failed", row, error)] if known and known.logged else []
        await self._desk.store.undeliverable(row, error, entries)

    async def _give_back(self, rows: Sequence[OutboxRow], error: str, at: float) -> None:
        """Back to the outbox until `at` (monotonic seconds)."""
        until = self._desk.clock.now() + timedelta(seconds=max(at - self._desk.clock.monotonic(), 0.0))
        await asyncio.gather(*(self._desk.store.release(row, until, error) for row in rows))

    def _age(self, row: OutboxRow) -> float:
        return (self._desk.clock.now() - row.created_at).total_seconds()


def _entry(type_: str, row: OutboxRow, error: str = "") -> LogEvent:
    say = row.say
    data: dict[str, Value] = {"purpose": say.purpose}
    where: Mapping[str, Value] = {"to": say.to} if say.to else {"channel": say.channel or ""}
    return LogEvent(
        type_, SYSTEM, None if is_act(say.case) else say.case, {**data, **where, **({"error": error} if error else {})}
    )
