"""Delivers one outbox row: draws it from the case of this moment, sends it, and records what became of it (rule 5).

What was drawn waits until a checkpoint covers the state that it shows; while the log is stopped nothing leaves. What Slack
does not take is tried again as its answer says, or recorded as undeliverable with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.domain.authority.endorsement import is_key_change
from bot.domain.case.campaign import is_campaign
from bot.domain.case.model import Case
from bot.domain.case.operator_action import is_act
from bot.domain.case.transition import SYSTEM, LogEvent, Value
from bot.domain.errors import LookupFailed, NotLeading, StorageError
from bot.domain.governance.own_rows import is_about_rows
from bot.domain.timing.quiet_hours import rings_at
from bot.ports.cases import Cases
from bot.ports.directory import Directory
from bot.ports.queues import Outbox
from bot.ports.records import INTERRUPTED, Cover, OutboxRow, SignedCheckpoint
from bot.service.transactions import TransactionRunner
from handlers.outbound.api_calls import MessagePlace, SlackSender
from handlers.outbound.lost_posts import Found, LookAgain, LostPosts, in_doubt
from handlers.outbound.message_kinds import (
    Dropped,
    Job,
    MessageEdit,
    MessageKind,
    Missing,
    NewMessage,
    Outgoing,
    RenderContext,
)
from handlers.outbound.message_marks import finished
from handlers.outbound.message_table import as_kept, is_plain, kind_of, tells_decision, waits_for_day
from handlers.outbound.rate_lanes import Called, Lanes, Spot
from handlers.outbound.shown_messages import ShownMessages
from handlers.outbound.silence import Silence
from handlers.web_api.errors import CALL_ERRORS, REFUSED, UNANSWERED, Verdict, verdict

GIVE_UP = timedelta(hours=24)
PAUSE, SILENT = 5.0, 60.0  # seconds without an answer of Slack's: until waiting rows are retried at once; until pages leave
ACCOUNT_AGE = 60.0  # seconds of the policy's clock
STOPPED, STOPPED_WAIT, LEASE_WAIT = "the log is stopped", 2.0, 0.5  # seconds until what waits for either is looked at again
_SLOWEST, _SLOWEST_LATER = 10.0, 60.0  # seconds between two attempts: at first, so that nothing stale stays; later
_LONG = 600.0  # seconds
log = structlog.get_logger(__name__)


class Delivery:
    """One for each process. `context` is what drawings read; `cover` returns the checkpoint over what was drawn; `lanes` are
    paused where Slack says so; `may_call`: this process leads still, asked right before each call."""

    def __init__(
        self, context: RenderContext, outbox: Outbox, cases: Cases, transactions: TransactionRunner, directory: Directory,
        clock: Clock, scale: float, cover: Cover, lanes: Lanes, may_call: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._context, self._outbox, self._cases, self._transactions = context, outbox, cases, transactions
        self._directory, self._clock, self._scale, self._cover, self._lanes = directory, clock, scale, cover, lanes
        self._may_call = may_call
        self._failures: dict[int, int] = {}  # by row id, how often it was tried in vain
        self._silence = Silence()
        self._lost, self._shown = LostPosts(outbox, clock), ShownMessages(clock)

    async def deliver(self, row: OutboxRow, place: Spot, sender: SlackSender) -> Called | None:
        """Draws, sends and records; when the call began and ended, None where none was made. Raises nothing."""
        calls: list[Called] = []
        about = _about(row)
        span = self._transactions.tracing.span(
            "send", about.get("request"), message=row.say.purpose, attempt=row.attempts + 1
        )
        with structlog.contextvars.bound_contextvars(**about), span:
            try:
                await self._deliver(row, place, sender, calls)
            except LookAgain as again:
                await self.give_back([(row, self._clock.monotonic() + again.wait)], again.error)
            except NotLeading:
                log.info("message.left_to_the_leader", outbox=row.id, purpose=row.say.purpose)
            except Exception:
                log.exception("message.failed", outbox=row.id, purpose=row.say.purpose)
                await self._try_later(row, place)
        return calls[-1] if calls else None

    async def give_back(self, rows: Iterable[tuple[OutboxRow, float]], error: str) -> None:
        """Returns rows to the outbox, each until its time (monotonic seconds)."""
        now, here = self._clock.now(), self._clock.monotonic()
        await self._release([(row, now + timedelta(seconds=max(at - here, 0.0))) for row, at in rows], error)

    async def _release(self, rows: Sequence[tuple[OutboxRow, datetime]], error: str) -> None:
        """A row in doubt stays so while it only waits."""
        waits = error not in UNANSWERED
        if rows:
            await self._outbox.release([(row, at, row.error if waits and in_doubt(row) else error) for row, at in rows])

    def may_wait(self, row: OutboxRow) -> bool:
        """Whether a redraw can go last: its message offers nothing, and nothing was open when it was last drawn."""
        return self._shown.is_settled(row)

    def age(self, row: OutboxRow) -> float:
        """Seconds since the row was written."""
        return (self._clock.now() - row.created_at).total_seconds()

    # Drawing and sending.

    async def _deliver(self, row: OutboxRow, place: Spot, sender: SlackSender, calls: list[Called]) -> None:
        kind = kind_of(row)
        if kind is None or (kind.looked_up and await self._is_gone(row)):
            await self._never(row, "unknown_purpose" if kind is None else "deactivated")
            return
        case = await self._cases.case(row.say.case) if row.say.case else None
        job: Job | Found = await kind.drawn(self._context, row, case)
        if isinstance(job, Dropped):
            job = await self._after_all(row, kind, case, job, sender)
        if isinstance(job, Dropped):
            await self._outbox.undeliverable(row, job.why, ())
            return
        if isinstance(job, Found):
            await self._adopt(row, job.places)
            return
        decision = tells_decision(row, case)
        if isinstance(job, MessageEdit) and row.error != INTERRUPTED and self._shown.unchanged(job, decision):
            await self._record_sent(row, MessagePlace(job.channel, job.ts), _version(job, case))
            return
        morning = await self._held_until(row, case)
        if morning is not None:
            await self._release([(row, morning)], "held until the morning")
            return
        signed = await self.covered()
        if signed is None and not row.aside:
            await self.give_back([(row, self._clock.monotonic() + STOPPED_WAIT)], STOPPED)
            return
        job = finished(job, self._context.scene(), signed, mark=row.mark, decision=decision)
        await self._send(row, place, job, case, sender, calls)

    async def _send(
        self, row: OutboxRow, place: Spot, job: Job, case: Case | None, sender: SlackSender, calls: list[Called]
    ) -> None:
        if isinstance(job, NewMessage):
            thread = MessagePlace(job.channel, job.thread) if job.thread else MessagePlace()
            if earlier := await self._lost.standing(row, thread, sender):
                await self._adopt(row, earlier)
                return
        if not row.aside and not self._may_call():
            await self.give_back([(row, self._clock.monotonic() + LEASE_WAIT)], "waits for the lease")
            return
        if isinstance(job, NewMessage | MessageEdit):
            self._shown.sending(job)
        began = self._clock.monotonic()
        try:
            posted = await sender.send(job, self.age(row))
        except CALL_ERRORS as error:
            judged = verdict(error)
            if judged.error in UNANSWERED:
                self._silence.begins(place.method, self._clock.monotonic(), refused=judged.error in REFUSED)
            else:
                await self._answered(place.method)
            await self._judged(row, place, judged)
            return
        finally:
            calls.append(Called(began, self._clock.monotonic()))
        await self._answered(place.method)
        if isinstance(job, NewMessage | MessageEdit):
            self._shown.sent(posted, job, case)
        if isinstance(job, NewMessage) and not job.thread:
            await self._keep_too(row, await self._lost.twins(row, posted, sender))
        await self._record_sent(row, posted, _version(job, case))

    async def _after_all(
        self, row: OutboxRow, kind: MessageKind, case: Case | None, dropped: Dropped, sender: SlackSender
    ) -> Job | Found:
        """What becomes of a message that is pointless by now, but may be in Slack with its buttons: it is found and
        redrawn. Where nobody knows in which conversation, it is sent as it looks now, and then the first one is found."""
        places = await self._lost.anywhere(row, sender)
        if places:
            return Found(places)
        if places is not None or kind.redraw is None or row.say.to is None:
            return dropped
        try:
            return NewMessage(row.say.to.user, await kind.redraw(Outgoing(self._context, row, case)))
        except Missing:
            return dropped

    async def _adopt(self, row: OutboxRow, places: Sequence[MessagePlace]) -> None:
        """Takes what an earlier attempt posted for sent."""
        await self._keep_too(row, places[1:])
        await self._record_sent(row, places[0], 0)

    async def _keep_too(self, row: OutboxRow, places: Iterable[MessagePlace]) -> None:
        for place in places:
            await self._outbox.found_again(as_kept(row), place.channel, place.ts, is_plain(row))

    async def covered(self) -> SignedCheckpoint | None:
        """The checkpoint over what was drawn; None while the log is stopped."""
        try:
            signed = await self._cover()
        except StorageError as error:
            log.error("log.not_signed", error=str(error))
            return None
        return signed if isinstance(signed, SignedCheckpoint) else None

    async def _is_gone(self, row: OutboxRow) -> bool:
        """Whether the account is deactivated: Slack accepts messages to such accounts without an error. A failed look-up is
        no reason not to send."""
        if row.say.to is None:
            return False
        try:
            return (await self._directory.profile(row.say.to, ACCOUNT_AGE / self._scale)).deleted
        except LookupFailed:
            return False

    async def _held_until(self, row: OutboxRow, case: Case | None) -> datetime | None:
        """The start of the recipient's working hours, if this waits for them; None to send now, also where the look-up of
        the time zone failed."""
        now = self._clock.now()
        if row.say.to is None or self._scale > 1 or not waits_for_day(row, case):
            return None
        try:
            profile = await self._directory.profile(row.say.to, ACCOUNT_AGE / self._scale)
        except LookupFailed:
            return None
        at = rings_at(now, profile.time_zone)
        return at if at > now else None

    # Recording what became of it.

    async def _answered(self, method: str) -> None:
        """Slack answers: rows that wait only because it did not are due now, not after their back-off."""
        if self._silence.ends(method, self._clock.monotonic()) > PAUSE and self._failures:
            await self._outbox.slack_is_back(self._clock.now())
            self._transactions.spoke.set()

    async def _record_sent(self, row: OutboxRow, posted: MessagePlace, drawn: int) -> None:
        kind = kind_of(row)
        kept = row.copy is not None or (kind is not None and kind.kept(row))
        entries = [_entry("delivery.sent", row)] if kind and kind.logged else []
        place = posted if kept else MessagePlace()
        await self._outbox.sent(as_kept(row), place.channel, place.ts, drawn, entries, plain=is_plain(row))
        self._failures.pop(row.id, None)

    async def _judged(self, row: OutboxRow, place: Spot, judged: Verdict) -> None:
        """Slack refused the call: waits for `Retry-After`, retries later, or gives up."""
        here, kind = self._clock.monotonic(), kind_of(row)
        if judged.kind == "limited":
            log.warning("slack.limited", method=place.method, wait=judged.wait)
            held = self._lanes.pause(place, here + judged.wait, everywhere=place.method != "chat.postMessage")
            await self.give_back([(one, here + judged.wait) for one in (row, *held)], judged.error)
        elif judged.kind == "never" or self.age(row) > GIVE_UP.total_seconds():
            await self._never(row, judged.error)
        else:
            prompt = kind is not None and kind.prompt
            if prompt and self._silence.lasts(place.method, here) > SILENT:
                await self._transactions.slack_is_silent(row)
            tries = self._failures[row.id] = self._failures.get(row.id, 0) + 1
            slowest = _SLOWEST if self.age(row) < _LONG else _SLOWEST_LATER
            await self.give_back([(row, here + min(2.0 ** (tries - 1), slowest))], judged.error)

    async def _try_later(self, row: OutboxRow, place: Spot) -> None:
        try:
            await self._judged(row, place, Verdict("later", "unexpected"))
        except Exception:
            log.exception("message.not_given_back", outbox=row.id)  # the lease ends by itself

    async def _never(self, row: OutboxRow, error: str) -> None:
        """Records it as undeliverable; a case that waits for it goes to its next step first."""
        level = log.debug if row.say.purpose in ("form", "home") else log.warning  # a form that was closed is no trouble
        level("message.undeliverable", outbox=row.id, purpose=row.say.purpose, error=error)
        self._failures.pop(row.id, None)
        kind = kind_of(row)
        if kind is not None and kind.steps_on:
            await self._transactions.undelivered(row, error)
        entries = [_entry("delivery.failed", row, error)] if kind and kind.logged else []
        await self._outbox.undeliverable(row, error, entries)


def _version(job: Job, case: Case | None) -> int:
    """The version of the case, or of another record, that a job shows."""
    if case is not None:
        return case.request.version
    return job.drawn if isinstance(job, NewMessage | MessageEdit) else 0


def _about(row: OutboxRow) -> dict[str, str]:
    """What the log lines about a row name: its request, or the operator's act."""
    case = row.say.case
    return {} if not case else {"act" if is_act(case) else "request": case}


def _entry(type_: str, row: OutboxRow, error: str = "") -> LogEvent:
    say = row.say
    data: dict[str, Value] = {"purpose": say.purpose}
    where: Mapping[str, Value] = {"to": say.to} if say.to else {"channel": say.channel or ""}
    aside = is_act(say.case) or is_campaign(say.case) or is_about_rows(say.case) or is_key_change(say.case)
    data |= {**where, **({"error": error} if error else {})}
    return LogEvent(type_, SYSTEM, None if aside else say.case, data)
