"""Which passkeys count now, and what an endorsement of a change of the keys changes.

A key counts if the set in force names it, and every earlier set that still binds what was asked for. A set whose keys were
changed without an endorsement binds for `unendorsed_delay` instead of `policy_delay` (`policy_rollout`), so that a key which
somebody merged gives nothing meanwhile; a removed key stops counting at once. Sets without `signing` name no keys and are
not asked. Source: signed-decisions.md, "Changes of the keys".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.authority.key_changes import passkeys_of, stands
from bot.domain.authority.policy_rollout import Sets
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature


def counting_passkeys(sets: Sets, person: Person, signature: Signature, asked_at: datetime) -> tuple[Passkey, ...]:
    """The passkeys with which a human may sign now, under a runbook with this `signature`, what was asked for at `asked_at`."""
    current = sets.current
    if current.signing is None:
        return ()
    rp_id, older = current.signing.rp_id, sets.also_binding(asked_at)
    return tuple(
        key
        for key in passkeys_of(current, person)
        if key.counts_for(signature, rp_id) and stands_in_all(older, person, key)
    )


def stands_in_all(sets: Iterable[Policy], person: Person, key: Passkey) -> bool:
    """Whether every one of these sets that has keys at all names this very key for the human."""
    return all(was.signing is None or stands(was, person, key) for was in sets)
