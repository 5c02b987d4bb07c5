"""The log entries of findings and reconciliations. Free text is stored as digests. Source: governance-contract.md, 3 and 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.case.ask import Reached, Vote
from bot.domain.case.model import NOBODY, Case
from bot.domain.case.transition import CLOCK, OPERATOR, FileDigest, LogEvent, Private, Value
from bot.domain.decision_log.entry import stamp
from bot.domain.decision_log.events import actor, answered, of_case
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


def filed(case: Case, policy: Policy) -> LogEvent:
    """Disclosed: where (`target`), what (`reason`), the runbook's fields, and of a reconciliation whose access it is (`subject`)."""
    request, finding = case.request, case.finding
    assert finding is not None
    data: dict[str, Value] = {
        "domain": request.domain, "provider": request.provider, "noticed_at": stamp(finding.noticed_at), "late": case.late,
        "ladder_ends_at": stamp(request.expires_at),
    }  # fmt: skip
    if finding.within is not None:
        data["due_within"] = finding.within
    if finding.source:
        data["source"] = finding.source
    writer = request.requester if request.requester != NOBODY else request.subject or NOBODY
    private = [Private("target", request.target, writer), Private("reason", request.reason, writer)]
    private += [Private(f"field.{f.name}", f.value, writer) for f in request.fields]
    if request.subject is not None:
        data["subject"] = request.subject
        private.append(Private("subject", str(request.subject), request.subject))
    who = OPERATOR if request.requester == NOBODY else actor(policy, request.requester)
    return of_case("finding.filed", who, request, policy, data, private=tuple(private))


def joined(case: Case, policy: Policy, person: Person, repeat: str, what: str, noticed_at: datetime) -> LogEvent:
    """The same was reported again while it is open. `repeat` is the id that the form promised."""
    data: dict[str, Value] = {"repeat": repeat, "noticed_at": stamp(noticed_at)}
    return of_case(
        "finding.joined", actor(policy, person), case.request, policy, data, private=(Private("reason", what, person),)
    )


def found_again(case: Case, policy: Policy, source: str) -> LogEvent:
    """A reconciliation met what an open finding is about already."""
    return of_case("finding.joined", OPERATOR, case.request, policy, {"source": source})


def acknowledged(case: Case, policy: Policy, vote: Vote) -> LogEvent:
    return answered(case, policy, "finding.acknowledged", vote)


def risk_owner_asked(case: Case, policy: Policy, reached: Reached) -> LogEvent:
    """The ladder has ended, and it does not name the risk owner: they are asked all the same."""
    data: dict[str, Value] = {"step": reached.step, "role": reached.role, "to": (reached.person,), "action": "ladder_end"}
    return of_case("step.fired", CLOCK, case.request, policy, data)


def shared(case: Case, policy: Policy, person: Person) -> LogEvent:
    """The owner shows a finding of the organisation's people to the provider's leads."""
    return of_case("finding.shared", actor(policy, person), case.request, policy, {})


def corrected(case: Case, policy: Policy, person: Person) -> LogEvent:
    """When it was noticed, as stated now."""
    assert case.finding is not None
    data: dict[str, Value] = {"noticed_at": stamp(case.finding.noticed_at), "late": case.late}
    return of_case("finding.corrected", actor(policy, person), case.request, policy, data)


def closed(case: Case, policy: Policy, person: Person, done: str) -> LogEvent:
    """`done` is what was done; the outcome of a reconciliation's finding is a separate field."""
    assert case.finding is not None
    data: dict[str, Value] = {"outcome": case.finding.outcome} if case.finding.outcome else {}
    private = (Private("done", done, person),) if done else ()
    return of_case("finding.closed", actor(policy, person), case.request, policy, data, private=private)


def reconciled(
    policy: Policy, sha256: str, source: str, as_of: datetime, counts: Mapping[str, int],
    domains: Mapping[str, Mapping[str, int]], differences: Mapping[str, Sequence[str]],
) -> LogEvent:  # fmt: skip
    """A list of who has access was compared with the grants. `counts` of all of it, `domains` of each domain that it covers;
    `differences`: the ids of the findings opened and joined, and of the grants without access."""
    data: dict[str, Value] = {
        "file": {"sha256": sha256}, "source": source, "as_of": stamp(as_of), **counts,
        "domains": {name: dict(found) for name, found in domains.items()},
        **{name: tuple(ids) for name, ids in differences.items()},
    }  # fmt: skip
    return LogEvent("reconciliation.recorded", OPERATOR, None, data, policy=FileDigest(policy.organisation, policy.digest))
