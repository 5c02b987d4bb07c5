"""Posts each month's figures to owners and leads, once, if the policy has `reports: monthly`.

What was posted is remembered by the inbox, which takes each key once and for good. Whoever got a governance message within a week
is asked again later (`bot.domain.governance.weekly`). Source: governance-contract.md, section 6.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any

from bot.clock import Clock
from bot.domain.governance import weekly
from bot.domain.governance.month_posts import MonthPost, due_month, posts
from bot.domain.policy.people import Person
from bot.ports.commands import Command, ReplyAddress, ShowPage
from bot.ports.store import Store
from bot.service.current_policy import CurrentPolicy

TakeIn = Callable[[str, Command, Mapping[str, object]], Awaitable[Any]]


class MonthPosts:
    """`look` again and again; `take_in` writes an act into the inbox, once a key."""

    def __init__(self, store: Store, clock: Clock, scale: float, current: CurrentPolicy, take_in: TakeIn) -> None:
        self._store, self._clock, self._scale = store, clock, scale
        self._current, self._take_in = current, take_in
        self._taken: set[str] = set()

    async def look(self) -> None:
        """Posts what is due. Raises StorageError."""
        policy, now = self._current.policy, self._clock.now()
        due = due_month(now, self._scale)
        if policy.reports != "monthly" or due is None or self._clock.jumped() is not None:
            return
        asked: set[Person] = set()  # their message is not queued yet
        for post in posts(policy, due[1]):
            key = _key(due[0], post)
            if key in self._taken or post.person in asked:
                continue
            last = await self._store.agreement.last_message(post.person)
            if weekly.may_send(last, now, self._scale):
                await self._take_in(key, ShowPage(post.person, "month", post.argument, ReplyAddress(post.person)), {})
                self._taken.add(key)
                asked.add(post.person)


def _key(month: str, post: MonthPost) -> str:
    """Names nobody: the inbox keeps it for good."""
    who = sha256(f"{post.person} {post.argument.partition(' ')[0]}".encode()).hexdigest()[:32]
    return f"month:{month}:{who}"
