"""Since when each passkey counts, from the sets that the bot accepted.

A key counts from the acceptance of the first set that names it; where an earlier set with keys did not name it, from the moment that
this set no longer binds (`policy_delay` where the change was endorsed, else `unendorsed_delay`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.authority.key_changes import stands
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey
from bot.ports.records import StoredPolicy
from bot.ports.store import Store

Accepted = tuple[StoredPolicy, Policy]


async def accepted(store: Store) -> tuple[Accepted, ...]:
    """Every set that the bot accepted and this release reads, the newest first."""
    from runbooks.loader import load_files

    found: list[Accepted] = []
    for digest in await store.policies.beginning(""):
        stored = await store.policies.by_digest(digest)
        policy = load_files({file.path: file.content for file in stored.files}).policy if stored is not None else None
        if stored is not None and policy is not None:
            found.append((stored, policy))
    return tuple(found)


def counts_from(sets: Sequence[Accepted], person: Person, key: Passkey) -> datetime | None:
    """The moment from which it counts; None where the set in force does not name it. `sets` are those of `accepted`."""
    since: datetime | None = None
    for stored, policy in sets:
        if not stands(policy, person, key):
            keyed = policy.signing is not None and since is not None and stored.binds_until is not None
            return max(since, stored.binds_until) if keyed and since and stored.binds_until else since
        since = stored.accepted_at
    return since


def said(moment: datetime | None, now: datetime) -> str:
    """In words."""
    if moment is None:
        return "not in the set that the bot has accepted"
    return f"counts {'since' if moment <= now else 'from'} {moment:%Y-%m-%d %H:%M} UTC"


def as_json(moment: datetime | None) -> Mapping[str, object]:
    """As JSON."""
    return {"counts_from": None if moment is None else moment.isoformat()}
