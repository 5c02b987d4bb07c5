"""`bot.ports.replication.Replicas` on PostgreSQL, and the list that `countersign replicas` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.clock import Clock
from bot.ports.replication import OwnState, ReplicaRow
from storage.postgres.driver import PostgresDatabase, PostgresSession
from storage.postgres.leadership import Leadership
from storage.session import Session
from storage.values import moment

ALIVE_MS = 6_000


class Replicas:
    """The lease and the rows of replicas, on a connection of their own."""

    def __init__(self, database: PostgresDatabase, writer: PostgresSession, replica: str, clock: Clock) -> None:
        self._database, self._writer, self._id = database, writer, replica
        self._lease = Leadership(database, writer, replica, clock)

    @property
    def held(self) -> bool:
        return self._lease.held

    @property
    def valid(self) -> bool:
        return self._lease.valid

    @property
    def clock_ahead(self) -> timedelta:
        return self._lease.clock_ahead

    @property
    def changes(self) -> int:
        return self._lease.seen

    @property
    def losses(self) -> int:
        return self._writer.losses

    @property
    def counted(self) -> int:
        return self._writer.counted

    def count(self, losses: int) -> None:
        self._writer.counted = losses

    async def listed(self) -> Sequence[ReplicaRow]:
        return await self._database.run(listed)

    async def look(self) -> bool:
        return await self._lease.look()

    async def give_up(self) -> None:
        await self._lease.give_up()

    async def beat(self, own: OwnState) -> None:
        values = {"host": own.host, "started_ms": own.started_ms, "size": own.size, "emergency": own.emergency}
        await self._database.run(lambda session: session.run("beat_replica", id=self._id, **values))

    async def ask(self, nonce: str) -> str:
        def work(session: PostgresSession) -> str:
            session.run("ask_to_be_vouched_for", id=self._id, nonce=nonce)
            row = session.row("vouched", id=self._id, nonce=nonce)
            return "" if row is None else str(row["vouched"])

        return await self._database.run(work)

    async def to_vouch_for(self) -> Sequence[tuple[str, str]]:
        return await self._database.run(lambda session: [(row["id"], row["nonce"]) for row in session.rows("to_vouch_for")])

    async def vouch(self, replica: str, nonce: str, note: str) -> None:
        await self._database.run(lambda session: session.run("vouch", id=replica, nonce=nonce, note=note))


def excuse(session: Session, replica: str, why: str) -> bool:
    """Lets the leader continue without a replica; False where there is none of this id."""
    return session.run("excuse_replica", id=replica, why=why) == 1


def listed(session: Session) -> list[ReplicaRow]:
    """Every replica that ever served, the oldest first."""
    return [
        ReplicaRow(
            row["id"], row["host"], bool(row["leads"]), row["now_ms"] - row["beat_ms"] < ALIVE_MS, moment(row["beat_ms"]),
            row["size"], row["emergency"], row["excused_ms"] is not None,
        )
        for row in session.rows("replicas")
    ]  # fmt: skip
