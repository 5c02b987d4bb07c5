"""Policy in motion: which sets bind a yes, and what a change gives.

Who loses authority loses it at once. Who gains it, or what becomes easier, counts for requests filed after the old set's
`policy_delay`; until then a yes must be allowed by the old set and the new (design, section 2). So a yes is judged under
the set in force and under every earlier one that the request was filed too early to leave behind, and a request filed
meanwhile is filed under the stricter word of each (`strictest`): no runbook opens more easily before its change counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person

_STRENGTH = {"approval": 2, "immediate": 1, "autonomous": 0}


@dataclass(frozen=True, slots=True)
class InForce:
    """A set and when it was accepted."""

    policy: Policy
    since: datetime


@dataclass(frozen=True, slots=True)
class Sets:
    """Accepted sets, oldest first; the last one is in force. There is always one."""

    sets: tuple[InForce, ...]

    @property
    def current(self) -> Policy:
        return self.sets[-1].policy

    def then(self, policy: Policy, at: datetime) -> Sets:
        """With one more set in force from `at` on."""
        return Sets((*self.sets, InForce(policy, at)))

    def with_current(self, policy: Policy) -> Sets:
        """With the same set in force, its feeds read anew."""
        return Sets((*self.sets[:-1], InForce(policy, self.sets[-1].since)))

    def also_binding(self, filed_at: datetime, scale: float) -> tuple[Policy, ...]:
        """The earlier sets under which a yes on a request of `filed_at` must be allowed too."""
        pairs = zip(self.sets, self.sets[1:], strict=False)
        return tuple(
            old.policy for old, new in pairs if filed_at < new.since + timedelta(seconds=old.policy.policy_delay / scale)
        )


@dataclass(frozen=True, slots=True)
class Gain:
    """What a change gives in one domain: `people` gain authority, `easier` are runbooks whose rule became weaker."""

    domain: Domain
    people: tuple[Person, ...]
    easier: tuple[Runbook, ...]
    hears: tuple[Person, ...]


def gains(old: Policy, new: Policy) -> Iterator[Gain]:
    """What `new` gives that `old` did not, by domain; nothing for a change that only takes away."""
    for domain in new.domains.values():
        before = old.domains.get(domain.id)
        had = named_for(old, before) if before else ()
        has = named_for(new, domain)
        people = tuple(p for p in has if p not in had) + tuple(_raised(before, domain))
        easier = tuple(r for r in new.runbooks.values() if r.domain == domain.id and _easier(old.runbooks.get(r.id), r))
        if people or easier:
            yield Gain(domain, tuple(dict.fromkeys(people)), easier, tuple(dict.fromkeys((*had, *has))))


def _raised(before: Domain | None, after: Domain) -> Iterator[Person]:
    """Who was named already and now stands higher."""
    if before is not None and before.owner != after.owner:
        yield after.owner
    if before is not None and after.risk_owner is not None and before.risk_owner != after.risk_owner:
        yield after.risk_owner


def _easier(old: Runbook | None, new: Runbook) -> bool:
    """Whether more may be had, or fewer people have to say yes."""
    if old is None:
        return True
    return (
        new.approvals < old.approvals
        or not set(old.requires) <= set(new.requires)
        or _STRENGTH[new.right] < _STRENGTH[old.right]
        or not set(new.providers) <= set(old.providers)
        or new.max_duration > old.max_duration
        or (bool(old.targets) and not (new.targets and set(new.targets) <= set(old.targets)))
        or (new.break_glass is not None and old.break_glass is None)
        or not set(old.subject_verification) <= set(new.subject_verification)
        or not set(old.evidence) <= set(new.evidence)
        or (new.not_before or 0) < (old.not_before or 0)
        or _looser(old, new)
    )


def _looser(old: Runbook, new: Runbook) -> bool:
    """Whether a limit allows more, or a right is reviewed more rarely."""
    review = old.review_every is not None and (new.review_every is None or new.review_every > old.review_every)
    return _looser_limit(old, new) or (review and new.right == "autonomous")


def _looser_limit(old: Runbook, new: Runbook) -> bool:
    limit = old.limit
    return limit is not None and (new.limit is None or new.limit.count > limit.count or new.limit.per < limit.per)


def strictest(policy: Policy, older: Sequence[Policy]) -> Policy:
    """A set as it counts for requests filed while `older` sets bind too: each runbook in the stricter word of all."""
    if not older:
        return policy
    runbooks = dict(policy.runbooks)
    for old in older:
        runbooks |= {r.id: _stricter(old.runbooks.get(r.id), r) for r in runbooks.values()}
    ladders = {id_: ladder for old in older for id_, ladder in old.escalation_policies.items()}
    return replace(policy, runbooks=runbooks, escalation_policies={**ladders, **policy.escalation_policies})


def _stricter(old: Runbook | None, new: Runbook) -> Runbook:
    """What both files allow; of a new file nothing that opens without a yes."""
    if old is None:
        return replace(new, break_glass=None, providers=() if new.right == "autonomous" else new.providers)
    if not _easier(old, new):
        return new
    requires = tuple(dict.fromkeys((*new.requires, *old.requires)))
    longest = min(new.max_duration, old.max_duration)
    common = tuple(t for t in new.targets if t in old.targets) if new.targets else old.targets
    asked_by = tuple(p for p in new.providers if p in old.providers)
    return replace(
        new,
        right=max((new.right, old.right), key=lambda right: _STRENGTH[right]),
        requires=requires,
        approvals=max(new.approvals, old.approvals, len(requires) + 1 if requires else 1),
        escalation=new.escalation or old.escalation,
        providers=asked_by if common or not old.targets else (),
        targets=common if old.targets else new.targets,
        max_duration=longest,
        default_duration=min(new.default_duration, longest),
        break_glass=new.break_glass if old.break_glass else None,
        subject_verification=tuple(dict.fromkeys((*new.subject_verification, *old.subject_verification))),
        evidence=tuple(dict.fromkeys((*new.evidence, *old.evidence))),
        not_before=max(new.not_before or 0, old.not_before or 0) or None,
        limit=old.limit if _looser_limit(old, new) else new.limit,
    )
