"""Carries out what `/countersign sealed-use` recorded: looks the recorder up, judges, and hands over the act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime

from bot.acts import Seal
from bot.domain import saying, sealing
from bot.domain.errors import LookupFailed
from bot.domain.escalation import Presence
from bot.domain.people import Person
from bot.domain.policy import Policy
from bot.domain.rights import named_for
from bot.domain.transition import Transition
from bot.ports import Directory

ACCOUNT_AGE = 5.0  # seconds, as for a decision


def use_of(act: Seal) -> sealing.Use:
    """The act as the domain takes it."""
    used_at = datetime.fromtimestamp(act.used_at, UTC)
    return sealing.Use(act.id, act.person, act.domain, used_at, act.used_by or act.person, act.what, act.reference)


async def recorded(
    directory: Directory, policy: Policy, act: Seal, presence: Callable[[], Awaitable[Presence]], now: Callable[[], datetime],
    scale: float,
) -> Transition:  # fmt: skip
    """The act to commit. A look-up that fails is no yes: the recorder is told to send it again."""
    where = asdict(act.reply)
    try:
        profile = await directory.profile(act.person, ACCOUNT_AGE)
    except LookupFailed:
        return Transition(None, None, says=(saying.answer(None, act.person, where, "again"),))
    return sealing.record(policy, use_of(act), profile, await presence(), now(), scale, where)


def domains_of(policy: Policy, person: Person) -> dict[str, str]:
    """The domains for which somebody may record, id to name."""
    return {d.id: d.name for d in policy.domains.values() if person in named_for(policy, d)}
