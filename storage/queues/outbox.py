"""The outbox: messages to send, at least once, and the copies posted in Slack.

A row is leased, sent, and deleted; a lease that expires (a crash) frees it again. A redraw never overtakes another
of the same copy, and one that waits replaces all earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.case.transition import Lane, LogEvent, Notification
from bot.domain.errors import DiskRefuses
from bot.domain.policy.people import Person
from bot.ports.records import MessageCopy, OutboxRow
from storage.session import Row, Session
from storage.transactions import Transactions, Tx
from storage.values import from_json, moment, ms, person_or_none, to_columns, to_json

_GONE = frozenset({"message_not_found", "cant_update_message", "nothing_to_draw", "unknown_purpose"})


def put(session: Session, say: Notification, now: datetime) -> None:
    """Queues a message; a key replaces a waiting message with the same key, or with `at` waits with it."""
    if say.at is not None and session.row("waits_under_key", key=say.key) is not None:
        return
    columns: dict[str, object] = {
        "lane": int(say.lane), "purpose": say.purpose, "case_id": say.case, **to_columns(say.to, "to"),
        "channel": say.channel, "data": to_json(dict(say.data)), "key": say.key, "now": ms(say.at or now),
    }  # fmt: skip
    if not (say.key and say.at is None and session.run("replace_outbox", **columns)):
        session.send("insert_outbox", **columns)


def refresh_all(session: Session, case_id: str, now: datetime) -> None:
    session.send("refresh_copies", case_id=case_id, lane=int(Lane.EDIT), now=ms(now))


def refresh_agreements(session: Session, now: datetime, at: datetime) -> None:
    """Every message with somebody's own rows of the matrix is redrawn at `at`."""
    session.run("refresh_agreement_copies", lane=int(Lane.EDIT), now=ms(now), at=ms(at))


def refresh_these(session: Session, ids: Sequence[int], now: datetime) -> None:
    """These copies are to be redrawn, whatever they show."""
    for id_ in ids:
        session.run("refresh_this", id=id_, lane=int(Lane.EDIT), now=ms(now))


def refresh_open(session: Session, authority: str, now: datetime) -> None:
    session.run("put_redrawn_for", authority=authority)
    session.run("refresh_open", lane=int(Lane.EDIT), now=ms(now))


def redrawn_for(session: Session) -> str:
    row = session.row("redrawn_for")
    return "" if row is None else str(row["authority"])


def something_to_lease(session: Session, now: datetime, *, pages: bool) -> bool:
    return session.row("something_to_lease", now=ms(now), pages=int(pages)) is not None


def lease(session: Session, now: datetime, until: datetime, limit: int, *, pages: bool) -> Sequence[OutboxRow]:
    rows = session.rows("lease", now=ms(now), until=ms(until), limit=limit, pages=int(pages))
    return [_outgoing(session, row) for row in sorted(rows, key=lambda row: (row["lane"], row["id"]))]


def free_leases(session: Session) -> None:
    """Only at the start of the one sending process: nobody else can hold a lease then."""
    session.run("free_leases")


def release(session: Session, outgoing: OutboxRow, not_before: datetime, error: str, now: datetime) -> None:
    session.run("release", id=outgoing.id, not_before=ms(not_before), error=error)
    if outgoing.copy is not None:
        session.run("drop_twins", id=outgoing.id, copy_id=outgoing.copy.id, now=ms(now))


def sent(
    session: Session, outgoing: OutboxRow, channel: str, ts: str, drawn: int, now: datetime, *, plain: bool = False
) -> None:
    """The row goes, the copy stays, and one that shows an old version is to be redrawn."""
    session.run("drop_outbox", id=outgoing.id)
    copy_id = _remember(session, outgoing, channel, ts, drawn, plain=plain)
    if copy_id is not None:
        session.run("refresh_copy", id=copy_id, drawn=drawn, lane=int(Lane.EDIT), now=ms(now))
    if outgoing.say.purpose == "door" and outgoing.copy is None and copy_id is not None:
        older = {"case_id": outgoing.say.case, "newest": copy_id}
        session.run("refresh_older_buttons", lane=int(Lane.EDIT), now=ms(now), **older)


def undeliverable(session: Session, outgoing: OutboxRow, error: str, now: datetime) -> None:
    """A copy whose message is gone is given up as well; another refusal may end (a channel that was archived, a text that was
    too long), and the next change is drawn again."""
    session.run("give_up", id=outgoing.id, error=error, now=ms(now))
    if outgoing.copy is not None and error in _GONE:
        session.run("drop_copy", id=outgoing.copy.id)


def found_again(session: Session, outgoing: OutboxRow, channel: str, ts: str, now: datetime, *, plain: bool) -> None:
    """A second message of one row stays as a copy of its own, and is redrawn."""
    copy_id = _remember(session, outgoing, channel, ts, 0, plain=plain)
    if copy_id is not None:
        session.run("refresh_copy", id=copy_id, drawn=0, lane=int(Lane.EDIT), now=ms(now))


