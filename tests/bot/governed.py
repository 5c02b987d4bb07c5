"""An office in which everything between the decisions runs too: agreements, campaigns, contracts, hand-overs, and days that pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any, Literal

from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.case.campaign import Campaign
from bot.domain.governance import agreement
from bot.domain.governance.agreement import Word
from bot.domain.governance.weekly import COUNTED
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.commands import AnswerMatrix, AnswerReview, ReplyAddress, ReviewAnswer
from tests.bot.office import Office

LOOKS = (
    time(9, 30),
    time(10, 5),
    time(16, 45),
    time(22),
)  # when a day is looked at: before and after 10:00, and in the evening
WEEK = timedelta(days=7)


class GovernedOffice(Office):
    """`sets` are all policies that were in force, by digest."""

    async def begin(self, before: Policy | None) -> None:
        """The first load of the policy after `before`."""
        self.sets = {self.policy.digest: self.policy} | ({} if before is None else {before.digest: before})
        await self.follow(before, self.policy)
        await self.look()

    async def follow(self, old: Policy | None, new: Policy) -> None:
        """A set is accepted and in force for longer than its delay."""
        self.policy, self.sets[new.digest] = new, new
        await self.service.agreements.follow(old, new)
        self.service.agreements.bases = dict(self.sets)
        self.service.current.sets = Sets((InForce(new, self.clock.at),))

    async def restart(self) -> None:
        await super().restart()
        await self.service.agreements.follow(self.policy, self.policy)
        self.service.agreements.bases = dict(self.sets)

    async def look(self) -> None:
        """Every loop once."""
        await self.sweeper.sweep()
        await self.service.reviews.look()
        await self.service.months.look()
        await self.worker.drain()
        await self.deliver()

    async def pass_days(self, days: int) -> None:
        """Days pass, and everything runs."""
        end = self.clock.at + timedelta(days=days)
        for moment in _moments(self.clock.at, end):
            self.clock.at = moment
            await self.look()

    async def campaigns(self, *, closed_too: bool = True) -> list[Campaign]:
        return list(await self.store.reviews.campaigns(100, closed_too=closed_too))

    async def answer(
        self, person: Person, campaign: Campaign, answer: Literal["keep", "narrow", "withdraw"], *keys: str,
        key: str | None = None,
    ) -> None:  # fmt: skip
        chosen = tuple(ReviewAnswer(k, answer, "needed") for k in keys or [i.key for i in campaign.unanswered])
        await self.take_in(AnswerReview(person, campaign.id, chosen, ReplyAddress(person, channel="D0")), key)
        await self.worker.drain()

    async def speak(self, person: Person, word: Word, row: str = "") -> None:
        """An answer on the matrix."""
        mine = agreement.own_rows(self.service.current.policy, person)
        seen = agreement.set_digest([r for r in mine if r.key == row] if row else mine)
        await self.take_in(
            AnswerMatrix(person, word, seen, ReplyAddress(person, channel="D0"), row, "because" if row else "")
        )
        await self.worker.drain()

    def entries(self, *types: str) -> list[dict[str, Any]]:
        return [entry for entry in self.log() if entry["type"] in types]

    def governance_messages(self) -> dict[Person, list[datetime]]:
        """When each person was sent one, without those that they asked for."""
        found: dict[Person, list[datetime]] = {}
        for row in self.shown:
            if row.copy is None and row.say.purpose in COUNTED and row.say.to and not row.say.data.get("wanted"):
                found.setdefault(row.say.to, []).append(row.created_at)
        return {person: sorted(times) for person, times in found.items()}


def _moments(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start.date()
    while day <= end.date():
        for at in LOOKS:
            moment = datetime.combine(day, at, start.tzinfo)
            if start < moment <= end:
                yield moment
        day += timedelta(days=1)
