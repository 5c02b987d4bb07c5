"""HTTP for the page where decisions are signed: one HTML shell without data, one script, one style sheet, and the calls of the script.

It runs behind the operator's TLS proxy. Nothing of a question is in an address: the token of a link is in the fragment, which
reaches no server, and comes back in the body of a call. Other origins are refused, no answer is kept by a cache, the page is framed
by nobody and loads nothing from elsewhere. What a call does is `backend`'s.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot.domain.errors import CountersignError
from bot.http.server import HttpServer

SETTING = "COUNTERSIGN_SIGN_LISTEN"
COOKIE, _LASTS = "__Host-countersign", 600  # seconds
MOST = 32_768  # bytes of a call
_FOLDER = Path(__file__).parent / "sign_page"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}  # fmt: skip
_HSTS = "max-age=63072000; includeSubDomains"
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_FILES = {"/": "page.html", "/d": "page.html", "/e": "page.html", "/page.js": "page.js", "/page.css": "page.css"}
log = structlog.get_logger(__name__)


class Told(Protocol):
    """An HTTP status and JSON; `session`: the token of a session that begins."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Mapping[str, object]: ...
    @property
    def session(self) -> str: ...


Call = Callable[[Mapping[str, object]], Awaitable[Told]]
"""Carries out one call of the script; the body's `session` is that of the cookie, whatever the script sent. Raises ValueError for a body that it does not understand, CountersignError."""


class SignServer:
    """Serves on `listen`; `calls` are the calls of the script by their path, `origin` where the browser sees the page."""

    def __init__(self, calls: Mapping[str, Call], origin: Callable[[], str], *, listen: str) -> None:
        self._calls, self._origin = calls, origin
        self._files = {path: (_FOLDER / name).read_text("utf-8") for path, name in _FILES.items()}
        self._server = HttpServer(self._handle, listen, SETTING)

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self) -> None:
        """Listens. Raises SettingsError if the address cannot be used."""
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = await self._answer(request)
        answer.headers.update(_HEADERS)
        if urlsplit(self._origin()).scheme == "https":
            answer.headers["Strict-Transport-Security"] = _HSTS
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path in self._files:
            if request.method not in ("GET", "HEAD"):
                return web.Response(
                    status=405, text="Only GET and HEAD are answered here.\n", headers={"Allow": "GET, HEAD"}
                )
            kind = _TYPES[_FILES[request.path].rpartition(".")[2]]
            return web.Response(text=self._files[request.path], content_type=kind, charset="utf-8")
        call = self._calls.get(request.path)
        if call is None:
            return _json(404, {"text": "There is nothing here. Open the link in your message from Countersign."})
        if request.method != "POST" or request.content_type != "application/json":
            return _json(405, {"text": "This takes JSON by POST."})
        if request.headers.get("Origin", self._origin()) != self._origin():
            return _json(
                403, {"text": "The page was opened at another address. Open the link in your message from Countersign."}
            )
        return await self._called(call, request)

    async def _called(self, call: Call, request: web.BaseRequest) -> web.Response:
        body = await _read(request)
        if body is None:
            return _json(400, {"text": "This cannot be read. Reload the page."})
        try:
            told = await call({**body, "session": request.cookies.get(COOKIE, "")})
        except ValueError:
            return _json(400, {"text": "This cannot be read. Reload the page."})
        except CountersignError as error:
            log.warning("sign_page.failed", error=str(error))
            return _json(503, {"text": f"{error} Nothing was decided. Try again."})
        return _with_session(_json(told.status, told.body), told.session)


def _with_session(answer: web.Response, session: str) -> web.Response:
    """With the cookie of a session that begins; `__Host-`: of this host alone, over a secure connection, for every path."""
    if session:
        answer.set_cookie(COOKIE, session, max_age=_LASTS, path="/", secure=True, httponly=True, samesite="Strict")
    return answer


async def _read(request: web.BaseRequest) -> Mapping[str, object] | None:
    """The JSON object of a call; None for anything else, or too much."""
    data = b""
    async for part in request.content.iter_any():
        data += part
        if len(data) > MOST:
            return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json(status: int, body: Mapping[str, object]) -> web.Response:
    return web.Response(status=status, text=json.dumps(dict(body)), content_type="application/json", charset="utf-8")
