"""Whether Slack still accepts our token: a refusal by any Web API call is an outage with a name.

A refused call is an answer, so nothing else notices that nobody can be reached any more. It is reported in `/readyz` at
once and logged as an error. `auth.test` is asked regularly, so that an idle bot notices too, and more often while Slack
refuses, so that the end is noticed as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock
from handlers.web_api.client import Report
from handlers.web_api.errors import BY_ADMINISTRATORS, CALL_ERRORS, REFUSED
from handlers.web_api.manifest import SCOPES

EVERY, WHILE_REFUSED = 30.0, 5.0  # seconds between two calls of auth.test
TIMEOUT = 5.0  # seconds
FORGOTTEN = 90.0  # seconds after which a refusal of one method, not seen again, no longer counts
_TEST, _SOCKET = "auth.test", "apps.connections.open"
_OF_METHOD = frozenset({"missing_scope", "not_allowed_token_type"})  # says nothing about other methods
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Refusal:
    word: str
    at: float


class TokenWatch:
    """One for each process. `called` gets the result of every call, from `ObservedClient`."""

    def __init__(self, clock: Clock, beat: Callable[[], None] = lambda: None) -> None:
        self._clock, self._beat = clock, beat
        self._refusals: dict[str, _Refusal] = {}  # by method
        self._refused = asyncio.Event()

    def called(self, method: str, result: str, _seconds: float) -> None:
        """The result of a call: `ok`, or the code of its failure."""
        if result in REFUSED:
            if all(known.word != result for known in self._refusals.values()):
                log.error("slack.token_refused", method=method, error=result, advice=advice(method, result))
            self._refusals[method] = _Refusal(result, self._clock.monotonic())
            self._refused.set()
        elif result == "ok" and method in self._refusals:
            self._accepted(method)

    def and_report(self, report: Report) -> Report:
        """What an ObservedClient reports to: this watch, and `report`."""

        def both(method: str, result: str, seconds: float) -> None:
            self.called(method, result, seconds)
            report(method, result, seconds)

        return both

    def findings(self) -> tuple[str, ...]:
        """What Slack refuses, a sentence each."""
        self._forget()
        return tuple(dict.fromkeys(advice(method, refusal.word) for method, refusal in self._refusals.items()))

    async def run(self, client: AsyncWebClient, recovered: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Asks `auth.test` until `stop`, through a client that reports to `called`. `recovered` is awaited when Slack accepts
        the token again."""
        while not stop.is_set():
            self._beat()
            was = bool(self._refusals)
            with suppress(*CALL_ERRORS):
                await asyncio.wait_for(client.auth_test(), TIMEOUT)
            self._forget()
            if was and not self._refusals:
                log.warning("slack.token_accepted")
                await recovered()
            await self._pause(stop)

    async def _pause(self, stop: asyncio.Event) -> None:
        """Until the next call is due, or at the first refusal: then a call finds out whether it is the whole token."""
        seconds = WHILE_REFUSED if self._refusals else EVERY
        self._refused.clear()
        waits = [asyncio.ensure_future(stop.wait())]
        if not self._refusals:
            waits.append(asyncio.ensure_future(self._refused.wait()))
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    def _accepted(self, method: str) -> None:
        """A call that was refused is accepted again. If it is `auth.test`, so is the token for every other method."""
        del self._refusals[method]
        if method == _TEST:
            self._refusals = {m: r for m, r in self._refusals.items() if r.word in _OF_METHOD or m == _SOCKET}

    def _forget(self) -> None:
        here = self._clock.monotonic()
        self._refusals = {m: r for m, r in self._refusals.items() if here - r.at < FORGOTTEN}


def advice(method: str, word: str) -> str:
    """What Slack refuses, and what to do about it, in one sentence."""
    if method == _SOCKET:
        make = "make an App-Level Token with connections:write under Basic Information, then restart"
        return f"Slack refuses SLACK_APP_TOKEN ({word}): {make}."
    if word == "missing_scope":
        lacks = " or ".join(SCOPES.get(method, ())) or "a scope of the manifest"
        return (
            f"Slack refuses {method} to SLACK_BOT_TOKEN (missing_scope): add {lacks} under OAuth & Permissions and reinstall"
            " the app."
        )
    if word in BY_ADMINISTRATORS:
        return f"Slack refuses SLACK_BOT_TOKEN ({word}): ask the administrators of the Slack workspace."
    return (
        f"Slack refuses SLACK_BOT_TOKEN ({word}): reinstall the app and copy its new Bot User OAuth Token (xoxb-…), then"
        " restart."
    )
