"""How much of one person is taken in at the same time, over HTTP and Socket Mode alike.

Whoever sends hundreds of payloads at once waits for their own; the click of somebody else never queues behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

AT_ONCE = 4  # payloads of one person


class PersonLimit:
    """One for each transport. `of` is entered for as long as a payload is taken in; a payload without a person waits for nobody."""

    def __init__(self) -> None:
        self._places: dict[str, asyncio.Semaphore] = {}
        self._present: dict[str, int] = {}

    @asynccontextmanager
    async def of(self, body: Mapping[str, Any]) -> AsyncIterator[None]:
        """Waits until less than AT_ONCE payloads of this body's person are in hand, in the order of arrival."""
        person = sender(body)
        if not person:
            yield
            return
        self._present[person] = self._present.get(person, 0) + 1
        try:
            async with self._places.setdefault(person, asyncio.Semaphore(AT_ONCE)):
                yield
        finally:
            self._present[person] -= 1
            if not self._present[person]:
                del self._present[person], self._places[person]


def sender(body: Mapping[str, Any]) -> str:
    """The id of the person who sent a payload: of an interaction, a command or an event; "" where it names nobody. Read
    leniently, because it decides nothing but the order."""
    event = body.get("event")
    found = [body.get("user_id"), body.get("user"), event.get("user") if isinstance(event, dict) else None]
    named = (one.get("id") if isinstance(one, dict) else one for one in found)
    return next((one for one in named if isinstance(one, str) and one), "")
