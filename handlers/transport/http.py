"""The gate in front of bolt where Slack comes over HTTP: only what Slack signed, whole and well formed, gets through.

In this order, the cheap before the dear and the signature before anything is read: path, method, headers, size, time, seal,
repeat, shape. Each refusal is a 4xx and one line with its name, never the body. `url_verification` is answered here.
Everything else goes to bolt as Socket Mode would bring it: one parsed payload, and none of the request's headers, because
the signature covers the body alone and bolt acts on some of them (`X-Slack-Bolt-Lazy-Only`).

Where bolt fails or is late, nothing is known to be done, and the answer is 429 with `Retry-After`: the one 4xx that says
"the same again, later". Slack delivers an event again after any failure; a command, click or form shows its author a
failure, and a form stays open. A 200 would mean that it was done. Trying again is safe: acts are keyed, and a 429 is
never kept as a first answer. An act in progress is finished even if the client disconnects.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.clock import Clock
from bot.http.server import STOPPING, HttpServer
from handlers.transport.dispatch import dispatched
from handlers.transport.envelope import FORM, JSON, NOT_UTF8, Payload, opened
from handlers.transport.person_limit import PersonLimit
from handlers.transport.replay_cache import Answer, ReplayCache, key_of
from handlers.transport.signature import SIGNATURE, TIMESTAMP, NotAuthentic, SignatureCheck

PATH = "/slack/events"
BODY_MAX = 1024 * 1024  # bytes
BODY_SECONDS, ANSWER_SECONDS = 5.0, 10.0  # for a body to arrive, for bolt to answer; Slack itself waits three

WRONG_PATH = NotAuthentic("wrong_path", 404, f"Slack's requests go to {PATH}.")
WRONG_METHOD = NotAuthentic("wrong_method", 405, "Slack's requests are POST.")
WRONG_TYPE = NotAuthentic("wrong_content_type", 415, "The body is JSON or a form, in UTF-8, not compressed.")
TOO_LARGE = NotAuthentic("too_large", 413, "The body is longer than 1 MB.")
TOO_SLOW = NotAuthentic("too_slow", 408, "The body did not arrive in time.")
BROKEN = NotAuthentic("broken_body", 400, "The body broke off.")
AGAIN = Answer(429, b"Nothing was done. Try again.\n", again=True)

Report = Callable[[str, str, float], None]
log = structlog.get_logger(__name__)


def unheard(_kind: str, _outcome: str, _seconds: float) -> None:
    """Nobody counts."""


class RequestGate:
    """Serves `app` on `listen`. `report(kind, outcome, seconds)` is called for every answer: `kind` of the payload, or `refused`
    with the fault as outcome; outcomes of payloads are `ok`, `repeat`, `failed`, `late` and `status_<n>`."""

    def __init__(
        self, app: AsyncApp, signing_secret: str, clock: Clock, *, listen: str = "127.0.0.1:3000", report: Report = unheard
    ) -> None:
        self._app, self._seal, self._report = app, SignatureCheck(signing_secret, clock), report
        self._answers, self._limit = ReplayCache(clock), PersonLimit()
        self._under_way: dict[bytes, asyncio.Task[Answer]] = {}
        self._server = HttpServer(self._handle, listen, "COUNTERSIGN_LISTEN", self._malformed)
        self.answer_seconds, self.body_seconds = ANSWER_SECONDS, BODY_SECONDS

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self) -> None:
        """Listens. Raises SettingsError where the address cannot be had."""
        await self._server.start()

    async def stop(self) -> None:
        """Takes nothing more in, and waits for what is being acted on."""
        await self._server.stop()
        if self._under_way:
            await asyncio.wait(set(self._under_way.values()), timeout=STOPPING)

    async def serve(self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Until `stop`; `ready` is called when it listens. Raises SettingsError."""
        await self.start()
        try:
            ready()
            await stop.wait()
        finally:
            await self.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started = asyncio.get_running_loop().time()
        kind, outcome, answer = await self._judged(request)
        self._report(kind, outcome, asyncio.get_running_loop().time() - started)
        return _response(answer)

    async def _judged(self, request: web.BaseRequest) -> tuple[str, str, Answer]:
        body = await self._admitted(request)
        if isinstance(body, NotAuthentic):
            return _refuse(body, request)
        key = key_of(body.encode())
        first = self._answers.find(key)
        if first is not None:
            return "repeat", "repeat", first
        if key not in self._under_way:
            payload = opened(_content_type(request), body)
            if isinstance(payload, NotAuthentic):
                return _refuse(payload, request)
            if payload.kind == "url_verification":
                return payload.kind, "ok", _challenge(payload)
            self._begin(key, payload)
            return await self._outcome(payload.kind, key)
        return await self._outcome("repeat", key)

    async def _admitted(self, request: web.BaseRequest) -> str | NotAuthentic:
        """The body, if Slack signed it."""
        refused = _at_the_door(request)
        raw = refused or await _read(request, self.body_seconds)
        if isinstance(raw, NotAuthentic):
            return raw
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            return NOT_UTF8
        headers = request.headers
        return self._seal.judge(headers.getall(TIMESTAMP, []), headers.getall(SIGNATURE, []), body) or body

    def _begin(self, key: bytes, payload: Payload) -> None:
        task = asyncio.ensure_future(self._act(payload))
        self._under_way[key] = task

        def ended(done: asyncio.Task[Answer]) -> None:
            del self._under_way[key]
            if not done.cancelled():
                self._answers.keep(key, done.result())

        task.add_done_callback(ended)

    async def _outcome(self, kind: str, key: bytes) -> tuple[str, str, Answer]:
        """What the first of these bytes is answered, within the time that anybody waits for it."""
        task = self._under_way[key]
        await asyncio.wait({task}, timeout=self.answer_seconds)
        if not task.done():
            log.error("gate.late", kind=kind)
            return kind, "late", AGAIN
        answer = task.result()
        word = "failed" if answer.again else "ok" if answer.status == 200 else f"status_{answer.status}"
        return kind, word, answer

    async def _act(self, payload: Payload) -> Answer:
        """Bolt's answer. Never raises."""
        async with self._limit.of(payload.body):
            answer = await dispatched(self._app, payload, "gate")
        if isinstance(answer, NotAuthentic):
            return Answer(answer.status, answer.sentence.encode())
        return AGAIN if answer is None else _answer(answer)

    def _malformed(self, fault: str) -> None:
        self._report("refused", fault, 0.0)


