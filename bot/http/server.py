"""The base of our HTTP servers: limits on time, size and connections; no client bytes in the log; no 5xx for bad input.

By default aiohttp logs a traceback with the client's bytes for a malformed request, waits an hour for an unfinished one,
decompresses any body, and answers our own errors with 500. Here a fault is one log line that names it.

There is always room for a new connection: where MOST are open, the one that has waited longest for its client is closed (idle,
or with unfinished headers or body), else the one whose client reads its answer too slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.domain.errors import SettingsError

IDLE = 15.0  # seconds that a connection may stay without a complete request, also one that sends slowly
LINGER = 2.0  # seconds to drain a refused body, so that the client can read the refusal
STOPPING = 5.0  # seconds that requests in progress may take after a stop
MOST = 256  # concurrent connections
UNREAD = 2.0  # seconds that an answer may wait to be read where others need the room
NAME = "countersign"  # the Server header names no version
LINE = 8190  # bytes of the request line and of each header

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refused = Callable[[str], None]
log = structlog.get_logger(__name__)


def read_address(text: str, setting: str) -> tuple[str, int]:
    """Host and port from `host:port` or `[v6]:port`. Raises SettingsError naming the setting."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise SettingsError(f"{setting} is an address such as 127.0.0.1:3000; it says {text!r}.")
    return host, int(port)


class HttpServer:
    """Serves `handler`, which must not raise, on `address`; `setting` names it in errors. `refused` is called for each fault."""

    def __init__(self, handler: Handler, address: str, setting: str, refused: Refused = lambda fault: None) -> None:
        self._handler, self._setting, self._refused = handler, setting, refused
        self._host, self._port = read_address(address, setting)
        self._runner: web.ServerRunner | None = None

    @property
    def port(self) -> int:
        """The port in use; after `start`."""
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    async def start(self) -> None:
        """Listens. Raises SettingsError if the address cannot be used."""
        server = _Server(
            self._named, keepalive_timeout=IDLE, lingering_time=LINGER, access_log=None, auto_decompress=False,
            max_line_size=LINE, max_field_size=LINE,
        )  # fmt: skip
        server.refused = self._refused
        self._runner = web.ServerRunner(server, shutdown_timeout=STOPPING)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            place = f"{self._host}:{self._port}"
            raise SettingsError(f"{self._setting}: {place} cannot be used ({error.strerror}). Choose another.") from None

    async def _named(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._handler(request)
        response.headers.setdefault("Server", NAME)
        if isinstance(request.protocol, _Connection):
            request.protocol.answered()
        return response

    async def stop(self) -> None:
        """Accepts nothing more; requests in progress may finish."""
        if self._runner is not None:
            await self._runner.cleanup()


class _Connection(web.RequestHandler):
    """One connection: overrides the hooks in which aiohttp logs tracebacks or answers with its own errors."""

    def __init__(self, manager: _Server, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._server = manager
        self._since = self._loop.time()  # of the connection, then of the last answer
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._server.connections) > MOST:
            self._server.make_room(self)

    def answered(self) -> None:
        """The handler has its answer; it is being sent now."""
        self._since, self._answered = self._loop.time(), True

    def waits_since(self) -> float | None:
        """Since when it waits for its client, a time of the loop; None while a request is being answered."""
        request = self._current_request
        if request is None or not request.content.is_eof():
            return self._since
        return self._since + UNREAD if self._answered and self._loop.time() - self._since > UNREAD else None

    def data_received(self, data: bytes) -> None:
        if self._current_request is None:
            self._answered = False
        super().data_received(data)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answers 400 to what is not HTTP and to an error of ours, and closes the connection."""
        self._server.refuse("not_http" if status < 500 else "handler_failed", type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("The answer had begun.")
        text = "This is no request that is understood here.\n"
        response = web.Response(status=400, text=text, headers={"Server": NAME})
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Ignores errors while a refused body is drained: the refusal is logged already."""
        error = kw.get("exc_info")
        if not isinstance(error, web.RequestPayloadError | HttpProcessingError | OSError):
            log.error("http.broken", error=type(error).__name__)


class _Server(web.Server):
    refused: Refused

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)

    def make_room(self, newest: _Connection) -> None:
        """Closes the connection that has waited longest for its client; the newest where none waits."""
        others = [one for one in self.connections if isinstance(one, _Connection) and one is not newest]
        waiting = [(since, number) for number, one in enumerate(others) if (since := one.waits_since()) is not None]
        self.refuse("too_many_connections", "")
        (others[min(waiting)[1]] if waiting else newest).force_close()

    def refuse(self, fault: str, error: str) -> None:
        """Logs one line, without any of the client's bytes."""
        log.warning("http.refused", fault=fault, error=error)
        self.refused(fault)
