"""What executors are told, as rows: leased, tried, released, never two of one case on their way at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from bot.domain.case.model import Case
from bot.ports.store import ExecutorCall
from storage.session import Session
from storage.transaction import Tx
from storage.values import ms

T = TypeVar("T")


class CallStore(ABC):
    """The executors' half of the store."""

    async def lease_calls(self, now: datetime, until: datetime, limit: int) -> Sequence[ExecutorCall]:
        if not await self._read(lambda session: session.row("something_to_call", now=ms(now)) is not None):
            return ()
        found = {"now": ms(now), "until": ms(until), "limit": limit}
        rows = await self._write(lambda tx: tx.session.rows("lease_calls", **found))
        return [ExecutorCall(row["case_id"], row["n"], row["attempts"]) for row in rows]

    async def ended_aside(self) -> Sequence[Case]:
        return ()

    async def release_call(self, call: ExecutorCall, not_before: datetime, error: str) -> None:
        columns = {"case_id": call.case, "n": call.n, "next_ms": ms(not_before), "error": error}
        await self._write(lambda tx: tx.session.run("release_call", **columns))

    @abstractmethod
    async def _write(self, work: Callable[[Tx], T]) -> T: ...

    @abstractmethod
    async def _read(self, work: Callable[[Session], T]) -> T: ...
