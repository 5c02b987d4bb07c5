"""This process as one of several replicas: beats, keeps or takes the lease, and keeps the signer's memory up to date.

A replica without a memory never takes the lease: it asks the leader to vouch for what was signed. Losing the database ends
nothing here: the lease runs out by our own clock, and the loop continues until the database is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.clock import Clock
from bot.decision_log.follower import believe, catch_up, vouched_note
from bot.domain.errors import CountersignError
from bot.ports.replication import OwnState, Replicas
from storage.sql_store import SqlStore
from storage.values import ms

EVERY = 1.0  # seconds between two beats
_ID = "replica.id"
log = structlog.get_logger(__name__)


def replica_id(state_dir: Path, clock: Clock) -> str:
    """The name under which this STATE_DIR serves; made at its first start."""
    file = state_dir / _ID
    with contextlib.suppress(FileNotFoundError):
        if kept := file.read_text().strip():
            return kept
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(clock.request_id().removeprefix("R-") + "\n")
    return file.read_text().strip()


class Replica:
    """One for each process. `changed` is set whenever this replica begins or stops leading."""

    def __init__(
        self, replicas: Replicas, store: SqlStore, state_dir: Path, clock: Clock, emergency: Callable[[], int] = lambda: 0
    ) -> None:
        self.replicas, self._store, self._state_dir, self._clock = replicas, store, state_dir, clock
        self._emergency = emergency
        self._started_ms, self._nonce = ms(clock.now()), clock.salt().hex()
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Never returns."""
        while True:
            await self.turn()
            await asyncio.sleep(EVERY)

    async def turn(self) -> None:
        """One beat. Errors of the database are logged."""
        led = self.replicas.held
        try:
            size = await catch_up(self._store.log, self._state_dir)
            await self.replicas.beat(OwnState(socket.gethostname(), self._started_ms, size, self._emergency()))
            if size is None:
                await self._be_vouched_for()
            else:
                await self.replicas.look()
            if self.replicas.held:
                await self._vouch()
        except CountersignError as error:
            log.warning("replica.not_seen", error=str(error))
        if self.replicas.held != led:
            log.warning("replica.leads" if self.replicas.held else "replica.stands_by")
            self.changed.set()

    async def _be_vouched_for(self) -> None:
        note = await self.replicas.ask(self._nonce)
        if note:
            origin = (await self._store.log.head()).origin
            await asyncio.to_thread(believe, self._state_dir, origin, self._nonce, note)
            log.info("replica.vouched_for")

    async def _vouch(self) -> None:
        for replica, nonce in await self.replicas.to_vouch_for():
            note = await asyncio.to_thread(vouched_note, self._state_dir, nonce)
            if note is not None:
                await self.replicas.vouch(replica, nonce, note)
