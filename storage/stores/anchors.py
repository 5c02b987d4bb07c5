"""`bot.ports.log.AnchorRecords` in rows: anchors, and the checkpoint last posted in the audit channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.case.transition import Notification
from bot.domain.decision_log.inclusion_proof import consistency
from storage.log.tree_rows import Tree
from storage.queues import outbox
from storage.session import Session
from storage.transactions import Transactions, Tx
from storage.values import moment, ms


class AnchorStore:
    """`AnchorRecords`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def anchored(self, kind: str, ref: str | None = None) -> int | None:
        def work(session: Session) -> int | None:
            row = session.row("anchored", kind=kind, ref=ref)
            return None if row is None or row["size"] is None else int(row["size"])

        return await self._db.read(work)

    async def newest(self) -> Mapping[str, tuple[int, datetime]]:
        def work(session: Session) -> Mapping[str, tuple[int, datetime]]:
            return {row["kind"]: (row["size"], moment(row["at"])) for row in session.rows("newest_anchors")}

        return await self._db.read(work)

    async def consistency_between(self, old: int, size: int) -> Sequence[bytes]:
        if not 0 < old < size:
            return []
        return await self._db.read(lambda session: consistency(old, size, Tree(session).whole))

    async def keep_anchor(self, size: int, kind: str, ref: str, blob: bytes | None) -> None:
        await self._db.write(
            lambda tx: tx.session.run("keep_anchor", size=size, kind=kind, ref=ref, blob=blob, at=ms(tx.now))
        )

    async def last_post(self) -> tuple[int, datetime | None]:
        def work(session: Session) -> tuple[int, datetime | None]:
            row = session.row("last_post")
            return (0, None) if row is None else (int(row["size"]), moment(row["at_ms"]))

        return await self._db.read(work)

    async def post_checkpoint(self, size: int, say: Notification) -> None:
        def work(tx: Tx) -> None:
            tx.session.run("note_post", size=size, now=ms(tx.now))
            outbox.put(tx.session, say, tx.now)

        await self._db.write(work)
