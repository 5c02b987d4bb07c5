"""How a payload reaches the app: over a Socket Mode connection if there is one, else as signed HTTP.

A delivery has three ends: acknowledged in time (perhaps with a response), not acknowledged within `ack_seconds`
(`operation_timeout`), or impossible (`dispatch_failed`). Sources: Slack's Socket Mode protocol, its request signing v0.
"""

import asyncio
import hashlib
import hmac
import json
import time
import urllib.parse
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sandbox.faults import Faults
from sandbox.sockets import Sockets
from sandbox.workspace import Json
from sandbox.world import World

TIMEOUT = "operation_timeout"
FAILED = "dispatch_failed"


@dataclass
class Outcome:
    """What became of one gesture. `response` is the acknowledgement's payload, `errors` the errors at fields.

    `acked` is False when Slack would show its own failure; `error` is then its word. `seconds` is the time to the ack.
    `payload` is what was sent (empty if nothing was: a form with an empty required field is never sent).
    """

    kind: str
    acked: bool = False
    seconds: float = 0.0
    response: Any = None
    error: str = ""
    payload: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    via: str = ""

    @property
    def ok(self) -> bool:
        """Acknowledged, and without errors at fields."""
        return self.acked and not self.errors and not self.error


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's request signature: `v0=` and the hex HMAC-SHA256 of `v0:timestamp:body`."""
    base = f"v0:{timestamp}:{body}".encode()
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encoded(kind: str, payload: Json) -> tuple[str, str]:
    """Content type and body of a payload over HTTP: JSON for events, forms for the rest."""
    if kind == "events_api":
        return "application/json", json.dumps(payload)
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return "application/x-www-form-urlencoded", urllib.parse.urlencode(form)


class Delivery:
    """Carries payloads to the app and remembers the last one for replays."""

    def __init__(self, world: World, faults: Faults) -> None:
        """Nothing is connected yet."""
        self.world = world
        self.faults = faults
        self.sockets = Sockets(world, faults)
        self.last: tuple[str, Json] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Stop what runs in the background and hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        if self._session is not None:
            await self._session.close()

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the background until it ends or the sandbox closes."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, kind: str, payload: Json, retry: tuple[int, str] | None = None) -> Outcome:
        """Deliver one payload (twice under the fault of that name) and wait for its acknowledgement."""
        self.last = (kind, payload)
        if self.faults.double_deliveries and retry is None:
            first = asyncio.ensure_future(self._once(kind, payload, None))
            second = self._once(kind, payload, (1, "timeout") if kind == "events_api" else None)
            outcome, _ = await asyncio.gather(first, second)
            return outcome
        return await self._once(kind, payload, retry)

    async def _once(self, kind: str, payload: Json, retry: tuple[int, str] | None) -> Outcome:
        """One delivery over whatever way there is."""
        started = time.monotonic()
        name = str(payload.get("type") or payload.get("command", kind))
        line = self.world.timeline.add("delivery", name, payload, ok=False)
        outcome = Outcome(kind, payload=payload)
        try:
            async with asyncio.timeout(self.world.workspace.settings.ack_seconds):
                await self._carry(kind, payload, retry, outcome)
        except TimeoutError:
            outcome.error = TIMEOUT
        outcome.seconds = line.seconds = time.monotonic() - started
        line.ok, line.error, line.via = outcome.acked, outcome.error, outcome.via
        line.answer = outcome.response if isinstance(outcome.response, dict) else {"text": outcome.response}
        self.world.touch()
        return outcome

    async def _carry(self, kind: str, payload: Json, retry: tuple[int, str] | None, outcome: Outcome) -> None:
        """Fill in the outcome; a missing way is `dispatch_failed` at once."""
        if self.sockets.connected:
            outcome.via = "socket"
            answer = await self.sockets.send(kind, payload, retry)
            if answer is None:
                outcome.error = FAILED
            else:
                outcome.acked, outcome.response = True, answer.get("payload")
        elif self.world.workspace.app.request_url:
            outcome.via = "http"
            await self._post(kind, payload, retry, outcome)
        else:
            outcome.error = FAILED

    async def _post(self, kind: str, payload: Json, retry: tuple[int, str] | None, outcome: Outcome) -> None:
        """A signed request to the app's address; only a 2xx is an acknowledgement."""
        content_type, body = encoded(kind, payload)
        headers = self.signed(body, content_type)
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            url = self.world.workspace.app.request_url
            async with self._session.post(url, data=body.encode(), headers=headers) as response:
                text = await response.text()
                if response.status // 100 != 2:
                    outcome.error, outcome.response = FAILED, {"status": response.status, "body": text[:500]}
                    return
                outcome.acked, outcome.response = True, _answer(text)
        except aiohttp.ClientError:
            outcome.error = FAILED

    def signed(self, body: str, content_type: str, timestamp: int | None = None) -> dict[str, str]:
        """The headers of a request from Slack, signed for this moment or for a given Unix second."""
        at = str(timestamp if timestamp is not None else int(time.time()))
        return {
            "Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signature(self.world.workspace.app.signing_secret, at, body),
        }  # fmt: skip

    async def event(self, payload: Json) -> Outcome:
        """Deliver an event; the first attempt is awaited, retries run in the background as Slack's do."""
        outcome = await self.send("events_api", payload)
        if not outcome.acked:
            self.later(self._retry(payload, outcome.error))
        return outcome

    async def _retry(self, payload: Json, error: str) -> None:
        """Up to three retries of an event that nobody acknowledged."""
        reason = "timeout" if error == TIMEOUT else "http_error"
        for number, wait in enumerate(self.world.workspace.settings.event_retry_seconds, start=1):
            await asyncio.sleep(wait)
            if (await self._once("events_api", payload, (number, reason))).acked:
                return


def _answer(text: str) -> Any:
    """An HTTP body as Slack reads it: JSON if it is, else plain text, None if empty."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
