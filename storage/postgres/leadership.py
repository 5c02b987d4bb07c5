"""Leadership: a lease row with a token that only grows.

The holder beats every second. Its lease is over by its own boot-time clock VALID seconds after the last beat was *sent*, which
is before another replica may take the row: STALE after the beat arrived, or GONE after it where the holder's writing session has
ended too, as it does when its process is killed. So a holder that was frozen or cut off has stopped calling out when the next one
begins. Every transaction that judges takes the row FOR SHARE and compares the token (`driver`), and a replica that takes the lease
ends the holder's writing session first, so nothing is judged twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from bot.domain.errors import StorageError
from storage.postgres.driver import NOBODY, PostgresDatabase, PostgresSession
from storage.values import moment

STALE = timedelta(seconds=6)
GONE = timedelta(seconds=4)
VALID = 3.5  # seconds
CLOCKS_DIFFER = timedelta(seconds=2)  # whose clock is further from the database's does not lead


@dataclass(frozen=True, slots=True)
class Holder:
    token: int
    pid: int
    beat_ms: int
    now_ms: int
    gone: bool  # its writing session has ended

    @property
    def may_be_replaced_after(self) -> timedelta:
        return GONE if self.gone else STALE


class Leadership:
    """One for each process that serves. `look` takes or keeps the lease; everything else only reads what it found."""

    def __init__(self, database: PostgresDatabase, writer: PostgresSession, replica: str, clock: Clock) -> None:
        self._database, self._writer, self._replica, self._clock = database, writer, replica, clock
        self._until = 0.0
        self.token, self.seen = NOBODY, 0  # ours; and the holder's at the last look: so often the lease was taken
        self.clock_ahead = timedelta(0)  # the database's clock, of this machine's
        writer.token = NOBODY  # until the lease is taken it judges nothing

    @property
    def held(self) -> bool:
        """Whether the lease was ours when we last looked; it may have run out since."""
        return self.token != NOBODY

    @property
    def valid(self) -> bool:
        """Whether a call out may begin now."""
        return self.held and self._clock.monotonic() < self._until

    async def look(self) -> bool:
        """Keeps the lease, or takes it where nobody holds it; returns whether it is ours. Raises StorageError."""
        sent, wall = self._clock.monotonic(), self._clock.now()
        holder = await self._database.run(_holder)
        self.seen = holder.token
        self.clock_ahead = moment(holder.now_ms) - wall
        if abs(self.clock_ahead) > CLOCKS_DIFFER:
            await self.give_up()
        elif self.held:
            await self._keep(sent)
        elif holder.now_ms - holder.beat_ms >= holder.may_be_replaced_after // timedelta(milliseconds=1):
            await self._take(holder, sent)
        return self.held

    async def give_up(self) -> None:
        """Stops leading, so that the next replica need not wait."""
        token = self.token
        self._is_lost()
        if token != NOBODY:
            await self._database.run(lambda session: session.run("give_up_leadership", token=token))

    async def _keep(self, sent: float) -> None:
        token, pid = self.token, self._writer.raw.info.backend_pid
        if await self._database.run(lambda session: session.run("beat_leadership", token=token, pid=pid)) == 1:
            self._until = sent + VALID
        else:
            self._is_lost()

    async def _take(self, holder: Holder, sent: float) -> None:
        try:
            token = await self._database.run(lambda session: _taken(session, holder, self._replica, self._writer))
        except StorageError:
            return  # another replica was first
        if token is not None:
            self.token = self._writer.token = token
            self._until = sent + VALID

    def _is_lost(self) -> None:
        self.token = self._writer.token = NOBODY
        self._until = 0.0


def _holder(session: PostgresSession) -> Holder:
    row = session.row("leadership")
    if row is None:
        session.run("begin_leadership")
        row = session.row("leadership")
    assert row is not None
    return Holder(row["token"], row["pid"], row["beat_ms"], row["now_ms"], bool(row["gone"]))


def _taken(session: PostgresSession, holder: Holder, replica: str, writer: PostgresSession) -> int | None:
    session.rows("end_session", pid=holder.pid)
    row = session.row(
        "take_leadership", pid=writer.raw.info.backend_pid, replica=replica, token=holder.token,
        stale_ms=holder.may_be_replaced_after // timedelta(milliseconds=1),
    )  # fmt: skip
    return None if row is None else int(row["token"])
