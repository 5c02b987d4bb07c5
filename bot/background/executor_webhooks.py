"""Calls executors, the systems that open and close the access, by Standard Webhooks.

A call is a row (`bot.domain.workflow.executor`), inserted in the transaction that opens, extends or ends the grant. Here it is
leased and sent at least once, under the same `webhook-id` until it is answered: by it the receiver recognises repeats.
- A close answered `failed` is tried again under a new id: a receiver that remembers its answers would repeat the old one.
- Each case has one call in flight at a time, so that a close never overtakes an open.
- Each attempt of an open carries a fresh permit, which is issued only once a checkpoint covers it; without one (the clock is
  not trusted, the log is stopped) the open waits. A close tries to get a checkpoint but never waits for it: a stopped log
  still revokes, even if the end is in the emergency file only.
- A 2xx is an answer; anything else is retried after 5 s, doubling to 10 min. Addresses and secrets are read from the
  environment when the call is sent, are in no row and no log, and redirects are not followed.
Design, section 4; https://www.standardwebhooks.com.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import structlog
from standardwebhooks import Webhook

from bot.background.loop import every
from bot.clock import Clock
from bot.domain.case.click import Rejected
from bot.domain.case.model import Call, CallKind, Case
from bot.domain.case.transition import Transition
from bot.domain.decision_log.entry import stamp
from bot.domain.errors import CountersignError, StorageError
from bot.domain.policy.handed_in import value_of
from bot.domain.policy.model import Policy
from bot.domain.policy.trusted_address import trusted
from bot.domain.workflow import executor
from bot.domain.workflow.executor import MAY_SAY, Heard
from bot.http.client import CallFailed, HttpClient, Limits
from bot.ports.cases import Cases
from bot.ports.queues import ExecutorCalls
from bot.ports.records import Cover, ExecutorCall
from bot.service.permits import Permit
from bot.service.transactions import TransactionRunner

POLL, PARTING = 0.25, 3.0  # seconds
LEASE = timedelta(seconds=60)
FIRST, SLOWEST = 5.0, 600.0  # seconds between attempts
MOST, DETAIL_MAX = 20, 300  # calls in flight, characters
LIMITS = Limits(seconds=10.0, size=65_536)
PermitOf: TypeAlias = Callable[[str], Awaitable[Permit | Rejected]]
_NOT_READ = {"too_large": "not_understood"}
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _UnloggedCall:
    """Progress of a close whose grant ended while the log is stopped."""

    next_at: datetime
    attempts: int = 0
    refusals: int = 0
    over: bool = False


class ExecutorWebhooks:
    """One for each process. `permit` issues a permit for a request's grant; `environment` holds the addresses and secrets;
    `cover` signs what has been committed."""

    def __init__(
        self, calls: ExecutorCalls, cases: Cases, clock: Clock, transactions: TransactionRunner, permit: PermitOf,
        environment: Mapping[str, str], cover: Cover, beat: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._calls, self._cases, self._clock, self._transactions, self._issue = calls, cases, clock, transactions, permit
        self._environment, self._cover, self._beat = environment, cover, beat
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._aside: dict[str, _UnloggedCall] = {}
        self._http = HttpClient()

    async def run(self, stop: asyncio.Event) -> None:
        """Sends calls until `stop`, then waits PARTING seconds for answers."""
        try:
            await every(POLL, self._begin_safely, stop, beat=self._beat)
        finally:
            await self.close()

    async def drain(self) -> None:
        """Sends the calls that are due now and waits for their answers."""
        await self._begin()
        await self._begin_aside()
        await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        """Stops sending; unanswered calls are repeated at the next start."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=PARTING)
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._http.close()

    async def _begin_safely(self) -> None:
        for begin in (self._begin, self._begin_aside):  # one runs even if the other fails
            try:
                await begin()
            except StorageError as error:
                log.error("executors.not_begun", error=str(error))
            except Exception:
                log.exception("executors.not_begun")

    async def _begin(self) -> None:
        now, room = self._clock.now(), MOST - len(self._under_way)
        for call in await self._calls.lease(now, now + LEASE, room) if room > 0 else ():
            self._start(call.case, self._one(call))

    async def _begin_aside(self) -> None:
        now = self._clock.now()
        for case in await self._calls.ended_aside():
            known, busy = self._aside.setdefault(case.id, _UnloggedCall(now)), case.id in self._under_way.values()
            if not (known.over or busy) and known.next_at <= now and executor.unwritten(case) is not None:
                self._start(case.id, self._one_aside(case, known))

    def _start(self, case_id: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way[task] = case_id
        task.add_done_callback(self._under_way.pop)

    async def _one_aside(self, case: Case, known: _UnloggedCall) -> None:
        """Sends a close that has no row yet, under the ids that its row will have; the row repeats it later."""
        call = executor.unwritten(case)
        assert call is not None
        known.attempts += 1
        heard = await self._asked(case, call, ExecutorCall(case.id, len(case.calls), known.attempts, known.refusals))
        known.over = isinstance(heard, Heard) and heard.word == "closed"
        known.refusals += isinstance(heard, Heard) and heard.word == "failed"
        known.next_at = self._clock.now() + _wait(known.attempts)
        log.warning("executor.told_while_stopped", request=case.id, closed=known.over, attempts=known.attempts)

    async def _one(self, call: ExecutorCall) -> None:
        """Makes one attempt and releases the lease, whatever the outcome."""
        try:
            with self._transactions.tracing.span("call the executor", call.case, attempt=call.attempts):
                error = await self._attempt(call)
        except Exception as fault:  # noqa: BLE001  # a traceback could contain the permit: log the name only
            error = type(fault).__name__
            log.error("executor.attempt_failed", request=call.case, error=error)
        with contextlib.suppress(StorageError):  # then the lease expires
            await self._calls.release(call, self._clock.now() + _wait(call.attempts), error)

    async def _attempt(self, out: ExecutorCall) -> str:
        """Returns the empty string, or a code why the call is retried."""
        case = await self._cases.case(out.case)
        if case is None or not executor.sendable(case, out.n, self._clock.now()):
            return "not_now"
        call = case.calls[out.n]
        heard = await self._asked(case, call, out)
        if isinstance(heard, str):
            log.warning("executor.silent", request=case.id, kind=call.kind, error=heard, attempts=out.attempts)
            await self._transactions.heard(case.id, partial(_judged_silence, n=out.n))
            return heard
        await self._transactions.heard(case.id, partial(_judged_answer, n=out.n, heard=heard))
        return "failed" if heard.word == "failed" else ""

    async def _asked(self, case: Case, call: Call, out: ExecutorCall) -> Heard | str:
        """The answer, or a code why there is none."""
        terms = case.request.terms
        url, secret = (value_of(value, self._environment) for value in (terms.webhook, terms.secret))
        if not trusted(url) or not secret.removeprefix("whsec_"):
            return "no_address"
        token: str | None = None
        if call.kind == "open":
            permit = await self._permit(case)
            if permit is None:
                return "no_permit"
            token = permit.token
        else:
            await self._covered_if_it_can_be()
        return await self._post(url, secret, case, call, out, token)

    async def _permit(self, case: Case) -> Permit | None:
        try:
            made = await self._issue(case.id)
        except CountersignError as error:
            log.warning("executor.no_permit", request=case.id, error=str(error))
            return None
        return made if isinstance(made, Permit) else None

    async def _covered_if_it_can_be(self) -> None:
        with contextlib.suppress(StorageError):
            await self._cover()

    async def _post(
        self, url: str, secret: str, case: Case, call: Call, out: ExecutorCall, permit: str | None
    ) -> Heard | str:  # fmt: skip
        now = self._clock.now()
        body = json.dumps(message(case, call, permit, now), ensure_ascii=True, separators=(",", ":"))
        try:
            headers = signed(secret, webhook_id(out), body, now)
        except ValueError as error:
            return type(error).__name__  # its text may hold the secret
        try:
            answer = await self._http.post(url, body.encode(), headers, LIMITS)
        except CallFailed as error:
            return _NOT_READ.get(str(error), str(error))
        return read_answer(call.kind, answer.status, answer.body)


def webhook_id(out: ExecutorCall) -> str:
    """Names a call to its receiver: the same until it is answered, another after each answer `failed`."""
    return f"msg_{out.case}_{out.n}" + (f"_{out.refusals}" if out.refusals else "")


def message(case: Case, call: Call, permit: str | None, now: datetime) -> dict[str, Any]:
    """The body of a call; `permit` is null in a close."""
    request = case.request
    data = {
        "request": request.id, "runbook": request.runbook, "requester": str(request.requester), "target": request.target,
        "not_after": stamp(call.not_after), "permit": permit,
    }  # fmt: skip
    return {"type": f"grant.{call.kind}", "timestamp": stamp(now), "data": data}


def signed(secret: str, id_: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks. Raises ValueError for a secret that is no base64."""
    return {
        "Content-Type": "application/json", "User-Agent": "countersign", "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": Webhook(secret).sign(id_, now, body),
    }  # fmt: skip


def read_answer(kind: CallKind, status: int, body: bytes) -> Heard | str:
    """The answer of a system, or a code if it cannot be understood."""
    done, _ = MAY_SAY[kind]
    if not 200 <= status < 300:
        return f"http_{status}"
    if not body.strip():
        return Heard(done)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    state = told.get("state") if isinstance(told, dict) else None
    word = next((w for w in MAY_SAY[kind] if w == state), None)
    if word is None or not isinstance(told, dict):
        return "not_understood"
    return Heard(word, _one_line(told.get("detail")))


def _one_line(detail: object) -> str:
    """The text as one printable line; empty for anything but text."""
    text = detail.encode("utf-8", "replace").decode() if isinstance(detail, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:DETAIL_MAX]


def _wait(attempts: int) -> timedelta:
    return timedelta(seconds=min(FIRST * 2.0 ** min(attempts - 1, 10), SLOWEST))


def _judged_silence(case: Case, policy: Policy, now: datetime, *, n: int) -> Transition | None:
    return executor.unanswered(case, policy, n, now)


def _judged_answer(case: Case, policy: Policy, now: datetime, *, n: int, heard: Heard) -> Transition | None:
    return executor.answered(case, policy, n, heard, now)
