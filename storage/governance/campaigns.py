"""Campaigns and consents as rows and back, how a transition changes them, and the port over them. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from bot.domain.case.campaign import Campaign, CampaignChange, Consent, Use
from bot.domain.errors import Stale
from bot.domain.policy.governance import Narrowed
from bot.domain.policy.people import Person
from bot.ports.records import LogRow
from storage.governance.messages import last_message
from storage.session import Row, Session
from storage.transactions import Transactions, Tx
from storage.values import moment, moment_or_none, ms, ms_or_none, person_or_none, to_columns

_CAMPAIGN: TypeAdapter[Campaign] = TypeAdapter(Campaign)
_USES_MAX = 10_000


def write(session: Session, change: CampaignChange) -> None:
    """Raises Stale where the campaign is another by now."""
    before, after = change.before, change.after
    body = _CAMPAIGN.dump_json(after).decode()
    columns: dict[str, object] = {"id": after.id, "state": after.state, "body": body}
    if before is None:
        if session.run("insert_campaign", opened_ms=ms(after.opened_at), **columns) != 1:
            raise Stale("A campaign with this id exists already.")
    elif session.run("swap_campaign", version=before.version, **columns) != 1:
        raise Stale("The review changed meanwhile; look at it again.")
    for consent in change.consents:
        session.run("put_consent", **_columns(consent))


def campaign(session: Session, campaign_id: str) -> Campaign | None:
    row = session.row("campaign", id=campaign_id)
    return None if row is None else _read(row)


def campaigns(session: Session, limit: int, *, closed_too: bool) -> Sequence[Campaign]:
    return [_read(row) for row in session.rows("all_campaigns" if closed_too else "open_campaigns", limit=limit)]


def note(session: Session, consents: Iterable[Consent]) -> None:
    for consent in consents:
        session.run("note_consent", **_columns(consent))


def consents(session: Session) -> Sequence[Consent]:
    return [
        Consent(
            row["kind"], row["of_id"], row["domain"], row["content"], row["sha256"], row["effect"], bool(row["own"]),
            moment(row["at_ms"]), person_or_none(row["by_team"], row["by_user"]), moment_or_none(row["singly_ms"]),
            row["campaign"],
        )
        for row in session.rows("consents")
    ]  # fmt: skip


def narrowed(session: Session) -> Sequence[Narrowed]:
    return [
        Narrowed(
            row["kind"], row["of_id"], row["domain"], "narrow" if row["effect"] == "narrowed" else "withdraw",
            bool(row["own"]), row["content"], row["sha256"], moment(row["at_ms"]),
        )
        for row in session.rows("narrowed_rights")
    ]  # fmt: skip


def uses(session: Session, domains: Iterable[str], since: datetime) -> Sequence[Use]:
    rows = (
        row for domain in domains for row in session.rows("uses_in_domain", domain=domain, since=ms(since), limit=_USES_MAX)
    )
    return sorted((_use(session, row) for row in rows), key=lambda use: (use.at, use.case))[:_USES_MAX]


def _use(session: Session, row: Row) -> Use:
    ratifiers = session.rows("ratifiers", case_id=row["id"])
    return Use(
        row["id"], row["runbook"], row["domain"], row["provider"], Person(row["requester_team"], row["requester_user"]),
        moment(row["opened_ms"]), row["missing"], moment_or_none(row["sent_ms"]), moment_or_none(row["pressed_ms"]),
        tuple(Person(one["team_id"], one["user_id"]) for one in ratifiers),
    )  # fmt: skip


def _read(row: Row) -> Campaign:
    return replace(_CAMPAIGN.validate_json(row["body"]), version=row["version"])


def _columns(consent: Consent) -> dict[str, object]:
    return {
        "kind": consent.kind, "of_id": consent.of, "domain": consent.domain, "content": consent.row,
        "sha256": consent.sha256, "effect": consent.effect, "own": int(consent.own), "at_ms": ms(consent.at),
        **to_columns(consent.by, "by"), "singly_ms": ms_or_none(consent.singly_at), "campaign": consent.campaign,
    }  # fmt: skip


class ReviewStore:
    """`ReviewRecords`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def campaign(self, campaign_id: str) -> Campaign | None:
        return await self._db.read(lambda session: campaign(session, campaign_id))

    async def campaigns(self, limit: int, *, closed_too: bool) -> Sequence[Campaign]:
        return await self._db.read(lambda session: campaigns(session, limit, closed_too=closed_too))

    async def consents(self) -> Sequence[Consent]:
        return await self._db.read(consents)

    async def narrowed(self) -> Sequence[Narrowed]:
        return await self._db.read(narrowed)

    async def note(self, consents: Sequence[Consent]) -> None:
        await self._db.write(lambda tx: note(tx.session, consents))

    async def forget_people(self, gone: Sequence[tuple[str, str]]) -> None:
        def work(tx: Tx) -> None:
            for of_id, domain in gone:
                tx.session.run("forget_person", of_id=of_id, domain=domain)

        await self._db.write(work)

    async def uses(self, domains: Sequence[str], since: datetime) -> Sequence[Use]:
        return await self._db.read(lambda session: uses(session, domains, since))

    async def entries(self) -> Sequence[LogRow]:
        def work(session: Session) -> Sequence[LogRow]:
            rows = session.rows("review_entries")
            return [LogRow(r["idx"], r["leaf"], r["data"], r["type"], r["case_id"], r["ts_ms"]) for r in rows]

        return await self._db.read(work)

    async def urgent_domains(self) -> frozenset[str]:
        return await self._db.read(lambda session: frozenset(row["domain"] for row in session.rows("urgent_domains")))

    async def last_message(self, person: Person) -> datetime | None:
        return await self._db.read(lambda session: last_message(session, person))
