"""What the inside asks of Slack about people, messages and channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.policy.people import Person, Profile


class Directory(Protocol):
    """Who somebody is, as Slack says."""

    async def profile(self, person: Person, max_age: float) -> Profile:
        """At most `max_age` seconds old. Raises LookupFailed: never guess a yes from it."""

    def last_known(self, person: Person) -> Profile | None:
        """The last profile that was looked up, of any age; None where there is none. Never asks, never gives a yes."""

    async def quiet_until(self, person: Person, max_age: float) -> datetime | None:
        """Until when their notifications are paused now; None: they ring. Raises LookupFailed."""

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message. Raises LookupFailed."""

    async def members(self, channel: str) -> Sequence[str]:
        """User ids of everybody in a channel. Raises LookupFailed."""
