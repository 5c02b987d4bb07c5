"""What left the host: anchors, and the last checkpoint that the audit channel heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from bot.domain.case.transition import Notification
from bot.domain.decision_log.inclusion_proof import consistency
from storage.log.tree_rows import Tree
from storage.queues import outbox
from storage.session import Session
from storage.transaction import Tx
from storage.values import moment, ms

T = TypeVar("T")


class AnchorStore(ABC):
    """`bot.decision_log.anchors.AnchorBook`; how a read or a write is run is the store's."""

    async def anchored(self, kind: str, ref: str | None = None) -> int | None:
        def work(session: Session) -> int | None:
            row = session.row("anchored", kind=kind, ref=ref)
            return None if row is None or row["size"] is None else int(row["size"])

        return await self._read(work)

    async def newest_anchors(self) -> Mapping[str, tuple[int, datetime]]:
        """Of each kind that something was anchored by: the greatest size, and when the last was."""

        def work(session: Session) -> Mapping[str, tuple[int, datetime]]:
            return {row["kind"]: (row["size"], moment(row["at"])) for row in session.rows("newest_anchors")}

        return await self._read(work)

    async def consistency_between(self, old: int, size: int) -> Sequence[bytes]:
        """Raises LogDamaged where something that the proof needs is missing."""
        if not 0 < old < size:
            return []
        return await self._read(lambda session: consistency(old, size, Tree(session).whole))

    async def keep_anchor(self, size: int, kind: str, ref: str, blob: bytes | None) -> None:
        await self._write(lambda tx: tx.session.run("keep_anchor", size=size, kind=kind, ref=ref, blob=blob, at=ms(tx.now)))

    async def last_post(self) -> tuple[int, datetime | None]:
        def work(session: Session) -> tuple[int, datetime | None]:
            row = session.row("last_post")
            return (0, None) if row is None else (int(row["size"]), moment(row["at_ms"]))

        return await self._read(work)

    async def post_checkpoint(self, size: int, say: Notification) -> None:
        def work(tx: Tx) -> None:
            tx.session.run("note_post", size=size, now=ms(tx.now))
            outbox.put(tx.session, say, tx.now)

        await self._write(work)

    @abstractmethod
    async def _write(self, work: Callable[[Tx], T]) -> T: ...

    @abstractmethod
    async def _read(self, work: Callable[[Session], T]) -> T: ...
