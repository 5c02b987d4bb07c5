"""`bot.ports.queues` in rows: inbox, outbox, and calls to executors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.clock import Clock
from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent
from bot.domain.policy.people import Person
from bot.ports.commands import Command
from bot.ports.records import ExecutorCall, InboxRow, MessageCopy, OutboxRow, UnreadableRow
from storage.queues import inbox, outbox
from storage.transaction import Tx
from storage.transactions import Transactions
from storage.values import ms


class InboxStore:
    """`Inbox`."""

    def __init__(self, transactions: Transactions, clock: Clock, intake: Transactions | None = None) -> None:
        """`intake` writes what comes in."""
        self._db, self._clock, self._intake = transactions, clock, intake or transactions

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        text = inbox.to_text(act)
        return await self._intake.write(lambda tx: inbox.take_in(tx.session, key, act, text, answer, tx.now))

    async def unfinished(self, limit: int, but: Collection[int] = ()) -> Sequence[InboxRow]:
        found, unreadable = await self._due(limit, but)
        while unreadable:
            await self._quarantine(unreadable)
            found, unreadable = await self._due(limit, but)
        return found

    async def _due(self, limit: int, but: Collection[int]) -> tuple[Sequence[InboxRow], Sequence[int]]:
        now = self._clock.now()
        return await self._db.read(lambda session: inbox.unfinished(session, now, limit, but))

    async def _quarantine(self, ids: Sequence[int]) -> None:
        await self._db.write(lambda tx: inbox.quarantine(tx.session, ids, tx.now))

    async def unreadable(self) -> Sequence[UnreadableRow]:
        return await self._db.read(inbox.unreadable)

    async def read_again(self) -> None:
        await self._db.write(lambda tx: tx.session.run("read_again"))

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        await self._db.write(lambda tx: inbox.put_off(tx.session, inbox_id, until))


class OutboxStore:
    """`Outbox`. It looks on the reading connection first, so that an idle bot writes nothing."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        if not await self._db.read(lambda session: outbox.something_to_lease(session, now, pages=pages)):
            return ()
        return await self._db.write(lambda tx: outbox.lease(tx.session, now, until, limit, pages=pages))

    async def release(self, outgoing: OutboxRow, not_before: datetime, error: str) -> None:
        await self._db.write(lambda tx: outbox.release(tx.session, outgoing, not_before, error, tx.now))

    async def slack_is_back(self, now: datetime) -> None:
        await self._db.write(lambda tx: tx.session.run("slack_is_back", now=ms(now)))

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        def work(tx: Tx) -> None:
            outbox.sent(tx.session, outgoing, channel, ts, drawn, tx.now, plain=plain)
            tx.log(entries)

        await self._db.write(work)

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        def work(tx: Tx) -> None:
            outbox.undeliverable(tx.session, outgoing, error, tx.now)
            tx.log(entries)

        await self._db.write(work)

    async def redraw_open(self) -> None:
        await self._db.write(lambda tx: outbox.refresh_open(tx.session, tx.now))

    async def found_again(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        await self._db.write(lambda tx: outbox.found_again(tx.session, outgoing, channel, ts, tx.now, plain=plain))

    async def direct_channel(self, person: Person) -> str | None:
        return await self._db.read(lambda session: outbox.direct_channel(session, person))

    async def copies(self, case_id: str) -> Sequence[MessageCopy]:
        return await self._db.read(lambda session: outbox.copies(session, case_id))


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
