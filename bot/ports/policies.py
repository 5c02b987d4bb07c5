"""Accepted policy sets and calendars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.authority.endorsement import Endorsement, Given
from bot.domain.case.transition import LogEvent, Notification
from bot.domain.policy.governance import Narrowed
from bot.domain.workflow.providers.contract_notices import Notice
from bot.ports.records import CachedCalendar, MessageCopy, StoredPolicy


class Policies(Protocol):
    """Every set that was accepted, with the bytes of its files; nothing is deleted but outdated calendars."""

    async def accept(
        self,
        policy: StoredPolicy,
        entries: Sequence[LogEvent],
        says: Sequence[Notification] = (),
        *,
        replaced_binds_until: datetime | None = None,
        kept_for: timedelta | None = None,
    ) -> None:
        """Stores a set (idempotent by digest), makes it the last accepted, logs `entries`, queues `says`. The set that it
        replaces binds until `replaced_binds_until`; what is disclosed from now on says that it is kept for `kept_for`."""

    async def binding(self, now: datetime) -> Sequence[StoredPolicy]:
        """The sets that bind what is requested at `now`, or any open ask, oldest first; the last one is in force. How many
        were accepted since does not matter: what binds is a matter of time."""

    async def endorsements(self) -> Sequence[Endorsement]:
        """Every endorsement of a change of the signing keys (`Transition.endorsed`)."""

    async def endorsed_by(self, old: str, new: str) -> Sequence[Given]:
        """Who endorsed the change from one digest to the next, as the log says, oldest first."""

    async def asking_to_endorse(self) -> Sequence[MessageCopy]:
        """The messages in Slack that say that a change of the signing keys waits for an endorsement."""

    async def redraw(self, copies: Sequence[int]) -> None:
        """Queues a redraw of these messages."""

    async def contract_grace(self) -> Mapping[str, datetime] | None:
        """Until when what is open waits of providers whose contract was past at the first look; None before that look."""

    async def give_contract_grace(
        self, providers: Iterable[str], until: datetime, says: Sequence[Notification] = ()
    ) -> None:
        """The first check: stores the notice of these providers and queues `says`."""

    async def contract_notices(self) -> Set[Notice]:
        """The notices of contract ends that were given."""

    async def give_contract_notices(self, notices: Sequence[Notice], says: Sequence[Notification]) -> None:
        """Notes that they are given and queues `says`; nothing if all of them were given already."""

    async def ended_providers(self) -> Mapping[str, datetime]:
        """The providers that two people ended (`operator` acts of kind `provider_end`), and when."""

    async def taken_away(self) -> tuple[Sequence[Narrowed], Mapping[str, datetime]]:
        """What reviews have taken away (as `ReviewRecords.narrowed`), and `ended_providers`, as of one moment."""

    async def domain_owners(self) -> Mapping[str, str]:
        """Who owned each domain with dated owners at the last look, as `TEAM/USER`; "": nobody."""

    async def hand_over(
        self, domain: str, was: str | None, owner: str, entries: Sequence[LogEvent], says: Sequence[Notification] = ()
    ) -> None:
        """A look found `owner` where the last one found `was` (None: it did not look): noted, logged and said once, however
        many look at the same time."""

    async def last(self) -> StoredPolicy | None:
        """The set accepted last; None before the first."""

    async def by_digest(self, digest: str) -> StoredPolicy | None:
        """An accepted set by its digest."""

    async def beginning(self, digits: str) -> Sequence[str]:
        """The digests of accepted sets that begin with these hexadecimal digits, the newest first."""

    async def file_by_hash(self, sha256: str) -> bytes | None:
        """The bytes of a file of any accepted set: a case's frozen runbook is found by its digest."""

    async def calendars(self) -> Mapping[str, CachedCalendar]:
        """Calendars as they were last kept, by the address given to `keep_calendar`."""

    async def keep_calendar(self, address: str, feed: CachedCalendar, since: datetime) -> None:
        """Stores a calendar, and deletes those that were read before `since`."""

    async def lost_calendars(self) -> frozenset[str]:
        """The rotas whose calendar was announced as lost and not yet as found again."""

    async def announce_calendars(self, lost: frozenset[str], says: Sequence[Notification]) -> None:
        """Stores which rotas are announced as lost now, and queues `says`."""
