"""Fetches what a calendar's address answers: https only, or http on this machine.

The address often holds a key, so it is in no error and no log. A redirect is not followed: it would let whoever answers
there choose what this machine asks next. What is compressed is refused, for it may be far larger than it looks.
"""

from __future__ import annotations

from bot.http.client import CallFailed, HttpAnswer, HttpClient, Limits
from runbooks.calendars.ical import MAX_BYTES
from runbooks.calendars.ical_text import BadFeed
from runbooks.parsing.addresses import may_be_fetched

TIMEOUT = 20.0  # seconds for all of it


async def fetch(address: str) -> bytes:
    """The current content of the address. Raises BadFeed."""
    if not may_be_fetched(address):
        raise BadFeed("its address is neither https nor on this machine")
    try:
        async with HttpClient() as http:
            return _body(await http.get(address, Limits(TIMEOUT, MAX_BYTES), {"Accept": "text/calendar"}))
    except CallFailed as error:
        raise BadFeed(_sentence(str(error))) from None


def _sentence(word: str) -> str:
    """Why there is no answer, by the code of CallFailed."""
    return {
        "timeout": f"its address has not answered within {TIMEOUT:.0f} s",
        "too_large": "it is larger than 1 MB",
        "compressed": "its address answers with something compressed",
    }.get(word, f"its address cannot be reached ({word})")


def _body(answer: HttpAnswer) -> bytes:
    if 300 <= answer.status < 400:
        raise BadFeed("its address leads elsewhere, and that is not followed: write where it leads to")
    if answer.status != 200:
        raise BadFeed(f"its address answers with status {answer.status}")
    return answer.body
