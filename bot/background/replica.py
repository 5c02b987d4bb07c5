"""This process as one of several replicas: beats, keeps or takes the lease, and keeps the signer's memory up to date.

A replica without a memory never takes the lease: it asks the leader to vouch for what was signed. Losing the database ends
nothing here: the lease runs out by our own clock, and the loop continues until the database is back.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from bot.clock import Clock, SteadyClock
from bot.decision_log.among_replicas import AmongReplicas
from bot.decision_log.emergency_file import waiting_lines
from bot.decision_log.follower import believe, catch_up, vouched_note
from bot.decision_log.keys import replace_file
from bot.domain.case.transition import OPERATOR, LogEvent, Transition
from bot.domain.errors import CountersignError, StorageError
from bot.domain.failsafe.roll_call import RollCall
from bot.ports.replication import OwnState, Replicas
from bot.runtime.open_log import REPLICA_ID, own_replica
from storage.sql_store import SqlStore
from storage.values import ms

EVERY, LOOK = 1.0, 0.5  # seconds between two beats, and between two looks of a standby at the leader's
PATIENCE = 10.0  # seconds after a loss of the database in which the others are sure to report if they live
log = structlog.get_logger(__name__)


def replica_id(state_dir: Path, clock: Clock) -> str:
    """The name under which this STATE_DIR serves; made at its first start."""
    if kept := own_replica(state_dir):
        return kept
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(state_dir / REPLICA_ID, f"{clock.request_id().removeprefix('R-')}\n".encode())
    return own_replica(state_dir)


class Replica:
    """One for each process. `changed` is set whenever this replica begins or stops leading."""

    def __init__(self, replicas: Replicas, own: str, store: SqlStore, state_dir: Path, clock: SteadyClock) -> None:
        self.replicas, self._store, self._state_dir, self._clock = replicas, store, state_dir, clock
        self._roll, self.alive, self._lost_at = RollCall(own), 1, 0.0
        self._started_ms, self._nonce = ms(clock.wall.now()), clock.salt().hex()
        self.changed = asyncio.Event()
        self._kept: Callable[[], int] = lambda: 0  # acts that the store keeps without the log, or may keep

    @property
    def among(self) -> AmongReplicas:
        """What the others mean for the store of this process."""
        return AmongReplicas(
            lambda: self.replicas.held, lambda: self._roll.unreported, self._patient, lambda: self.replicas.valid, self._lost,
            self._counts,
        )  # fmt: skip

    def leadership(self) -> tuple[bool, int]:
        """Whether this replica leads, and how often one began to."""
        return self.replicas.held, self.replicas.changes

    def _lost(self) -> None:
        """The database takes nothing, or its connection was replaced: whoever was alive must report. A loss can be shorter than the
        time between two beats, so whatever notices it first says so."""
        losses = self.replicas.losses
        self._roll.lost()
        self._lost_at = self._clock.monotonic()
        self.replicas.count(losses)

    def _counts(self, kept: Callable[[], int]) -> None:
        self._kept = kept

    def _patient(self) -> bool:
        return self._clock.monotonic() - self._lost_at < PATIENCE

    async def run(self) -> None:
        """Never returns: a replica that stopped beating would neither lead nor be missed."""
        while True:
            try:
                await self.turn()
            except Exception:
                log.exception("replica.turn_failed")
            await asyncio.sleep(EVERY if self.replicas.held else LOOK)

    async def turn(self) -> None:
        """One beat. Errors of the database are logged."""
        led = self.replicas.held
        if self.replicas.losses > self.replicas.counted:
            self._lost()
        try:
            size = await catch_up(self._store.log, self._state_dir)
            lines = await asyncio.to_thread(waiting_lines, self._state_dir)
            lines = max(lines, self._kept())  # looked at last: what is kept after this beat is of another loss
            await self.replicas.beat(OwnState(socket.gethostname(), self._started_ms, size, lines))
            excused = await self._look_around()
            if size is None:
                await self._be_vouched_for()
            else:
                await self.replicas.look()
            self._clock.lean(self.replicas.clock_ahead)
            if self.replicas.held:
                await self._vouch()
                await self._note(excused)
        except StorageError as error:
            self._lost()
            log.warning("replica.not_seen", error=str(error))
        except CountersignError as error:
            log.warning("replica.not_seen", error=str(error))
        if self.replicas.held != led:
            log.warning("replica.leads" if self.replicas.held else "replica.stands_by")
            self.changed.set()

    async def _look_around(self) -> tuple[str, ...]:
        rows = await self.replicas.listed()
        self.alive = max(1, sum(row.alive for row in rows))
        return self._roll.seen(rows)

    async def _note(self, excused: Sequence[str]) -> None:
        """Enters whom an operator excused into the log."""
        for replica in excused:
            draft = LogEvent("replica.excused", OPERATOR, data={"replica": replica})
            await self._store.commit(Transition(None, None, (draft,)))
            log.warning("replica.excused", replica=replica)

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
