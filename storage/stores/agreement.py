"""`bot.ports.agreement.AgreementRecords` in rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.domain.case.transition import LogEvent, Notification
from bot.domain.governance.agreement import Spoken, Standing
from bot.domain.policy.people import Person
from storage.governance import messages
from storage.queues import outbox
from storage.session import Session
from storage.transactions import Transactions, Tx
from storage.values import moment, moment_or_none, ms, ms_or_none

_UNTIL_IN_FORCE = timedelta(
    seconds=1
)  # a set, or a word, is noted a moment before it is in force, and is drawn as it is then


class AgreementStore:
    """`AgreementRecords`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def rows(self) -> Sequence[Standing]:
        return await self._db.read(_rows)

    async def words(self) -> Sequence[Spoken]:
        return await self._db.read(_words)

    async def noted_by(self) -> str:
        return await self._db.read(_noted_by)

    async def set_before(self, digest: str) -> str:
        def read(session: Session) -> str:
            row = session.row("policy_set_before", digest=digest)
            return "" if row is None else str(row["digest"])

        return await self._db.read(read)

    async def last_message(self, person: Person) -> datetime | None:
        return await self._db.read(lambda session: messages.last_message(session, person))

    async def waiting(self) -> frozenset[Person]:
        def read(session: Session) -> frozenset[Person]:
            return frozenset(Person(row["team_id"], row["user_id"]) for row in session.rows("agreement_waiting"))

        return await self._db.read(read)

    async def note(self, rows: Sequence[Standing], words: Sequence[Spoken], digest: str) -> None:
        def work(tx: Tx) -> None:
            for known in _rows(tx.session):
                if known.key not in {row.key for row in rows}:
                    tx.session.run("drop_agreement_row", key=known.key)
            for row in rows:
                _put(tx.session, row)
            for word in words:
                _speak(tx.session, word)
            tx.session.run("put_agreement_set", digest=digest)
            outbox.refresh_agreements(tx.session, tx.now, tx.now + _UNTIL_IN_FORCE)

        await self._db.write(work)

    async def write(
        self, rows: Sequence[Standing], words: Sequence[Spoken], entries: Sequence[LogEvent], says: Sequence[Notification],
        waiting: Collection[Person] = (),
    ) -> None:  # fmt: skip
        def work(tx: Tx) -> None:
            for row in rows:
                _put(tx.session, row)
            for word in words:
                _speak(tx.session, word)
            tx.log(entries)
            for person in waiting:
                tx.session.run("let_agreement_wait", team=person.team, user=person.user)
            for say in says:
                outbox.put(tx.session, say, tx.now)
                if say.purpose == "agreement" and say.to is not None:
                    tx.session.run("drop_agreement_waiting", team=say.to.team, user=say.to.user)
            messages.note_messages(tx.session, says, tx.now)
            outbox.refresh_agreements(tx.session, tx.now, tx.now + _UNTIL_IN_FORCE)

        await self._db.write(work)


def _rows(session: Session) -> list[Standing]:
    return [
        Standing(
            row["key"], row["domain"], row["digest"], row["base"], bool(row["open"]), moment(row["since_ms"]),
            moment_or_none(row["agreed_ms"]), moment_or_none(row["asked_ms"]), moment_or_none(row["due_ms"]),
            bool(row["overdue"]),
        )
        for row in session.rows("agreement_rows")
    ]  # fmt: skip


def _words(session: Session) -> list[Spoken]:
    return [
        Spoken(
            row["key"],
            row["digest"],
            Person(row["team_id"], row["user_id"]),
            row["role"],
            row["word"],
            moment(row["at_ms"]),
        )
        for row in session.rows("agreement_words")
    ]


def _noted_by(session: Session) -> str:
    row = session.row("agreement_set")
    return "" if row is None else str(row["digest"])


def _put(session: Session, row: Standing) -> None:
    session.run(
        "put_agreement_row", key=row.key, domain=row.domain, digest=row.digest, base=row.base, open=int(row.open),
        since_ms=ms(row.since), agreed_ms=ms_or_none(row.agreed_at), asked_ms=ms_or_none(row.asked_at),
        due_ms=ms_or_none(row.due_at), overdue=int(row.overdue),
    )  # fmt: skip


def _speak(session: Session, word: Spoken) -> None:
    session.run(
        "put_agreement_word", key=word.key, digest=word.digest, team_id=word.person.team, user_id=word.person.user,
        role=word.role, word=word.word, at_ms=ms(word.at),
    )  # fmt: skip
