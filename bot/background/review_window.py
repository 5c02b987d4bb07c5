"""Looks again and again at what reviews are due, how their windows run, and what falls at their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.background.loop import every
from bot.service.reviews import Reviews

_OFTEN, _SELDOM, _LOOKS = 0.25, 30.0, 96  # seconds between two looks at least and at most; looks in a day of policy


class ReviewWindow:
    """Runs until stopped. Where the clock runs faster than the wall's, it looks more often."""

    def __init__(self, reviews: Reviews, scale: float, beat: Callable[[], None] = lambda: None) -> None:
        self._reviews, self._beat = reviews, beat
        self._pause = min(max(86_400 / scale / _LOOKS, _OFTEN), _SELDOM)

    async def run(self, stop: asyncio.Event) -> None:
        await every(self._pause, self._reviews.look, stop, beat=self._beat, failed="reviews.failed")
