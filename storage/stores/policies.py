"""`bot.ports.policies.Policies` in rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from bot.domain.authority.endorsement import Endorsement, Given
from bot.domain.case.transition import LogEvent, Notification
from bot.domain.policy.governance import Narrowed
from bot.domain.workflow.providers.contract_notices import Notice
from bot.ports.records import CachedCalendar, MessageCopy, StoredPolicy
from storage.governance import campaigns
from storage.policy import calendar_cache, policies
from storage.queues import outbox
from storage.transactions import Transactions, Tx


class PolicyStore:
    """`Policies`."""

    def __init__(self, transactions: Transactions) -> None:
        self._db = transactions

    async def accept(
        self,
        policy: StoredPolicy,
        entries: Sequence[LogEvent],
        says: Sequence[Notification] = (),
        *,
        replaced_binds_until: datetime | None = None,
        kept_for: timedelta | None = None,
    ) -> None:
        def work(tx: Tx) -> None:
            policies.accept(tx.session, policy, replaced_binds_until)
            if kept_for is not None:
                tx.session.run("policy_set_keeps_for", retention_ms=kept_for // timedelta(milliseconds=1))
            tx.log(entries)
            for say in says:
                outbox.put(tx.session, say, tx.now)

        await self._db.write(work)

    async def binding(self, now: datetime) -> Sequence[StoredPolicy]:
        return await self._db.read(lambda session: policies.binding(session, now))

    async def endorsements(self) -> Sequence[Endorsement]:
        return await self._db.read(policies.endorsements)

    async def endorsed_by(self, old: str, new: str) -> Sequence[Given]:
        return await self._db.read(lambda session: policies.endorsed_by(session, old, new))

    async def asking_to_endorse(self) -> Sequence[MessageCopy]:
        return await self._db.read(outbox.asking_to_endorse)

    async def redraw(self, copies: Sequence[int]) -> None:
        await self._db.write(lambda tx: outbox.refresh_these(tx.session, copies, tx.now))

    async def contract_grace(self) -> Mapping[str, datetime] | None:
        return await self._db.read(policies.contract_grace)

    async def give_contract_grace(
        self, providers: Iterable[str], until: datetime, says: Sequence[Notification] = ()
    ) -> None:
        def work(tx: Tx) -> None:
            if policies.contract_grace(tx.session) is not None:
                return  # another sweep was first
            policies.give_contract_grace(tx.session, providers, until)
            for say in says:
                outbox.put(tx.session, say, tx.now)

        await self._db.write(work)

    async def contract_notices(self) -> Set[Notice]:
        return await self._db.read(policies.contract_notices)

    async def give_contract_notices(self, notices: Sequence[Notice], says: Sequence[Notification]) -> None:
        def work(tx: Tx) -> None:
            if not policies.give_contract_notices(tx.session, notices):
                return  # another sweep was first
            for say in says:
                outbox.put(tx.session, say, tx.now)

        await self._db.write(work)

    async def ended_providers(self) -> Mapping[str, datetime]:
        return await self._db.read(policies.ended_providers)

    async def taken_away(self) -> tuple[Sequence[Narrowed], Mapping[str, datetime]]:
        return await self._db.read(lambda session: (campaigns.narrowed(session), policies.ended_providers(session)))

    async def domain_owners(self) -> Mapping[str, str]:
        return await self._db.read(policies.domain_owners)

    async def hand_over(
        self, domain: str, was: str | None, owner: str, entries: Sequence[LogEvent], says: Sequence[Notification] = ()
    ) -> None:
        def work(tx: Tx) -> None:
            if policies.domain_owners(tx.session).get(domain) != was:
                return  # another look was first
            tx.session.run("put_domain_owner", domain=domain, owner=owner)
            tx.log(entries)
            for say in says:
                outbox.put(tx.session, say, tx.now)

        await self._db.write(work)

    async def last(self) -> StoredPolicy | None:
        return await self._db.read(policies.last)

    async def by_digest(self, digest: str) -> StoredPolicy | None:
        return await self._db.read(lambda session: policies.by_digest(session, digest))

    async def beginning(self, digits: str) -> Sequence[str]:
        return await self._db.read(lambda session: policies.beginning(session, digits))

    async def file_by_hash(self, sha256: str) -> bytes | None:
        return await self._db.read(lambda session: policies.file_by_hash(session, sha256))

    async def calendars(self) -> Mapping[str, CachedCalendar]:
        return await self._db.read(calendar_cache.kept)

    async def keep_calendar(self, address: str, feed: CachedCalendar, since: datetime) -> None:
        await self._db.write(lambda tx: calendar_cache.keep(tx.session, address, feed, since))

    async def lost_calendars(self) -> frozenset[str]:
        return await self._db.read(calendar_cache.lost)

    async def announce_calendars(self, lost: frozenset[str], says: Sequence[Notification]) -> None:
        def work(tx: Tx) -> None:
            calendar_cache.put_lost(tx.session, sorted(lost))
            for say in says:
                outbox.put(tx.session, say, tx.now)

        await self._db.write(work)
