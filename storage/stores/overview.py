"""`bot.ports.overview.Overview` in rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.ports.records import Backlog, Lateness
from storage.cases import overview
from storage.session import Session
from storage.transactions import Transactions


class OverviewStore:
    """`Overview`. `check_schema` is the backend's: it raises SchemaError where another program changed the schema."""

    def __init__(self, transactions: Transactions, check_schema: Callable[[Session], None], probed: Transactions) -> None:
        """`probed`: whose writing `prove_writable` proves."""
        self._db, self._check_schema, self._probed = transactions, check_schema, probed

    async def backlog(self, now: datetime) -> Backlog:
        return await self._db.read(lambda session: overview.backlog(session, now))

    async def lateness(self, before: datetime) -> Lateness:
        return await self._db.read(lambda session: overview.lateness(session, before))

    async def prove_writable(self) -> None:
        await self._probed.write(lambda tx: overview.prove_writable(tx.session, self._check_schema))
