"""Epochs of the log: the entry that begins one and gives the log its new name, and the newest one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from bot.domain.case.transition import LogEvent
from bot.domain.decision_log.inclusion_proof import subtree
from bot.domain.decision_log.merkle_tree import root
from bot.domain.errors import Stale
from storage.log.tree_rows import Tree
from storage.session import Session
from storage.transactions import Transactions, Tx
from storage.values import moment


@dataclass(frozen=True, slots=True)
class EpochStarted:
    """A `log.epoch_started` entry: its index, its time, the log's name from there on, how many entries survived."""

    index: int
    at: datetime
    origin: str
    surviving: int


class EpochStore:
    """The epochs that the log went through."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def count(self) -> int:
        """How many new epochs were begun."""
        return await self._db.read(lambda session: len(session.rows("epochs")))

    async def newest(self) -> EpochStarted | None:
        def work(session: Session) -> EpochStarted | None:
            rows = session.rows("epochs")
            if not rows or rows[-1]["data"] is None:
                return None
            entry = json.loads(rows[-1]["data"])
            return EpochStarted(rows[-1]["idx"], moment(rows[-1]["ts_ms"]), entry["log"], entry["data"]["surviving"])

        return await self._db.read(work)

    async def begin(self, size: int, origin: str, draft: LogEvent) -> None:
        """Writes the first entry under the new name, though the log takes no other. Raises Stale if it has grown."""

        def work(tx: Tx) -> None:
            head = tx.ledger.head()
            if head.size != size:
                raise Stale("The log has another size by now; look at it again.")
            tx.ledger.rename(origin)
            tx.ledger.append(draft, max(tx.now, head.ts or tx.now))

        await self._db.write(work)

    async def root_at(self, size: int) -> bytes:
        """The root over the first `size` entries. Raises LogDamaged where something that it needs is missing."""

        def work(session: Session) -> bytes:
            return subtree(0, size, Tree(session).whole) if size else root(())

        return await self._db.read(work)