def _at_the_door(request: web.BaseRequest) -> NotAuthentic | None:
    """What the request line and the headers say, before a byte of the body is read."""
    if request.path != PATH:
        return WRONG_PATH
    if request.method != "POST":
        return WRONG_METHOD
    charset = None
    with suppress(LookupError, ValueError):
        charset = request.charset
    plain = request.headers.get("Content-Encoding", "identity").lower() == "identity"
    if _content_type(request) not in (JSON, FORM) or (charset or "utf-8").lower() not in ("utf-8", "utf8") or not plain:
        return WRONG_TYPE
    return TOO_LARGE if (request.content_length or 0) > BODY_MAX else None


async def _read(request: web.BaseRequest, seconds: float) -> bytes | NotAuthentic:
    """The whole body, however it is sent."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.content.iter_any():
                size += len(part)
                if size > BODY_MAX:
                    return TOO_LARGE
                parts.append(part)
    except TimeoutError:
        return TOO_SLOW
    except (web.RequestPayloadError, OSError):
        return BROKEN
    return b"".join(parts)


def _content_type(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _refuse(refused: NotAuthentic, request: web.BaseRequest) -> tuple[str, str, Answer]:
    size, peer = request.content_length, request.remote
    log.warning("gate.refused", fault=refused.fault, status=refused.status, size=size, peer=peer)
    return "refused", refused.fault, Answer(refused.status, f"{refused.sentence}\n".encode())


def _challenge(payload: Payload) -> Answer:
    return Answer(200, json.dumps({"challenge": payload.body["challenge"]}).encode(), JSON)


def _answer(answer: BoltResponse) -> Answer:
    content_type = answer.first_headers().get("content-type", "text/plain").partition(";")[0].strip()
    return Answer(answer.status, answer.body.encode(errors="replace"), content_type)


def _response(answer: Answer) -> web.Response:
    headers: dict[str, Any] = {"Retry-After": "1"} if answer.again else {}
    if answer.status == WRONG_METHOD.status:
        headers["Allow"] = "POST"
    response = web.Response(
        status=answer.status, body=answer.body, content_type=answer.content_type, charset="utf-8", headers=headers
    )
    if answer.status in (TOO_LARGE.status, TOO_SLOW.status, BROKEN.status):
        response.force_close()
    return response
