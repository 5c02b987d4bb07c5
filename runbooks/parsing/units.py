"""Durations, limits and times of the day as policy files write them, and as whole seconds and minutes.

These take only texts that the shapes have accepted.
"""

from __future__ import annotations

from bot.domain.policy.model import Limit

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60


def seconds(text: str) -> int:
    """`90s`, `15m`, `4h`, `2d` in seconds."""
    return int(text[:-1]) * SECONDS[text[-1]]


def seconds_or_none(text: str | None) -> int | None:
    return None if text is None else seconds(text)


def limit(text: str | None) -> Limit | None:
    """`5 per 7d`."""
    if text is None:
        return None
    count, _, window = text.partition(" per ")
    return Limit(int(count), seconds(window))


def minutes(text: str) -> int:
    """`08:30` in minutes of the day; `24:00` is 1440."""
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


def clock(minute: int) -> str:
    """The other way round."""
    return f"{minute // 60:02}:{minute % 60:02}"
