"""Keeps the page for signing served while the policy has `signing`, and reports an address that cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from bot.clock import Clock
from bot.decision_log.enrolment import Answer, Rendezvous
from bot.domain.errors import SettingsError
from bot.http.sign_server import Call, SignServer
from bot.service.signing_page import SigningPage, Told
from bot.service.signing_session import SigningSessions

LOOK, AGAIN = 0.5, 5.0  # seconds: between two looks at the policy; until an address that is taken is tried again
_MADE = ("id", "client_data", "attestation", "authenticator_data", "signature")
_SIGNED = ("statement", "credential", "authenticator_data", "client_data", "signature")
log = structlog.get_logger(__name__)


class SignPage:
    """One for each process. `beat` is called once a round, for the health check."""

    def __init__(
        self,
        page: SigningPage,
        sessions: SigningSessions,
        listen: str,
        state_dir: Path,
        clock: Clock,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._page, self._listen, self._beat = page, listen, beat
        self._calls = {**calls(page), **session_calls(sessions), **enrolment_calls(Rendezvous(state_dir), clock)}
        self._server: SignServer | None = None
        self._trouble = ""

    @property
    def port(self) -> int:
        """The port in use; 0 while nothing is served."""
        return 0 if self._server is None else self._server.port

    def findings(self) -> tuple[str, ...]:
        """Why the page is not served although the policy has `signing`."""
        return (self._trouble,) if self._trouble else ()

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop`."""
        while not stop.is_set():
            self._beat()
            await self._look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN if self._trouble else LOOK)
        await self._end()

    async def _look(self) -> None:
        wanted = self._page.signing is not None
        if wanted and self._server is None:
            server = SignServer(self._calls, self._origin, listen=self._listen)
            try:
                await server.start()
            except SettingsError as error:
                self._trouble = str(error)
                log.error("sign_page.not_served", error=str(error))
                return
            self._server, self._trouble = server, ""
        elif not wanted:
            await self._end()

    async def _end(self) -> None:
        server, self._server, self._trouble = self._server, None, ""
        if server is not None:
            await server.stop()

    def _origin(self) -> str:
        return self._page.signing.origin if self._page.signing is not None else ""


def calls(page: SigningPage) -> Mapping[str, Call]:
    """The calls of the page's script by their path."""

    async def read(body: Mapping[str, object]) -> Told:
        return await page.read(_text(body, "token"))

    async def statement(body: Mapping[str, object]) -> Told:
        seconds = body.get("seconds", 0)
        if type(seconds) is not int:
            raise ValueError("seconds")
        until = _text(body, "until") if "until" in body else ""
        return await page.statement(_text(body, "token"), _text(body, "verdict"), seconds, until)

    async def sign(body: Mapping[str, object]) -> Told:
        sent = {name: _text(body, name) for name in _SIGNED}
        reason = _text(body, "reason")[:1_000] if "reason" in body else ""
        return await page.sign(_text(body, "token"), {**sent, "reason": reason})

    return {"/api/read": read, "/api/statement": statement, "/api/sign": sign}


def session_calls(sessions: SigningSessions) -> Mapping[str, Call]:
    """The calls of the page at `/`, where a passkey signs in and what waits is listed."""

    async def begin(_body: Mapping[str, object]) -> Told:
        return await sessions.begin()

    async def finish(body: Mapping[str, object]) -> Told:
        return await sessions.finish(_text(body, "nonce"), {name: _text(body, name) for name in _SIGNED[1:]})

    async def waiting(body: Mapping[str, object]) -> Told:
        return await sessions.waiting(_text(body, "session"))

    return {"/api/session/begin": begin, "/api/session/finish": finish, "/api/waiting": waiting}


def enrolment_calls(place: Rendezvous, clock: Clock) -> Mapping[str, Call]:
    """The calls of the page at `/e`, where a passkey is enrolled or tried."""

    async def begin(body: Mapping[str, object]) -> Answer:
        return place.begin(_text(body, "token"), _text(body, "code"), clock.now())

    async def finish(body: Mapping[str, object]) -> Answer:
        sent = {name: _text(body, name) for name in _MADE if name in body}
        if not {"id", "client_data"} <= sent.keys() or not ({"attestation"} <= sent.keys() or {"signature"} <= sent.keys()):
            raise ValueError("made")
        return place.finish(_text(body, "token"), _text(body, "code"), sent, clock.now())

    return {"/api/enrol/begin": begin, "/api/enrol/finish": finish}


def _text(body: Mapping[str, object], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str) or (not found.isascii() and name != "reason"):
        raise ValueError(name)
    return found
