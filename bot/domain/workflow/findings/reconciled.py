"""A reconciliation that is recorded: its entry, a finding for each access without a grant, and word to who does not use theirs.

The list is one of the moment `as_of`. A grant that opened while it was read, and one that ended meanwhile, is no difference.
- Each access without a grant is a finding of the domain of its runbook, put to the owner by the built-in ladder over a day,
  which pages nobody; the same again joins the one that is not closed.
- The requester of each grant without access is notified.
- The whole is one transaction. Source: governance-contract.md, section 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.case.ask import Ask
from bot.domain.case.lifecycle import FindingState
from bot.domain.case.model import NOBODY, Case, Finding, Request, Terms
from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.decision_log import finding_events
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.policy.same_text import folded
from bot.domain.timing.steps import afterwards
from bot.domain.workflow.filing_form import TARGET_MAX
from bot.domain.workflow.findings.comparison import Access, Differences
from bot.domain.workflow.findings.filing import NEVER
from bot.domain.workflow.wake import wake_at

WINDOW, TITLE = 86_400, "Access without a grant"  # seconds of policy time


@dataclass(frozen=True, slots=True)
class AccessList:
    """What was handed in: the SHA-256 of the file's bytes, where it comes from, the moment it shows, and its lines."""

    sha256: str
    source: str
    as_of: datetime
    accesses: tuple[Access, ...]


def recorded(
    policy: Policy, listed: AccessList, differ: Differences, known: Mapping[str, Case], new_id: Callable[[], str],
    now: datetime, scale: float,
) -> Transition:  # fmt: skip
    """The act to commit. `known`: findings that are not closed, by what they are about (`about`)."""
    opened: dict[str, Transition] = {}
    joined: dict[str, Case] = {}
    for access in differ.access_without_grant:
        place = about(access)
        if place in known:
            joined[place] = known[place]
        elif place not in opened:
            opened[place] = _opened(policy, listed, access, new_id(), now, scale)
    cases = {place: act.after for place, act in opened.items() if act.after is not None}
    differences = {
        "findings": [case.id for case in cases.values()],
        "joined": [case.id for case in joined.values()],
        "unused_grants": [case.id for case in differ.grant_without_access],
    }
    counts = {
        "lines": len(listed.accesses), "access_without_grant": len(differ.access_without_grant),
        "grant_without_access": len(differ.grant_without_access),
    }  # fmt: skip
    entry = finding_events.reconciled(
        policy, listed.sha256, listed.source, listed.as_of, counts, _by_domain(policy, listed, differ), differences
    )
    also = (*opened.values(), *(_joined(case, policy, listed.source, now) for case in joined.values()))
    return Transition(None, None, (entry,), _told(listed, differ.grant_without_access), also=also)


def where(access: Access) -> str:
    """What a finding is about, as people read it."""
    return f"{access.target} ({access.person.user}, {access.runbook})"[:TARGET_MAX]


def about(access: Access) -> str:
    """The form of it in which repeats are compared."""
    return folded(where(access))


def _opened(policy: Policy, listed: AccessList, access: Access, id_: str, now: datetime, scale: float) -> Transition:
    """A new finding; the running bot's sweeper puts it to the owner."""
    runbook, terms = policy.runbooks[access.runbook], Terms(scale=scale)
    ends_at = now + terms.real(WINDOW)
    person = access.person if access.person.team else Person(policy.workspaces[0], access.person.user)
    what = (
        f"{listed.source} shows this access as of {listed.as_of:%Y-%m-%d %H:%M} UTC (line {access.line}), and no approval "
        f"under “{runbook.title}” covers it."
    )
    request = Request(
        id=id_, kind="finding", right="approval", runbook=runbook.id, runbook_sha256=runbook.sha256,
        policy_sha256=policy.digest, title=TITLE, domain=runbook.domain, provider="", requester=NOBODY, target=where(access),
        reason=what, fields=(), seconds=0, filed_at=now, expires_at=ends_at, state=FindingState.OPEN, subject=person,
        terms=terms,
    )  # fmt: skip
    ask = Ask("finding", 1, 1, (), now, NEVER, steps=afterwards(now, terms.real(WINDOW)), warn_at=ends_at)
    case = Case(request, (ask,), finding=Finding(min(listed.as_of, now), source=listed.source))
    return Transition(None, case, (finding_events.filed(case, policy),), wake_at=now)


def _joined(case: Case, policy: Policy, source: str, now: datetime) -> Transition:
    after = replace(case)
    return Transition(
        case, after, (finding_events.found_again(case, policy, source),), wake_at=wake_at(case, policy, now), refresh=True
    )


def _by_domain(policy: Policy, listed: AccessList, differ: Differences) -> dict[str, dict[str, int]]:
    """The counts of each domain that the list covers: one that a line is of."""
    lines = Counter(policy.runbooks[a.runbook].domain for a in listed.accesses)
    unknown = Counter(policy.runbooks[a.runbook].domain for a in differ.access_without_grant)
    unused = Counter(case.request.domain for case in differ.grant_without_access)
    return {
        domain: {
            "lines": lines[domain],
            "access_without_grant": unknown[domain],
            "grant_without_access": unused[domain],
        }
        for domain in sorted({*lines, *unused})
    }


def _told(listed: AccessList, unused: Sequence[Case]) -> tuple[Notification, ...]:
    data = {"source": listed.source, "as_of": f"{listed.as_of:%Y-%m-%d %H:%M} UTC"}
    return tuple(Notification("no_access", Lane.CARD, c.id, to=c.request.requester, data=data) for c in unused)
