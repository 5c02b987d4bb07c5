"""What reviews have taken away, read from the bot's database."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cli.host_store import opened_store
from bot.domain.policy.governance import Narrowed


async def read_narrowed() -> Sequence[Narrowed]:
    """Every narrowing, whether or not the policy still says that right."""
    async with opened_store(read_only=True) as store:
        return await store.reviews.narrowed()
