"""One way to repeat work until a stop, for every loop of a running bot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from bot.domain.errors import CountersignError

log = structlog.get_logger(__name__)


async def every(
    seconds: float,
    work: Callable[[], Awaitable[float | None]],
    stop: asyncio.Event,
    *,
    beat: Callable[[], None] = lambda: None,
    failed: str | None = None,
) -> None:
    """Calls `beat` and runs `work` now, and again `seconds` after each end, until `stop`.

    A number that `work` returns is the pause before the next run, in seconds, instead. A CountersignError is logged as the
    event `failed` and the work is tried again; without `failed`, and for any other exception, it ends the loop.
    """
    while not stop.is_set():
        beat()
        wait: float | None = None
        try:
            wait = await work()
        except CountersignError as error:
            if failed is None:
                raise
            log.error(failed, error=str(error))
        await pause(seconds if wait is None else wait, stop)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Returns after `seconds`, or at once when `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Runs work that never ends by itself and cancels it at a stop. Raises what it raises."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    with contextlib.suppress(asyncio.CancelledError):
        await task
