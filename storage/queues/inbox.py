"""The inbox: what Slack sent us, durable before it is acknowledged, once per key.

A row that this program cannot read (broken JSON, a kind or a button of a newer writer) is quarantined: it is kept, takes
nobody's turn, and is tried again at each start.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pydantic_core import PydanticSerializationError

from bot.clock import Clock
from bot.domain.errors import EntryError, Stale
from bot.ports.commands import COMMAND, Command, Press, lane_of
from bot.ports.records import InboxRow, UnreadableRow
from bot.service.actions import ACTIONS
from storage.session import Row, Session
from storage.transactions import Transactions
from storage.values import from_json, moment, ms, to_json

_STOPPED = "stopped"  # the outcome of a row whose author is still to be told that the log is stopped
_log = logging.getLogger("countersign.storage")


def to_text(act: Command) -> str:
    """The act as JSON; raises EntryError for text that is not Unicode."""
    try:
        return COMMAND.dump_json(act).decode()
    except PydanticSerializationError as error:
        raise EntryError("A text holds half a character (a lone surrogate); type it again.") from error


def take_in(
    session: Session, key: str, act: Command, text: str, answer: Mapping[str, object], now: datetime
) -> Mapping[str, object]:
    """Writes the row, or finds the answer that the first delivery got. `text` is the act as JSON."""
    whose = {"lane": lane_of(act), "person": f"{act.person.team}/{act.person.user}"}
    if session.run("take_in", key=key, act=text, answer=to_json(dict(answer)), now=ms(now), **whose) == 1:
        return answer
    row = session.row("inbox_answer", key=key)
    assert row is not None
    return from_json(row["answer"])


def unfinished(
    session: Session, now: datetime, limit: int, but: Collection[int] = ()
) -> tuple[Sequence[InboxRow], Sequence[int]]:
    """What is due, fair by person and lane, without `but`; and the ids of rows among it that cannot be read."""
    rows = session.rows("inbox", now=ms(now), limit=limit, but=f",{','.join(map(str, but))},")
    found = [(row["id"], _inbound(row)) for row in rows]
    return [row for _, row in found if row is not None], [row_id for row_id, row in found if row is None]


def quarantine(session: Session, ids: Sequence[int], now: datetime) -> None:
    """These rows cannot be read by this program."""
    for row_id in ids:
        session.run("quarantine", id=row_id, now=ms(now))
        _log.warning("inbox row %s cannot be read by this version; it is kept", row_id)


def unreadable(session: Session) -> Sequence[UnreadableRow]:
    """The rows in quarantine, oldest first."""
    return [
        UnreadableRow(r["id"], r["person"], moment(r["received_ms"]), moment(r["unreadable_ms"]), r["act"])
        for r in session.rows("unreadable_rows")
    ]


def put_off(session: Session, inbox_id: int, until: datetime) -> None:
    session.run("put_off", id=inbox_id, until=ms(until))


def finish(session: Session, inbox_id: int, now: datetime) -> None:
    """Raises Stale if somebody carried it out already."""
    if session.run("finish_inbox", id=inbox_id, now=ms(now)) != 1:
        raise Stale("This was carried out already.")


def refuse(session: Session, inbox_id: int, why: str, now: datetime) -> None:
    """A command of a host is finished and was not carried out. Raises Stale if somebody finished it already."""
    session.run("note_outcome", id=inbox_id, outcome=why)
    finish(session, inbox_id, now)


def _inbound(row: Row) -> InboxRow | None:
    """None for a row that this program cannot read."""
    try:
        act, answer = COMMAND.validate_json(row["act"]), json.loads(row["answer"])
    except (ValueError, RecursionError):  # pydantic's ValidationError is a ValueError
        return None
    if isinstance(act, Press) and act.action not in ACTIONS:
        return None
    return InboxRow(
        id=row["id"],
        key=row["key"],
        act=act,
        answer=answer,
        received_at=moment(row["received_ms"]),
        attempts=row["attempts"],
        refused=row["outcome"] == _STOPPED,
    )


class InboxStore:
    """`Inbox`."""

    def __init__(self, transactions: Transactions, clock: Clock, intake: Transactions | None = None) -> None:
        """`intake` writes what comes in."""
        self._db, self._clock, self._intake = transactions, clock, intake or transactions

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        text = to_text(act)
        return await self._intake.write(lambda tx: take_in(tx.session, key, act, text, answer, tx.now))

    async def unfinished(self, limit: int, but: Collection[int] = ()) -> Sequence[InboxRow]:
        found, unreadable = await self._due(limit, but)
        while unreadable:
            await self._quarantine(unreadable)
            found, unreadable = await self._due(limit, but)
        return found

    async def _due(self, limit: int, but: Collection[int]) -> tuple[Sequence[InboxRow], Sequence[int]]:
        now = self._clock.now()
        return await self._db.read(lambda session: unfinished(session, now, limit, but))

    async def _quarantine(self, ids: Sequence[int]) -> None:
        await self._db.write(lambda tx: quarantine(tx.session, ids, tx.now))

    async def unreadable(self) -> Sequence[UnreadableRow]:
        return await self._db.read(unreadable)

    async def read_again(self) -> None:
        await self._db.write(lambda tx: tx.session.run("read_again"))

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        await self._db.write(lambda tx: put_off(tx.session, inbox_id, until))

    async def settle(self, inbox_id: int) -> None:
        await self._db.write(lambda tx: tx.session.run("note_outcome", id=inbox_id, outcome=_STOPPED))

    async def refuse(self, inbox_id: int, why: str) -> None:
        await self._db.write(lambda tx: refuse(tx.session, inbox_id, why, tx.now))

    async def outcome(self, key: str) -> str | None:
        row = await self._db.read(lambda session: session.row("inbox_outcome", key=key))
        return None if row is None or row["done_ms"] is None else str(row["outcome"])

    async def withdraw(self, key: str) -> bool:
        return await self._intake.write(lambda tx: tx.session.run("withdraw_inbox", key=key, now=ms(tx.now))) == 1
