"""`bot.ports.signing.SigningRecords` in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.policy.people import Person
from bot.domain.signing.decision import Issued
from bot.ports.signing import Ends, Link, Unconfirmed
from bot.ports.signing import Session as PageSession
from storage.session import Row, Session
from storage.transactions import Transactions, Tx
from storage.values import from_json, moment, ms

_SPARE = 32  # unused statements of one link that are kept
_KEPT, _ANSWERS_KEPT = timedelta(hours=1), timedelta(days=30)


class SigningStore:
    """`SigningRecords`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def link(self, link: Link, token: str) -> str:
        found = await self._db.read(lambda session: session.row("sign_link_of", **_of(link)))
        if found is not None:
            return str(found["token"])

        def work(tx: Tx) -> str:
            tx.session.run("put_sign_link", token=token, now=ms(tx.now), **_of(link))
            row = tx.session.row("sign_link_of", **_of(link))
            return "" if row is None else str(row["token"])

        return await self._db.write(work)

    async def linked(self, token: str) -> Link | None:
        row = await self._db.read(lambda session: session.row("sign_link", token=token))
        return None if row is None else Link(Person(row["team_id"], row["user_id"]), row["case_id"], row["version"])

    async def ends(self, link: Link, opened_by: str, opened_at: datetime) -> Ends:
        def work(session: Session) -> Ends:
            rows = session.rows("case_log", case_id=link.case)
            asked = next((row for row in reversed(rows) if row["type"] == opened_by), rows[0])
            ref = session.row("ref", team=link.person.team, user=link.person.user)
            head = session.row("log_head")
            origin = "" if head is None else str(head["origin"])
            return Ends(asked["leaf"].hex(), rows[-1]["leaf"].hex(), "" if ref is None else str(ref["ref"]), origin)

        return await self._db.read(work)

    async def ref(self, person: Person) -> str:
        row = await self._db.read(lambda session: session.row("ref", team=person.team, user=person.user))
        return "" if row is None else str(row["ref"])

    async def issue(self, nonce: str, issued: Issued) -> None:
        about = _of(Link(issued.person, issued.case, issued.version))

        def work(tx: Tx) -> None:
            tx.session.run(
                "put_sign_statement",
                nonce=nonce,
                statement=issued.data.decode(),
                not_after_ms=ms(issued.not_after),
                **about,
            )
            tx.session.run("drop_spare_statements", keep=_SPARE, **about)
            tx.session.run("drop_old_statements", before=ms(tx.now - _KEPT))
            tx.session.run("drop_old_sign_answers", before=ms(tx.now - _ANSWERS_KEPT))

        await self._db.write(work)

    async def issued(self, nonce: str) -> Issued | None:
        row = await self._db.read(lambda session: session.row("sign_statement", nonce=nonce))
        return None if row is None else _issued(row)

    async def since(self, case_id: str, leaf: str) -> tuple[str, ...] | None:
        rows = await self._db.read(lambda session: session.rows("case_log", case_id=case_id))
        place = next((n for n, row in enumerate(rows) if row["leaf"].hex() == leaf), None)
        return None if place is None else tuple(row["type"] for row in rows[place + 1 :])

    async def count(self, credential: str) -> int:
        row = await self._db.read(lambda session: session.row("sign_count", credential=credential))
        return 0 if row is None else int(row["count"])

    async def answer(self, key: str) -> Mapping[str, object] | None:
        row = await self._db.read(lambda session: session.row("sign_answer", key=key))
        return None if row is None else from_json(row["answer"])

    async def begin_session(self, digest: str, session: PageSession) -> None:
        def work(tx: Tx) -> None:
            tx.session.run("drop_old_sessions", now=ms(tx.now))
            tx.session.run("put_session", digest=digest, statement=session.statement.decode(), until_ms=ms(session.until))

        await self._db.write(work)

    async def session(self, digest: str, now: datetime) -> PageSession | None:
        row = await self._db.read(lambda session: session.row("session", digest=digest, now=ms(now)))
        return None if row is None else _session(row)

    async def open_session(self, signed: str, digest: str, session: PageSession, count: int) -> bool:
        assert session.person is not None
        team, user = session.person.team, session.person.user

        def work(tx: Tx) -> bool:
            if tx.session.run("use_session", digest=signed, now=ms(tx.now)) != 1:
                return False
            until, credential = ms(session.until), session.credential
            tx.session.run("open_session", digest=digest, credential=credential, team=team, user=user, until_ms=until)
            tx.session.run("put_sign_count", credential=credential, count=count)
            return True

        return await self._db.write(work)

    async def keep_account(self, person: Person, *, full: bool) -> None:
        def work(tx: Tx) -> None:
            who = {"team": person.team, "user": person.user}
            tx.session.run("put_account_answer", **who, is_full=int(full), now=ms(tx.now))

        await self._db.write(work)

    async def account(self, person: Person) -> tuple[bool, datetime] | None:
        row = await self._db.read(lambda session: session.row("account_answer", team=person.team, user=person.user))
        return None if row is None else (bool(row["is_full"]), moment(row["at_ms"]))

    async def unconfirmed(self) -> Sequence[Unconfirmed]:
        rows = await self._db.read(lambda session: session.rows("unconfirmed"))
        return tuple(Unconfirmed(r["case_id"], r["version"], Person(r["team_id"], r["user_id"])) for r in rows)

    async def confirmed(self, yes: Unconfirmed) -> None:
        about = _of(Link(yes.person, yes.case, yes.version))
        await self._db.write(lambda tx: tx.session.run("drop_unconfirmed", **about))


def _session(row: Row) -> PageSession:
    person = Person(row["team_id"], row["user_id"]) if row["user_id"] else None
    return PageSession(moment(row["until_ms"]), str(row["statement"]).encode(), person, str(row["credential"]))


def _of(link: Link) -> dict[str, object]:
    return {"case_id": link.case, "version": link.version, "team": link.person.team, "user": link.person.user}


def _issued(row: Row) -> Issued:
    person, data = Person(row["team_id"], row["user_id"]), str(row["statement"]).encode()
    return Issued(person, row["case_id"], row["version"], data, moment(row["not_after_ms"]), row["used_by"] or "")
