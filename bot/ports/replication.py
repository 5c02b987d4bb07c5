"""What a process knows of the others that serve the same database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One process that serves, or did. `size`: of the newest checkpoint that it remembers; None without a memory."""

    id: str
    host: str
    leads: bool
    alive: bool
    beat_at: datetime
    size: int | None
    emergency: int
    excused: bool


@dataclass(frozen=True, slots=True)
class OwnState:
    """What a replica reports about itself with each heartbeat."""

    host: str
    started_ms: int
    size: int | None
    emergency: int


class Replicas(Protocol):
    """The lease, and the list of replicas. Every method raises StorageError."""

    @property
    def held(self) -> bool:
        """Whether the lease was ours at the last look."""

    @property
    def valid(self) -> bool:
        """Whether a call out of the database may begin now."""

    @property
    def clock_ahead(self) -> timedelta:
        """How far the database's clock was ahead of this machine's at the last look."""

    @property
    def changes(self) -> int:
        """How often a replica had begun to lead, as of the last look."""

    @property
    def losses(self) -> int:
        """How often the connection that judges was replaced, because it was lost."""

    @property
    def counted(self) -> int:
        """How many of these losses the roll call knows; until it is all of them nothing is given."""

    def count(self, losses: int) -> None:
        """From now on it knows so many."""

    async def listed(self) -> Sequence[ReplicaRow]:
        """Every replica that ever served, the oldest first."""

    async def look(self) -> bool:
        """Keeps or takes the lease; whether it is ours."""

    async def give_up(self) -> None: ...
    async def beat(self, own: OwnState) -> None: ...
    async def ask(self, nonce: str) -> str:
        """Asks to be vouched for; the leader's note, empty until it has one."""

    async def to_vouch_for(self) -> Sequence[tuple[str, str]]:
        """Id and nonce of replicas that wait for the leader's answer."""

    async def vouch(self, replica: str, nonce: str, note: str) -> None: ...
