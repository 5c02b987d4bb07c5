"""What the store knows of reviews: campaigns, the last answer on each right, and the figures behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.case.campaign import Campaign, Consent, Use
from bot.domain.policy.governance import Narrowed
from bot.domain.policy.people import Person
from bot.ports.records import LogRow


class ReviewRecords(Protocol):
    """`Store.commit` opens and changes a campaign, with its consents (`Transition.reviewed`)."""

    async def campaign(self, campaign_id: str) -> Campaign | None:
        """One campaign; None where there is none of that id."""

    async def campaigns(self, limit: int, *, closed_too: bool) -> Sequence[Campaign]:
        """Campaigns, the newest first."""

    async def consents(self) -> Sequence[Consent]:
        """The last answer on each right, in each domain."""

    async def narrowed(self) -> Sequence[Narrowed]:
        """What reviews have taken away, whether or not the policy still has that right."""

    async def note(self, consents: Sequence[Consent]) -> None:
        """Notes what is known of rights that no review has answered yet; what is known already stays."""

    async def forget_people(self, gone: Sequence[tuple[str, str]]) -> None:
        """Forgets the answers about people (`TEAM/USER`, domain) who may not ask any more."""

    async def uses(self, domains: Sequence[str], since: datetime) -> Sequence[Use]:
        """Openings of access in these domains since then, the oldest first; at most 10,000."""

    async def entries(self) -> Sequence[LogRow]:
        """The log's entries about all campaigns, oldest first."""

    async def urgent_domains(self) -> frozenset[str]:
        """Domains with an emergency that is pending or open."""

    async def last_message(self, person: Person) -> datetime | None:
        """When the last governance message to somebody was queued; None: never."""
