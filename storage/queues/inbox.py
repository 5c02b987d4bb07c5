"""The inbox: what Slack sent us, durable before it is acknowledged, once per key."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from bot.domain.errors import EntryError, Stale
from bot.ports.commands import COMMAND, Command, Press
from bot.ports.records import InboxRow
from bot.service.actions import ACTIONS
from storage.session import Row, Session
from storage.values import from_json, moment, ms, to_json

_log = logging.getLogger("countersign.storage")


def to_text(act: Command) -> str:
    """The act as JSON; raises EntryError for text that is not Unicode."""
    try:
        return COMMAND.dump_json(act).decode()
    except PydanticSerializationError as error:
        raise EntryError("A text holds half a character (a lone surrogate); type it again.") from error


def take_in(session: Session, key: str, act: str, answer: Mapping[str, object], now: datetime) -> Mapping[str, object]:
    """Writes the row, or finds the answer that the first delivery got."""
    if session.run("take_in", key=key, act=act, answer=to_json(dict(answer)), now=ms(now)) == 1:
        return answer
    row = session.row("inbox_answer", key=key)
    assert row is not None
    return from_json(row["answer"])


def unfinished(session: Session, now: datetime, limit: int) -> Sequence[InboxRow]:
    found = (_inbound(row) for row in session.rows("inbox", now=ms(now), limit=limit))
    return [inbound for inbound in found if inbound is not None]


def put_off(session: Session, inbox_id: int, until: datetime) -> None:
    session.run("put_off", id=inbox_id, until=ms(until))


def finish(session: Session, inbox_id: int, now: datetime) -> None:
    """Raises Stale if somebody carried it out already."""
    if session.run("finish_inbox", id=inbox_id, now=ms(now)) != 1:
        raise Stale("This was carried out already.")


def _inbound(row: Row) -> InboxRow | None:
    """None for an act that only a newer program reads: it waits for that program and stops nobody else's."""
    try:
        act = COMMAND.validate_json(row["act"])
    except ValidationError:
        act = None
    if act is None or (isinstance(act, Press) and act.action not in ACTIONS):
        _log.warning("inbox row %s holds an act that this version cannot read", row["id"])
        return None
    return InboxRow(
        id=row["id"],
        key=row["key"],
        act=act,
        answer=json.loads(row["answer"]),
        received_at=moment(row["received_ms"]),
        attempts=row["attempts"],
    )
