"""LISTEN: what any replica takes in wakes the one that leads, without waiting for its poll.

A thread of its own waits for notifications, and connects again by itself: until it has, the poll finds what came in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import psycopg

from bot.ports.database import PostgresServer
from storage.postgres.driver import connect

CHANNEL = "countersign_inbox"  # storage/postgres/migrations/0033_replicas.sql
_TURN = 1.0  # seconds that a stop, or a lost connection, may wait to be noticed


class Wakeups:
    """Calls `wake` on the event loop whenever something came in, from `start` to `stop`."""

    def __init__(self, server: PostgresServer, wake: Callable[[], None]) -> None:
        self._server, self._wake = server, wake
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="wakeups", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            try:
                self._listen(loop)
            except psycopg.Error:
                self._stopping.wait(_TURN)
            except RuntimeError:  # the loop has ended
                return

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        with connect(self._server.url) as raw:
            raw.execute(f"LISTEN {CHANNEL}".encode())
            loop.call_soon_threadsafe(self._wake)  # what came in before it listened
            while not self._stopping.is_set():
                for _ in raw.notifies(timeout=_TURN, stop_after=1):
                    loop.call_soon_threadsafe(self._wake)
