"""The client of every call out: executors, calendars, witness, webhook, heartbeat, keys of permits, answers to Slack.

- An answer is read to its end, within a limit of bytes, and all of it within a limit of seconds: the first bytes of an answer
  are not the answer.
- A redirect is never followed: it would let the answering server choose this machine's next request.
- Something compressed is refused: it may be far larger than it looks. Nobody is asked for it.
- Proxies are taken as `bot.http.proxies` says. No cookie is kept.
- An error is one word. Addresses, which may hold keys, and texts of the other side are in none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import aiohttp

from bot.domain.errors import CountersignError
from bot.http.proxies import proxy_for

CHUNK = 65_536  # bytes
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "countersign"}
Method = Literal["GET", "POST"]


class CallFailed(CountersignError):
    """There is no answer. The text is one word: `timeout`, `too_large`, `compressed`, or the class of the network's error."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may take: `seconds` from the connection to its last byte, and `size` in bytes."""

    seconds: float
    size: int


def new_session(seconds: float | None = None) -> aiohttp.ClientSession:
    """A pool of connections that keeps no cookies; `seconds` for a whole call, None where each call has a limit of its own."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=seconds))


class HttpClient:
    """Calls that share a pool of connections, which the first one makes. To be closed by `async with`, or `close`."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:  # fmt: skip
        await self.close()

    async def close(self) -> None:
        """Closes the pool; the next call makes another."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, url: str, limits: Limits, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """The whole answer to a GET. Raises CallFailed."""
        return await self._call("GET", url, None, headers or {}, limits)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], limits: Limits) -> HttpAnswer:
        """The whole answer to a POST. Raises CallFailed."""
        return await self._call("POST", url, body, headers, limits)

    async def _call(
        self, method: Method, url: str, body: bytes | None, headers: Mapping[str, str], limits: Limits
    ) -> HttpAnswer:  # fmt: skip
        self._session = self._session or new_session()
        try:
            async with (
                asyncio.timeout(limits.seconds),
                self._session.request(
                    method,
                    url,
                    data=body,
                    headers={**_HEADERS, **headers},
                    allow_redirects=False,
                    proxy=proxy_for(url),
                    auto_decompress=False,
                ) as answer,
            ):
                return HttpAnswer(answer.status, await _whole(answer, limits.size))
        except TimeoutError:
            raise CallFailed("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CallFailed(type(error).__name__) from None


async def _whole(answer: aiohttp.ClientResponse, size: int) -> bytes:
    """The body to its end. Raises CallFailed where it is compressed or larger than `size` bytes."""
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise CallFailed("compressed")
    found = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        found += chunk
        if len(found) > size:
            raise CallFailed("too_large")
    return bytes(found)
