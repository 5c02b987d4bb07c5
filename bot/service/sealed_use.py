"""Carries out what `/countersign sealed-use` recorded: looks the recorder up, judges, and hands over the act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime

from bot.domain.authority.authorization import named_for
from bot.domain.case.transition import Transition
from bot.domain.errors import LookupFailed
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import notifications, sealed_use
from bot.ports.commands import RecordSealedUse
from bot.ports.directory import Directory

ACCOUNT_AGE = 5.0  # seconds, as for a decision


def use_of(act: RecordSealedUse) -> sealed_use.Use:
    """The act as the domain takes it."""
    used_at = datetime.fromtimestamp(act.used_at, UTC)
    return sealed_use.Use(act.id, act.person, act.domain, used_at, act.used_by or act.person, act.what, act.reference)


async def recorded(
    directory: Directory, policy: Policy, act: RecordSealedUse, presence: Callable[[], Awaitable[Presence]], now: Callable[[], datetime],
    scale: float,
) -> Transition:  # fmt: skip
    """The act to commit. A failed look-up permits nothing: the person is asked to send it again."""
    where = asdict(act.reply)
    try:
        profile = await directory.profile(act.person, ACCOUNT_AGE)
    except LookupFailed:
        return Transition(None, None, says=(notifications.answer(None, act.person, where, "again"),))
    return sealed_use.record(policy, use_of(act), profile, await presence(), now(), scale, where)


def domains_of(policy: Policy, person: Person) -> dict[str, str]:
    """The domains for which somebody may record, id to name."""
    return {d.id: d.name for d in policy.domains.values() if person in named_for(policy, d)}
