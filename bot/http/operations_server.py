"""HTTP for operators' tools: `/healthz`, `/readyz`, `/metrics`, the permits' keys, and the log below `/log/`.

Nothing here changes anything or names anybody.

`/healthz` is 200 while the process can answer. `/readyz` is 200, or 503 with a sentence for each reason: a probe write shows
whether the database accepts writes. Neither waits long, nor runs more than one database query at a time, however often it
is called. There is no login: keep the address on this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.clock import Clock
from bot.domain.errors import CountersignError
from bot.http.health import Health
from bot.http.log_tiles import ROOT, LogTiles
from bot.http.metrics import Metrics
from bot.http.server import HttpServer
from bot.ports.records import Backlog
from bot.ports.store import Store

T = TypeVar("T")
JWKS = "/.well-known/jwks.json"
WAIT, KEEP = 2.0, 1.0  # seconds: the database's time limit, how long its answer is reused
log = structlog.get_logger(__name__)


class OneAtATime(Generic[T]):
    """Coalesces concurrent calls of one query and caches its answer for KEEP. A caller that times out does not cancel it."""

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self._task: asyncio.Task[T] | None = None
        self._at = 0.0

    async def answer(self) -> T:
        """Returns the answer. Raises the query's own error, or TimeoutError."""
        old = self._task is not None and self._task.done() and self._clock.monotonic() - self._at >= KEEP
        if self._task is None or old:
            self._task = asyncio.ensure_future(self._asked())
        await asyncio.wait({self._task}, timeout=WAIT)
        if not self._task.done():
            raise TimeoutError
        return self._task.result()

    async def finish(self) -> None:
        """At a stop: awaits the running query."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=WAIT)

    async def _asked(self) -> T:
        try:
            return await self._ask()
        finally:
            self._at = self._clock.monotonic()


class OperationsServer:
    """Serves on `listen`; `digest` returns the policy in force, `vkeys` the log's verifier keys, `jwks` the permits', `role` whether this replica
    leads; empty where it is the only one."""

    def __init__(
        self, store: Store, health: Health, metrics: Metrics, clock: Clock, digest: Callable[[], str], *, listen: str,
        vkeys: Callable[[], str] = lambda: "", jwks: Callable[[], str] = lambda: "", role: Callable[[], str] = lambda: "",
    ) -> None:  # fmt: skip
        self._health, self._metrics, self._digest, self._role = health, metrics, digest, role
        self._writable = OneAtATime(store.overview.prove_writable, clock)
        self._backlog = OneAtATime[Backlog](lambda: store.overview.backlog(clock.now()), clock)
        self._pages = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._scraped, JWKS: self._jwks}
        self._log, self._keys = LogTiles(store.log.file, vkeys), jwks
        self._server = HttpServer(self._handle, listen, "COUNTERSIGN_OPS_LISTEN")

    @property
    def port(self) -> int:
        return self._server.port

    async def start(self) -> None:
        """Listens. Raises SettingsError if the address cannot be used."""
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()
        await asyncio.gather(self._writable.finish(), self._backlog.finish())

    async def findings(self) -> tuple[str, ...]:
        """Why the bot is not ready, a sentence each."""
        try:
            await self._writable.answer()
            return self._health.findings()
        except CountersignError as error:
            said = str(error)
        except TimeoutError:
            said = f"The database took no write within {WAIT:.0f} s."
        return (said, *self._health.findings())

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        if page is None and not request.path.startswith(ROOT):
            return _text(404, f"There is /healthz, /readyz, /metrics, {JWKS} and /log/checkpoint.")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="Only GET and HEAD are answered here.\n", headers={"Allow": "GET, HEAD"})
        return await (self._logged(request.path) if page is None else page())

    async def _logged(self, path: str) -> web.Response:
        try:
            return await self._log.answer(path)
        except CountersignError as error:
            return _text(503, str(error))

    async def _healthz(self) -> web.Response:
        return _text(200, "alive")

    async def _readyz(self) -> web.Response:
        found = await self.findings()
        role = (self._role(),) if self._role() else ()
        return _text(503, "\n".join((*found, *role))) if found else _text(200, "\n".join(("ready", *role)))

    async def _jwks(self) -> web.Response:
        """The JWKS for permit verifiers; cached for a minute, so that a new key is known soon."""
        try:
            keys = self._keys()
        except CountersignError as error:
            return _text(503, str(error))
        headers = {"Content-Type": "application/jwk-set+json", "Cache-Control": "public, max-age=60"}
        return web.Response(text=keys, headers=headers) if keys else _text(404, "There is no key yet.")

    async def _scraped(self) -> web.Response:
        ready = not await self.findings()
        self._metrics.state(self._digest(), self._health.silences(), ready=ready)
        try:
            self._metrics.waiting(await self._backlog.answer())
        except (CountersignError, TimeoutError) as error:
            log.warning("ops.backlog_unknown", error=str(error) or "timeout")
            self._metrics.waiting(None)
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _text(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text + "\n")
