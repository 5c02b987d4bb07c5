"""Fetches what a calendar's address answers: https only, or http on this machine.

The address often holds a key, so it stands in no error and no log. A redirect is not followed: it would let whoever answers
there choose what this machine asks next. What is compressed is refused, for it may be far larger than it looks.
"""

from __future__ import annotations

import asyncio

import aiohttp

from runbooks.calendars.ical import MAX_BYTES
from runbooks.calendars.ical_text import BadFeed
from runbooks.parsing.addresses import may_be_fetched

TIMEOUT = 20.0  # seconds for all of it
_HEADERS = {"Accept": "text/calendar", "Accept-Encoding": "identity", "User-Agent": "countersign"}


async def fetch(address: str) -> bytes:
    """What stands there now. Raises BadFeed."""
    if not may_be_fetched(address):
        raise BadFeed("its address is neither https nor on this machine")
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(address, headers=_HEADERS, allow_redirects=False) as answer,
        ):
            return await _body(answer)
    except TimeoutError:
        raise BadFeed(f"its address has not answered within {TIMEOUT:.0f} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise BadFeed(f"its address cannot be reached ({type(error).__name__})") from None


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    if 300 <= answer.status < 400:
        raise BadFeed("its address leads elsewhere, and that is not followed: write where it leads to")
    if answer.status != 200:
        raise BadFeed(f"its address answers with status {answer.status}")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BadFeed("its address answers with something compressed")
    found = bytearray()
    async for chunk in answer.content.iter_chunked(65536):
        found += chunk
        if len(found) > MAX_BYTES:
            raise BadFeed("it is larger than 1 MB")
    return bytes(found)
