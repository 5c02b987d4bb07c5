"""Which yes must be signed with a passkey, and whether the key of a vote still counts.

A signature is demanded where the runbook demanded it at the filing, demands it now, or demands it in an earlier set that still
binds: the strictest value of all. A signed yes counts as long as its key is in the set by which it is counted, so a key that is
removed stops counting at once. What takes away is never signed for.
Source: signed-decisions.md, "Policy".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.authority.key_changes import stands_in_all
from bot.domain.case.ask import AskKind, Vote
from bot.domain.case.model import Case
from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature

SIGNED_KINDS: frozenset[AskKind] = frozenset({"approval", "extension", "renewal", "ratification", "restore", "right"})
_STRICT: tuple[Signature, ...] = ("none", "required", "device_bound")


def demanded(case: Case, kind: AskKind, policy: Policy, older: Sequence[Policy] = ()) -> Signature:
    """What a yes to an ask of this kind must be signed with."""
    if kind not in SIGNED_KINDS:
        return "none"
    runbooks = (was.runbooks.get(case.request.runbook) for was in (policy, *older))
    words = (case.request.terms.signature, *(runbook.signature for runbook in runbooks if runbook is not None))
    return max(words, key=_STRICT.index)


def keys_of(policy: Policy, person: Person) -> Iterator[Passkey]:
    """The passkeys of a human, under any of their accounts."""
    return (key for named in policy.people if policy.humans.same(named.person, person) for key in named.passkeys)


def holder(policy: Policy, credential: str) -> tuple[NamedPerson, Passkey] | None:
    """Whose a credential is; None where the policy does not name it."""
    found = ((named, key) for named in policy.people for key in named.passkeys if key.id == credential)
    return next(found, None)


def may_sign(policy: Policy, person: Person, demand: Signature, older: Sequence[Policy] = ()) -> bool:
    """Whether a human holds a key that counts for this demand; everybody does where nothing is demanded."""
    return demand == "none" or bool(counting_key(policy, person, demand, older))


def counting_key(policy: Policy, person: Person, demand: Signature, older: Sequence[Policy] = ()) -> str:
    """The credential of the first key with which a human could sign; "" where none counts, and where none is demanded. A key counts
    if each of the `older` sets, which still bind what is asked for, names it too."""
    signing = policy.signing
    if signing is None or demand == "none":
        return ""
    mine = (key for key in keys_of(policy, person) if key.counts_for(demand, signing.rp_id))
    return next((key.id for key in mine if stands_in_all(older, person, key)), "")


def vote_counts(case: Case, kind: AskKind, policy: Policy, vote: Vote, *, earlier: bool = False) -> bool:
    """Whether a yes is signed as this set demands it. `earlier`: one that was replaced and still binds; it knows nothing of keys where it
    is from before the first set with keys."""
    if earlier and policy.signing is None:
        return True
    demand = demanded(case, kind, policy)
    if not vote.credential:
        return demand == "none"
    key = next((key for key in keys_of(policy, vote.person) if key.id == vote.credential), None)
    known = key is not None and policy.signing is not None and key.rp in policy.signing.rp_ids
    return known and not (demand == "device_bound" and key is not None and key.synced)
