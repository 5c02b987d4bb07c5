"""Several acts in turn, where the error of one does not keep the others from being committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain.case.transition import Transition
from bot.domain.errors import CountersignError


async def tried(commit: Callable[[Transition], Awaitable[object]], act: Transition) -> Exception | None:
    """Commits one of several acts; the error instead of raising it, so that the others are committed all the same."""
    try:
        await commit(act)
    except CountersignError as error:
        return error
    return None
