"""Calls to executors: leased, and released with the time of the next attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.case.model import Case
from bot.ports.records import ExecutorCall
from storage.transactions import Transactions
from storage.values import ms


class CallStore:
    """`ExecutorCalls`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def lease(self, now: datetime, until: datetime, limit: int) -> Sequence[ExecutorCall]:
        if not await self._db.read(lambda session: session.row("something_to_call", now=ms(now)) is not None):
            return ()
        found = {"now": ms(now), "until": ms(until), "limit": limit}
        rows = await self._db.write(lambda tx: tx.session.rows("lease_calls", **found))
        return [ExecutorCall(row["case_id"], row["n"], row["attempts"], row["refusals"]) for row in rows]

    async def ended_aside(self) -> Sequence[Case]:
        return ()

    async def release(self, call: ExecutorCall, not_before: datetime, error: str) -> None:
        columns = {"case_id": call.case, "n": call.n, "next_ms": ms(not_before), "error": error}
        await self._db.write(lambda tx: tx.session.run("release_call", **columns))
