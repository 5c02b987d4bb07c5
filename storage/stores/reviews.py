"""`bot.ports.reviews.ReviewRecords` in rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.case.campaign import Campaign, Consent, Use
from bot.domain.policy.governance import Narrowed
from bot.domain.policy.people import Person
from bot.ports.records import LogRow
from storage.governance import campaigns as rows
from storage.governance.messages import last_message
from storage.session import Session
from storage.transaction import Tx
from storage.transactions import Transactions


class ReviewStore:
    """`ReviewRecords`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def campaign(self, campaign_id: str) -> Campaign | None:
        return await self._db.read(lambda session: rows.campaign(session, campaign_id))

    async def campaigns(self, limit: int, *, closed_too: bool) -> Sequence[Campaign]:
        return await self._db.read(lambda session: rows.campaigns(session, limit, closed_too=closed_too))

    async def consents(self) -> Sequence[Consent]:
        return await self._db.read(rows.consents)

    async def narrowed(self) -> Sequence[Narrowed]:
        return await self._db.read(rows.narrowed)

    async def note(self, consents: Sequence[Consent]) -> None:
        await self._db.write(lambda tx: rows.note(tx.session, consents))

    async def forget_people(self, gone: Sequence[tuple[str, str]]) -> None:
        def work(tx: Tx) -> None:
            for of_id, domain in gone:
                tx.session.run("forget_person", of_id=of_id, domain=domain)

        await self._db.write(work)

    async def uses(self, domains: Sequence[str], since: datetime) -> Sequence[Use]:
        return await self._db.read(lambda session: rows.uses(session, domains, since))

    async def entries(self) -> Sequence[LogRow]:
        def work(session: Session) -> Sequence[LogRow]:
            rows = session.rows("review_entries")
            return [LogRow(r["idx"], r["leaf"], r["data"], r["type"], r["case_id"], r["ts_ms"]) for r in rows]

        return await self._db.read(work)

    async def urgent_domains(self) -> frozenset[str]:
        return await self._db.read(lambda session: frozenset(row["domain"] for row in session.rows("urgent_domains")))

    async def last_message(self, person: Person) -> datetime | None:
        return await self._db.read(lambda session: last_message(session, person))
