"""`bot.ports.log.DecisionLog` in rows: entries, head, proofs and checkpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.domain.decision_log.inclusion_proof import consistency, inclusion
from bot.domain.errors import StorageError
from bot.ports.records import LogRow
from storage.log import tiles
from storage.log.append import Head, read_head
from storage.log.tree_rows import Tree
from storage.session import Session
from storage.transactions import Transactions
from storage.values import ms


class LogStore:
    """`DecisionLog`, and what the signer and proofs ask (`bot.decision_log.signer.SignedLog`)."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def rows(self, start: int, limit: int) -> Sequence[LogRow]:
        def work(session: Session) -> Sequence[LogRow]:
            rows = session.rows("log_rows", start=start, limit=limit)
            return [LogRow(r["idx"], r["leaf"], r["data"], r["type"], r["case_id"], r["ts_ms"]) for r in rows]

        return await self._db.read(work)

    async def of_case(self, case_id: str) -> Sequence[LogRow]:
        def work(session: Session) -> Sequence[LogRow]:
            rows = session.rows("case_log", case_id=case_id)
            return [LogRow(r["idx"], r["leaf"], r["data"], r["type"], r["case_id"], r["ts_ms"]) for r in rows]

        return await self._db.read(work)

    async def reconciliations(self, limit: int) -> Sequence[LogRow]:
        def work(session: Session) -> Sequence[LogRow]:
            rows = session.rows("reconciliations", limit=limit)
            return [LogRow(r["idx"], r["leaf"], r["data"], r["type"], r["case_id"], r["ts_ms"]) for r in rows]

        return await self._db.read(work)

    async def head(self) -> Head:
        """Origin, size and edge of the log as committed."""
        return await self._db.read(read_head)

    async def consistency(self, old: int) -> tuple[Head, list[bytes]]:
        """The head, and the RFC 9162 proof that it extends the tree of `old` entries (none for 0), read in one snapshot.

        Raises StorageError where the log is shorter, or something that the proof needs is missing.
        """

        def work(session: Session) -> tuple[Head, list[bytes]]:
            head = read_head(session)
            if head.size < old:
                raise StorageError(f"The log has {head.size} entries, fewer than {old}.")
            return head, consistency(old, head.size, Tree(session).whole) if old else []

        return await self._db.read(work)

    async def names_key(self, key_id: str) -> bool:
        """Whether an entry of the log makes this key (eight hex digits) the signing key."""
        rows = await self._db.read(lambda session: session.rows("entries_of_type", type="log.key_rotated"))
        return any(json.loads(row["data"]).get("data", {}).get("new") == key_id for row in rows if row["data"] is not None)

    async def between(self, old: int, new: int) -> list[bytes]:
        """The RFC 9162 proof that the tree of `new` entries extends that of `old`. Raises LogDamaged."""
        return await self._db.read(lambda session: consistency(old, new, Tree(session).whole) if 0 < old <= new else [])

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """The RFC 9162 audit path of an entry in the tree of `size` entries. Raises StorageError where it has none."""
        if not 0 <= index < size:
            raise StorageError(f"There is no entry {index} among {size}.")
        return await self._db.read(lambda session: inclusion(index, size, Tree(session).whole))

    async def file(self, name: str) -> bytes | None:
        return await self._db.read(lambda session: tiles.file(session, name))

    def halt(self, why: str) -> None:
        """From now on every entry raises Stopped: the signer refuses this log. The empty string ends that."""
        self._db.halt(why)

    async def disclosed_by(self, index: int) -> Sequence[str]:
        rows = await self._db.read(lambda session: session.rows("disclosures_of", idx=index))
        return [row["disclosure"] for row in rows]

    async def keep_checkpoint(self, size: int, root: bytes, note: str) -> None:
        """Stores a signed note; a second call with it changes nothing."""
        await self._db.write(
            lambda tx: tx.session.run("insert_checkpoint", size=size, root=root, note=note, signed_at=ms(tx.now))
        )

    async def last_checkpoint(self) -> str | None:
        row = await self._db.read(lambda session: session.row("newest_checkpoint"))
        return None if row is None else str(row["note"])
