"""Which passkeys count now, and what an endorsement of a change of the keys changes.

A key counts if the set in force names it, and every earlier set that still binds what was asked for. A set whose keys were
changed without an endorsement binds for `unendorsed_delay` instead of `policy_delay` (`policy_rollout`), so that a key which
somebody merged gives nothing meanwhile; a removed key stops counting at once. Sets without `signing` name no keys and are
not asked. Source: signed-decisions.md, "Changes of the keys".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal, TypeAlias

from bot.domain.authority.key_changes import KeyChange, covered, endorsable, key_change, passkeys_of, stands_in_all
from bot.domain.authority.policy_rollout import InForce, Sets
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature

_PREFIX = "keys:"
Outcome: TypeAlias = Literal["waits", "endorsed", "taken_back", "counts", "over"]


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


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A change from one digest to the next was endorsed for a domain."""

    old: str
    new: str
    domain: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """Who endorsed a change, when and for which domains, as the log says; a person whose data is erased has the user `-`."""

    by: Person
    at: datetime
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Became:
    """What has become of a change: it waits for an endorsement, is endorsed for every domain, was taken back by another set, counts
    without one because `until` is over, or is over (known to no set that binds any more: then without `what`). `since`: when the
    new set was loaded."""

    outcome: Outcome
    what: KeyChange | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """A change of the keys that nobody has endorsed for every domain: it counts for what is asked for after `until`.

    `binding` are the sets that bound when it was loaded, `done` the domains that are endorsed.
    """

    old: Policy
    new: Policy
    what: KeyChange
    until: datetime
    binding: tuple[Policy, ...]
    done: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Names it in links and messages."""
        return key_change_id(self.old.digest, self.new.digest)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The domains for which nobody has endorsed it."""
        return tuple(domain for domain in self.what.domains if domain not in self.done)

    def for_domains(self, person: Person) -> frozenset[str]:
        """The domains for which this person may endorse it, and nobody has."""
        return endorsable(self.what, self.old, person) & set(self.lacking)


def key_change_id(old: str, new: str) -> str:
    """The id of a change from one digest to the next."""
    return f"{_PREFIX}{old}:{new}"


def is_key_change(id_: str | None) -> bool:
    """Whether an id is of a change of the keys."""
    return id_ is not None and id_.startswith(_PREFIX)


def digests_of(id_: str) -> tuple[str, str]:
    """The digests from and to of a change's id."""
    old, _, new = id_.removeprefix(_PREFIX).partition(":")
    return old, new


def became(sets: Sets, endorsed: Collection[Endorsement], id_: str, now: datetime) -> Became:
    """What has become of a change; of one that was made, taken back and made again, of the last time."""
    pairs = [(a, b) for a, b in pairwise(sets.sets) if key_change_id(a.policy.digest, b.policy.digest) == id_]
    what = key_change(pairs[-1][0].policy, pairs[-1][1].policy) if pairs else None
    if what is None:
        return Became("over")
    was, following = pairs[-1]
    outcome: Outcome = "counts"
    if covered(what, {one.domain for one in _of(endorsed, was, following)}):
        outcome = "endorsed"
    elif not _stands_yet(what, was.policy, sets.current):
        outcome = "taken_back"
    elif was.until is not None and now < was.until:
        outcome = "waits"
    return Became(outcome, what, following.since, was.until)


def _stands_yet(what: KeyChange, old: Policy, current: Policy) -> bool:
    """Whether the set in force still has anything of what a change gave."""
    still = key_change(old, current)
    return still is not None and not set(still.sentences).isdisjoint(what.sentences)


def waiting_changes(sets: Sets, endorsed: Collection[Endorsement], now: datetime) -> tuple[WaitingChange, ...]:
    """The changes of the keys that wait for an endorsement, oldest first."""
    found: list[WaitingChange] = []
    for n, (was, following) in enumerate(pairwise(sets.sets)):
        what = key_change(was.policy, following.policy)
        if what is None or was.until is None or now >= was.until:
            continue
        binding = Sets((*sets.sets[: n + 1], following)).also_binding(following.since)
        done = frozenset(one.domain for one in _of(endorsed, was, following))
        if not covered(what, done):
            found.append(WaitingChange(was.policy, following.policy, what, was.until, binding, done))
    return tuple(found)


def with_endorsements(sets: Sets, endorsed: Collection[Endorsement], scale: float) -> Sets:
    """The same sets, with every change that is endorsed for all of its domains waiting for `policy_delay` only."""
    for was, following in pairwise(sets.sets):
        what, given = key_change(was.policy, following.policy), _of(endorsed, was, following)
        if what is not None and given and covered(what, {one.domain for one in given}):
            sets = sets.endorsed(was.policy.digest, following.policy.digest, max(one.at for one in given), scale)
    return sets


def _of(endorsed: Collection[Endorsement], was: InForce, following: InForce) -> tuple[Endorsement, ...]:
    """The endorsements of this change; those of the same change made earlier, and taken back, are not of it."""
    pair = (was.policy.digest, following.policy.digest)
    return tuple(one for one in endorsed if (one.old, one.new) == pair and one.at >= following.since)
