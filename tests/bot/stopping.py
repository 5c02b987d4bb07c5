"""An office whose log can be stopped: by a signer that refuses it, or by a disk that does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bot.background.inbox_worker import InboxWorker
from bot.background.sweeper import Sweeper
from bot.decision_log.among_replicas import AmongReplicas
from bot.domain.errors import DiskRefuses
from bot.runtime.open_log import open_log
from bot.service.approvals import ApprovalService
from tests.bot.office import Office
from tests.database import connect, copy, open_store

ORIGIN = "test.example/log"


@dataclass
class StoppableOffice(Office):
    """Opened as `run` opens it: keys, memory and emergency file are in `state`, beside the database. `among`: as one of several
    replicas."""

    among: AmongReplicas | None = None

    @property
    def state_dir(self) -> Path:
        return self.path.parent / "state"

    async def open(self) -> Self:
        self.inner = await open_store(self.path, self.clock, ORIGIN, self.state_dir)
        self.standing = await open_log(self.inner, self.state_dir, self.clock, among=self.among)
        self.store: Any = self.standing.store
        self.looking = connect(self.path, begins=False)
        self.service = ApprovalService(self.store, self.directory, self.clock, self.scale, self.policy)
        self.worker, self.sweeper = (
            InboxWorker(self.service, self.store.inbox, self.clock),
            Sweeper(self.service, self.store.cases, self.clock),
        )
        return self

    async def close(self) -> None:
        self.looking.close()
        self.standing.close()
        await self.inner.close()

    async def signed(self) -> None:
        """A checkpoint covers everything so far."""
        await self.standing.signer.cover()

    async def go_back_to(self, copied: Path) -> None:
        """Somebody restores the database as it was copied; the process is a new one."""
        await self.close()
        copy(copied, self.path)
        await self.open()

    def copied(self, name: str) -> Path:
        """A whole copy of the database as it is."""
        target = self.path.parent / name
        copy(self.path, target)
        return target

    async def fill_the_disk(self) -> None:
        """From now on the database cannot grow: SQLite says what it says on a full disk."""
        await self._set("PRAGMA max_page_count = 1", "SET default_transaction_read_only = on")

    async def write_protect(self) -> None:
        """The disk is read-only from now on, as far as the database knows."""
        await self._set("PRAGMA query_only = ON", "SET default_transaction_read_only = on")

    async def free_the_disk(self) -> None:
        await self._set("PRAGMA query_only = OFF", "SET default_transaction_read_only = off")
        await self._set("PRAGMA max_page_count = 1000000", "SET default_transaction_read_only = off")

    async def _set(self, lite: str, postgres: str) -> None:
        statement = lite if isinstance(self.place, Path) else postgres
        for transactions in (self.inner.transactions, self.inner.intake):
            await transactions.writer.run(lambda s: s.raw.execute(statement))  # type: ignore[union-attr]

    @contextmanager
    def lost(self) -> Iterator[None]:
        """Meanwhile nobody answers on the database's address: nothing is read and nothing written."""

        async def nobody(*_: Any) -> Any:
            raise DiskRefuses("The database server cannot be reached; nothing was written.")

        ways = [
            (db, name) for db in {self.inner.transactions, self.inner.intake} for name in ("read", "write", "write_each")
        ]
        for db, name in ways:
            setattr(db, name, nobody)
        try:
            yield
        finally:
            for db, name in ways:
                delattr(db, name)

    def lines(self) -> list[dict[str, Any]]:
        """The emergency file's lines, read past our own code."""
        path = self.state_dir / "emergency.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []

    async def told(self) -> list[str]:
        """The sentences that were answered since the last look."""
        rows = await self.store.outbox.lease(self.clock.now(), self.clock.now(), 1000)
        for row in rows:
            await self.store.outbox.sent(row, "D0", "1.0", 0, [])
        return [str(row.say.data["sentence"]) for row in rows if row.say.purpose == "answer"]