def said_late(session: Session, outgoing: OutboxRow, channel: str, ts: str, now: datetime, *, plain: bool) -> None:
    """A message that another process posted or drew with what was true before: it is redrawn."""
    if outgoing.copy is not None:
        refresh_these(session, [outgoing.copy.id], now)
        session.run("doubt_redraws", copy_id=outgoing.copy.id)
    else:
        found_again(session, outgoing, channel, ts, now, plain=plain)


def direct_channel(session: Session, person: Person) -> str | None:
    row = session.row("direct_channel", team=person.team, user=person.user)
    return None if row is None else str(row["channel"])


def copies(session: Session, case_id: str) -> Sequence[MessageCopy]:
    return [_copy(row) for row in session.rows("copies", case_id=case_id)]


def asking_to_endorse(session: Session) -> Sequence[MessageCopy]:
    """The messages that say that a change of the signing keys waits for an endorsement."""
    return [_copy(row) for row in session.rows("asking_to_endorse")]


def _remember(session: Session, outgoing: OutboxRow, channel: str, ts: str, drawn: int, *, plain: bool) -> int | None:
    """The copy's id; None where there is nothing to redraw (no `ts`, or no case)."""
    if outgoing.copy is not None:
        session.run("drew_copy", id=outgoing.copy.id, drawn=drawn)
        return outgoing.copy.id
    say = outgoing.say
    if not ts or say.case is None:
        return None
    row = session.row(
        "put_copy", case_id=say.case, purpose=say.purpose, **to_columns(say.to, "to"), channel=channel, ts=ts, drawn=drawn,
        plain=int(plain),
    )  # fmt: skip
    assert row is not None
    return int(row["id"])


def _outgoing(session: Session, row: Row) -> OutboxRow:
    say = Notification(
        purpose=row["purpose"],
        lane=Lane(row["lane"]),
        case=row["case_id"],
        to=person_or_none(row["to_team"], row["to_user"]),
        channel=row["channel"],
        data=from_json(row["data"]),
        key=row["key"],
    )
    copy = session.row("copy", id=row["copy_id"]) if row["copy_id"] is not None else None
    shown = None if copy is None else _copy(copy)
    return OutboxRow(row["id"], say, row["attempts"], moment(row["created_ms"]), shown, row["error"])


def _copy(row: Row) -> MessageCopy:
    return MessageCopy(
        id=row["id"],
        case=row["case_id"],
        purpose=row["purpose"],
        to=person_or_none(row["to_team"], row["to_user"]),
        channel=row["channel"],
        ts=row["ts"],
        drawn=row["drawn"],
    )


class OutboxStore:
    """`Outbox`. It looks on the reading connection first, so that an idle bot writes nothing."""

    def __init__(self, transactions: Transactions, intake: Transactions | None = None) -> None:
        """`intake` writes what needs no lease."""
        self._db, self._intake = transactions, intake or transactions
        self._unanswered: set[int] = set()  # ends of leases that were written perhaps, and whose rows nobody got

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        lost = tuple(self._unanswered)
        if not lost and not await self._db.read(lambda session: something_to_lease(session, now, pages=pages)):
            return ()

        def work(tx: Tx) -> Sequence[OutboxRow]:
            for end in lost:
                tx.session.run("free_lost_lease", until=end)
            return lease(tx.session, now, until, limit, pages=pages)

        try:
            rows = await self._db.write(work)
        except DiskRefuses:
            self._unanswered.add(ms(until))
            raise
        self._unanswered.difference_update(lost)
        return rows

    async def release(self, rows: Sequence[tuple[OutboxRow, datetime, str]]) -> None:
        def work(tx: Tx) -> None:
            for outgoing, not_before, error in rows:
                release(tx.session, outgoing, not_before, error, tx.now)

        await self._db.write(work)

    async def slack_is_back(self, now: datetime) -> None:
        await self._db.write(lambda tx: tx.session.run("slack_is_back", now=ms(now)))

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        def work(tx: Tx) -> None:
            sent(tx.session, outgoing, channel, ts, drawn, tx.now, plain=plain)
            tx.log(entries)

        await self._db.write(work)

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        def work(tx: Tx) -> None:
            undeliverable(tx.session, outgoing, error, tx.now)
            tx.log(entries)

        await self._db.write(work)

    async def redraw_open(self, authority: str) -> None:
        await self._db.write(lambda tx: refresh_open(tx.session, authority, tx.now))

    async def redrawn_for(self) -> str:
        return await self._db.read(redrawn_for)

    async def found_again(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        await self._db.write(lambda tx: found_again(tx.session, outgoing, channel, ts, tx.now, plain=plain))

    async def said_late(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        await self._intake.write(lambda tx: said_late(tx.session, outgoing, channel, ts, tx.now, plain=plain))

    async def direct_channel(self, person: Person) -> str | None:
        return await self._db.read(lambda session: direct_channel(session, person))

    async def copies(self, case_id: str) -> Sequence[MessageCopy]:
        return await self._db.read(lambda session: copies(session, case_id))
