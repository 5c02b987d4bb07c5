"""The demo's act of signed decisions: Olga gets a passkey, and from then on her yes to one runbook is signed with it.

Until then the policy has no `signing`: the first set with keys counts at once, as an organisation's own first one does. The page is
served on `http://localhost`, where browsers allow passkeys without TLS, through a proxy that passes everything on, as an operator's does;
here it also adds `virtual.js`, which stands in for a passkey in a browser that has none, and says so. The bot knows nothing of that script.
Source: signed-decisions.md; issue 19.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import timedelta
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from bot.background.loop import pause
from bot.background.sign_page import enrolment_calls
from bot.clock import SystemClock
from bot.decision_log.enrolment import Rendezvous, Wanted
from bot.demo.workspace import APPROVER, MATRIX
from bot.domain.signing.assertion import to_base64url
from bot.http.client import new_session
from bot.http.server import HttpServer
from bot.http.sign_server import SETTING, SignServer

RUNBOOK = "identity-containment"
_LABEL, _NAME, _TEAM = "olga", "Olga Novak", "T0HOME"
_OPEN, _LOOK = timedelta(days=30), 0.3  # for as long as the demo runs; seconds between two looks
_PAGE, _ADDED = b'<script src="/page.js"', b'<script src="/virtual.js" defer></script>\n'
_SENT, _OWN = ("Content-Type", "Origin", "Cookie"), ("Content-Length", "Transfer-Encoding", "Connection", "Date", "Server")
_BUSY = '{"text": "Countersign is taking in the new policy. Try again in a moment."}'


class SigningAct:
    """A context manager: the page is served while it is open. `code` is typed there."""

    def __init__(self, state_dir: Path) -> None:
        clock = SystemClock()
        self.code, self._token = f"{int.from_bytes(clock.salt()) % 1_000_000:06d}", to_base64url(clock.salt())
        self._place, self._clock = Rendezvous(state_dir), clock
        self._enrolling = SignServer(enrolment_calls(self._place, clock), lambda: self.origin, listen="127.0.0.1:0")
        self._proxy = HttpServer(self._passed_on, "127.0.0.1:0", SETTING)
        self._script = resources.files("bot.demo").joinpath("virtual.js").read_bytes()
        self._port = 0

    async def __aenter__(self) -> Self:
        await self._enrolling.start()
        self._port = self._enrolling.port
        await self._proxy.start()
        self._session = new_session()
        wanted = Wanted(
            "enrol", _LABEL, f"{_TEAM}/{APPROVER}", _NAME, "localhost", self.origin, (), self._clock.salt(),
            self._clock.now() + _OPEN,
        )  # fmt: skip
        self._place.open(self._token, self.code, wanted)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:  # fmt: skip
        await self._session.close()
        await self._proxy.stop()
        await self._enrolling.stop()

    @property
    def origin(self) -> str:
        """Where the browser sees the page."""
        return f"http://localhost:{self._proxy.port}"

    @property
    def address(self) -> str:
        """Where the passkey is made."""
        return f"{self.origin}/e#{self._token}"

    @property
    def step(self) -> dict[str, str]:
        """The act among those to try."""
        return {
            "text": "A yes that nobody else can give.", "link": self.address,
            "detail": f"Open the page below, type the code {self.code} and make a passkey for Olga. Where your browser has none, a virtual"
            f" one stands in, and the page says so. Then Pavel asks for {RUNBOOK}: Olga's Approve (right) opens the page, because a"
            " click in Slack does not count there. Approve with passkey; the terminal shows signed=True.",
        }  # fmt: skip

    @property
    def listen(self) -> str:
        """Where the bot serves the page, once the policy has `signing`."""
        return f"127.0.0.1:{self._port}"

    async def passkey(self, stop: asyncio.Event) -> str | None:
        """The line of the policy, once the passkey is made; None where the demo ends before. The bot serves the page from then on."""
        while (made := self._place.result(self._token)) is None:
            if stop.is_set():
                return None
            await pause(_LOOK, stop)
        await pause(_LOOK, stop)  # the page still reads its answer
        await self._enrolling.stop()
        return str(made["line"]).removeprefix("- ")

    async def served(self, stop: asyncio.Event) -> None:
        """Returns when the bot serves the page, or at a stop."""
        while not stop.is_set():
            with suppress(aiohttp.ClientError, OSError):
                async with self._session.get(f"http://{self.listen}/") as answer:
                    await answer.read()
                    return
            await pause(_LOOK, stop)

    async def _passed_on(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer of the bot's page, with one script more."""
        if request.path == "/virtual.js":
            return web.Response(body=self._script, content_type="text/javascript", charset="utf-8")
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        address, body = f"http://{self.listen}{request.path}", await request.read()
        try:
            async with self._session.request(request.method, address, data=body, headers=headers) as answer:
                told, kept = await answer.read(), [one for one in answer.headers.items() if one[0] not in _OWN]
        except (aiohttp.ClientError, OSError):
            return web.Response(status=503, text=_BUSY, content_type="application/json")
        return web.Response(status=answer.status, body=told.replace(_PAGE, _ADDED + _PAGE, 1), headers=dict(kept))


def demand_signature(folder: Path, line: str, origin: str) -> None:
    """The policy names Olga's passkey, and a yes to the runbook must be signed with it."""
    matrix, book = folder / MATRIX, folder / f"{RUNBOOK}.md"
    named = re.sub(
        rf"^(  {_LABEL}: \{{.*)\}}$",
        lambda found: f"{found[1]}, passkeys: [{line}]}}",
        matrix.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    matrix.write_text(f'{named}\nsigning: {{rp_id: localhost, origin: "{origin}"}}\n', "utf-8")
    book.write_text(book.read_text("utf-8").replace("\nright:", "\nsignature: required\nright:", 1), "utf-8")
