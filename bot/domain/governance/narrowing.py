"""What a review took away, as it counts when something is filed. An emergency is never refused for it, only asked first.

| item | narrowed | withdrawn | narrowed by a silence |
|---|---|---|---|
| autonomous right | needs approval | refused | needs approval |
| break-glass right | `immediate` | `immediate` | quota one per provider and domain, the risk owner is paged with it |
| exception | no renewal | ends in 14 days | no renewal |
| person | neither autonomous nor break-glass | cannot ask in these domains | as narrowed |

A silence hangs on the content of the row, so that another comment or hint in the file lifts nothing; an answer holds until the
file's bytes change. A person's hangs on nothing but their name: it ends once they may not ask at all any more.
Source: governance-contract.md, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.policy.governance import Narrowed
from bot.domain.policy.model import BreakGlass, EscalationPolicy, Limit, Policy, PolicyStep, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.row import row_of

LADDER = EscalationPolicy(
    "review-narrowed", 4 * 3600,
    (
        PolicyStep(0, "notify", "owner"), PolicyStep(900, "notify", "deputies"), PolicyStep(1800, "remind", "owner"),
        PolicyStep(3600, "notify", "risk_owner"),
    ),
)  # fmt: skip
_NOBODY = Person("", "")
QUOTA_WINDOW = 30 * 86_400  # seconds of policy time, where the runbook sets no quota of its own


def holds(one: Narrowed, runbook: Runbook) -> bool:
    """Whether a narrowing of this runbook's right still matches the file's content."""
    return one.sha256 == runbook.sha256 if one.own else one.row == row_of(runbook)


def of_right(policy: Policy, runbook: Runbook) -> Narrowed | None:
    """What a review took away from an autonomous or a break-glass right."""
    kind = "autonomous" if runbook.right == "autonomous" else "break_glass"
    found = (n for n in policy.standing.narrowed if n.kind == kind and n.of == runbook.id and holds(n, runbook))
    return next(found, None)


def of_person(policy: Policy, domain: str, person: Person) -> Narrowed | None:
    """What a review took away from somebody who may ask, in one domain; by any of their accounts."""
    users = policy.humans.accounts(person)
    found = (n for n in policy.standing.narrowed if n.kind == "person" and n.domain == domain)
    return next((n for n in found if n.of.rpartition("/")[2] in users), None)


def of_exception(policy: Policy, case_id: str) -> Narrowed | None:
    """What a review took away from a live exception."""
    return next((n for n in policy.standing.narrowed if n.kind == "exception" and n.of == case_id), None)


def overdue(policy: Policy, runbook: Runbook) -> Narrowed | None:
    """The silence under which this break-glass still opens, with a quota of one and the risk owner paged; None: no such."""
    found = of_right(policy, runbook) if runbook.break_glass is not None else None
    return found if found is not None and not found.own else None


def withdrawn(policy: Policy, runbook: Runbook, person: Person) -> str | None:
    """Why nothing is possible for this person under this runbook any more; None if it is."""
    found = of_right(policy, runbook) if runbook.right == "autonomous" else None
    if found is not None and found.effect == "withdraw":
        return "This right was withdrawn in a review. Nothing is possible under it until its runbook changes."
    theirs = of_person(policy, runbook.domain, person)
    if theirs is not None and theirs.effect == "withdraw":
        return f"You cannot ask in this domain any more: its owner withdrew that in a review. Write to {policy.contact}."
    return None


def narrowed(policy: Policy, runbook: Runbook, person: Person) -> Runbook:
    """The runbook as it counts when this person files under it; this very runbook where nothing was taken away."""
    right, theirs = of_right(policy, runbook), of_person(policy, runbook.domain, person)
    if right is None and theirs is None:
        return runbook
    if runbook.right == "autonomous":
        return replace(runbook, right="approval", escalation=_ladder(policy, runbook))
    if runbook.break_glass is None:
        return runbook
    if theirs is not None or (right is not None and right.own):
        return replace(runbook, break_glass=None, escalation=_ladder(policy, runbook))
    return replace(runbook, break_glass=_one_at_a_time(runbook.break_glass, right))


def as_reviewed(policy: Policy, runbook: Runbook) -> Policy:
    """The policy as it counts under this runbook for somebody whom no review narrowed."""
    return _with(policy, narrowed(policy, runbook, _NOBODY))


def pending(policy: Policy, counted: Policy, by_runbook: Mapping[str, int], person: Person) -> tuple[int, int]:
    """How many requests of somebody are pending, and how many of them only wait because their right was narrowed, disputed or
    held. `policy`: the set in force; `counted`: the same as it counts for a new request."""
    waits = sum(number for id_, number in by_runbook.items() if _waits(policy, counted, id_, person))
    return sum(by_runbook.values()), waits


def _waits(policy: Policy, counted: Policy, runbook_id: str, person: Person) -> bool:
    """Whether a runbook opens at once by its file, but not, or not as often, as it counts now."""
    written, now = policy.runbooks.get(runbook_id), counted.runbooks.get(runbook_id)
    if written is None or now is None or (written.right != "autonomous" and written.break_glass is None):
        return False
    counts = narrowed(counted, now, person)
    return (counts.right, counts.break_glass) != (written.right, written.break_glass)


def in_words(one: Narrowed) -> str:
    """What a review took away from a right, as one line."""
    how = (
        "nobody answered its review"
        if not one.own
        else "withdrawn in a review"
        if one.effect == "withdraw"
        else "narrowed in a review"
    )
    if one.kind == "autonomous":
        now = "nothing is possible until its runbook changes" if one.effect == "withdraw" else "each use needs a yes first"
    elif one.own:
        now = "it asks everybody at once and opens only after a yes"
    else:
        now = "it opens once per provider and pages the risk owner"
    return f"Since {one.since:%Y-%m-%d} ({how}): {now}."


def asking(policy: Policy, runbook_id: str, person: Person) -> Policy:
    """The policy as it counts for this filing."""
    runbook = policy.runbooks.get(runbook_id)
    if runbook is None:
        return policy
    counts = narrowed(policy, runbook, person)
    return policy if counts is runbook else _with(policy, counts)


def _with(policy: Policy, counts: Runbook) -> Policy:
    return replace(
        policy, runbooks={**policy.runbooks, counts.id: counts},
        escalation_policies={LADDER.id: LADDER, **policy.escalation_policies},
    )  # fmt: skip


def _one_at_a_time(glass: BreakGlass, silence: Narrowed | None) -> BreakGlass:
    quota = Limit(1, glass.quota.per if glass.quota else QUOTA_WINDOW)
    return replace(glass, quota=quota, overdue_since=silence.since if silence else None)


def _ladder(policy: Policy, runbook: Runbook) -> str:
    domain = policy.domains.get(runbook.domain)
    named = runbook.escalation or (domain.default_escalation if domain else None) or policy.default_escalation
    return named if named is not None and named in policy.escalation_policies else LADDER.id
