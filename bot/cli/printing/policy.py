"""Prints policy: the responsibility matrix and a runbook's timeline, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.decision_log.entry import stamp
from bot.domain.governance import wording
from bot.domain.policy.model import ROLES, Domain, Policy, Runbook
from bot.domain.policy.on_call import AHEAD, next_change, on_call
from bot.domain.policy.people import Person
from bot.domain.policy.rota import Rota
from bot.domain.timing.steps import people_of
from bot.domain.workflow.identity_proof import said as verified_by
from bot.domain.workflow.timeline import Moment, Timeline

_RIGHTS = {
    "autonomous": "may execute now; the owner is told",
    "approval": "nothing happens before the yes",
    "immediate": "everybody is asked at once; nothing happens before the yes",
}
_LABEL = {"owner": "owner", "deputies": "deputies", "on_call": "on call now", "risk_owner": "risk owner"}
_WHY = {
    "conflicted": "the request is theirs or about them",
    "nobody": "nobody is named or on duty",
    "passed_by": "the step after it fired already",
    "nobody_left": "nobody is left to remind",
}
_ROLE = {"owner": "owner", "deputies": "deputies", "on_call": "on-call", "risk_owner": "risk owner"}


def matrix(policy: Policy, now: datetime) -> dict[str, object]:
    """Who answers for what, as JSON-able values."""
    return {
        "organisation": policy.organisation,
        "digest": policy.digest,
        "domains": [domain(policy, d, now) for d in policy.domains.values()],
        "runbooks": [runbook(policy, r) for r in policy.runbooks.values()],
        "auditors": [person_json(policy, p) for p in policy.auditors],
    }


def matrix_lines(policy: Policy, now: datetime) -> Iterator[str]:
    """The same for a person to read."""
    yield f"{policy.organisation} · policy {policy.digest[:12]}"
    for found in policy.domains.values():
        yield from domain_lines(policy, found, now)
        yield from (runbook_line(policy, r) for r in policy.runbooks.values() if r.domain == found.id)


def domain_lines(policy: Policy, found: Domain, now: datetime) -> Iterator[str]:
    """A domain's name and its people; whom it lacks has no line."""
    yield ""
    yield f"{found.name} ({found.id})"
    for role in ROLES:
        people, label = people_of(role, policy, found, now), _LABEL[role]
        if found.vacant and role == "owner":
            yield f"  {label:<12} VACANT"
        elif people:
            until = _until(policy, found, now) if role == "on_call" else ""
            yield f"  {label:<12} " + ", ".join(_named(policy, p) for p in people) + until


def runbook_line(policy: Policy, found: Runbook) -> str:
    """A runbook in one line: its right, how many say yes, and who asks."""
    who = ", ".join(policy.providers[p].name for p in found.providers)
    if found.kind == "finding":
        return f"  {found.id}: finding; reported by {who}, and by anybody of home"
    need = "" if found.right == "autonomous" else f", {wording.approvals(found.approvals, found.signature)}"
    return f"  {found.id}: {found.right}{need}; asked by {who}"


def _until(policy: Policy, domain: Domain, now: datetime) -> str:
    """The end of the present shift, in the rota's time zone, and who is next; empty if nothing changes within 14 days."""
    found = _shift(policy, domain, now)
    if found is None:
        return ""
    rota, change = found
    person = on_call(rota, change)
    local = change.astimezone(ZoneInfo(rota.time_zone))
    return f" until {local:%a %Y-%m-%d %H:%M} {rota.time_zone}, then {_named(policy, person) if person else 'nobody'}"


def _shift(policy: Policy, domain: Domain, now: datetime) -> tuple[Rota, datetime] | None:
    """A domain's rota and its next change of shift within 14 days."""
    rota = policy.rotas.get(domain.on_call or "")
    change = next_change(rota, now, now + AHEAD) if rota else None
    return (rota, change) if rota and change else None


def timeline(policy: Policy, runbook: Runbook, told: Timeline) -> dict[str, object]:
    """A timeline as JSON-able values; times are RFC 3339, `after` whole seconds from the filing."""
    return {
        "runbook": runbook.id,
        "right": _right(runbook),
        "filed_at": stamp(told.filed_at),
        "earliest_yes": None if told.earliest_yes is None else stamp(told.earliest_yes),
        "moments": [
            {
                "at": stamp(m.at), "after": round((m.at - told.filed_at).total_seconds()), "what": m.what,
                "role": m.role, "people": [person_json(policy, p) for p in m.people], "why": m.why, "page": m.page,
                "asleep": [str(p) for p in m.asleep],
            }
            for m in told.moments
        ],
    }  # fmt: skip


def timeline_lines(policy: Policy, runbook: Runbook, told: Timeline) -> Iterator[str]:
    """The same for a person to read."""
    domain = policy.domains[runbook.domain]
    yield f"{runbook.title} ({runbook.id}) · {domain.name}"
    if runbook.kind == "finding":
        yield from _finding_lines(policy, runbook, told)
        return
    yield f"{runbook.right}: {_RIGHTS[runbook.right]}"
    if runbook.right == "autonomous":
        return
    needed = wording.approvals(runbook.approvals, runbook.signature)
    needed += f", the {_roles(runbook)} among them" if runbook.requires else ""
    yield f"needs {needed}; filed at {stamp(told.filed_at)}"
    if runbook.subject_verification:
        yield f"before a yes the requester attests: {verified_by(runbook.subject_verification)}"
    if runbook.not_before:
        yield f"whenever the yes comes, nothing opens before {_after(timedelta(seconds=runbook.not_before))}"
    now_on_call = people_of("on_call", policy, domain, told.filed_at)
    if now_on_call:
        yield f"on call: {_named(policy, now_on_call[0])}{_until(policy, domain, told.filed_at)}"
    yield from _moment_lines(policy, told)
    if told.earliest_yes is None:
        yield "too few people are ever asked to approve it: name more, or ask them earlier"
    else:
        yield f"a yes is possible from {_after(told.earliest_yes - told.filed_at)} on"


def _finding_lines(policy: Policy, runbook: Runbook, told: Timeline) -> Iterator[str]:
    """The timeline of a finding: nothing is decided, and it never expires."""
    yield f"finding: asks for no access; filed at {stamp(told.filed_at)}"
    if runbook.due_within:
        yield f"filed later than {_after(timedelta(seconds=runbook.due_within))[1:]} after it was noticed, it is late"
    yield from _moment_lines(policy, told)


def _moment_lines(policy: Policy, told: Timeline) -> Iterator[str]:
    yield from (f"  {_after(m.at - told.filed_at):>8}  {_what(policy, m)}" for m in told.moments)


def _what(policy: Policy, moment: Moment) -> str:
    people = ", ".join(_named(policy, p) + (", asleep" if p in moment.asleep else "") for p in moment.people)
    if moment.what == "expire":
        return "expires: nothing opens"
    if moment.what == "hourly":
        return "from now on risk owner and channel hear it every hour, until somebody acknowledges it"
    role = _ROLE[moment.role or "owner"]
    if moment.what == "skip":
        return f"{role}: skipped, {_WHY.get(moment.why, moment.why.replace('_', ' '))}"
    page = ", by page too" if moment.page else ""
    return f"{'asks' if moment.what == 'ask' else 'reminds'} {people}{page}"


def _after(delta: timedelta) -> str:
    seconds = round(delta.total_seconds())
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{n}{u}" for n, u in ((days, "d"), (hours, "h"), (minutes, "m"), (left, "s")) if n]
    return "+" + "".join(parts) if parts else "+0m"


def _roles(runbook: Runbook) -> str:
    return " and the ".join(_ROLE[r] for r in runbook.requires)


def _right(found: Runbook) -> str | None:
    """None for a finding, which asks for no access."""
    return None if found.kind == "finding" else found.right


def _named(policy: Policy, person: Person) -> str:
    name = policy.name_of(person)
    return name if name == person.user else f"{name} ({person.user})"


def person_json(policy: Policy, person: Person) -> dict[str, str]:
    return {"id": str(person), "name": policy.name_of(person)}


def domain(policy: Policy, found: Domain, now: datetime) -> dict[str, object]:
    there = people_of("on_call", policy, found, now)
    shift = _shift(policy, found, now)
    then = on_call(*shift) if shift else None
    return {
        "id": found.id,
        "name": found.name,
        "owner": person_json(policy, found.owner),
        "deputies": [person_json(policy, p) for p in found.deputies],
        "on_call_now": person_json(policy, there[0]) if there else None,
        "on_call_until": stamp(shift[1]) if shift else None,
        "on_call_next": person_json(policy, then) if then else None,
        "risk_owner": person_json(policy, found.risk_owner) if found.risk_owner else None,
        "channel": found.channel,
    }


def runbook(policy: Policy, found: Runbook) -> dict[str, object]:
    return {
        "id": found.id, "title": found.title, "kind": found.kind, "domain": found.domain,
        "providers": list(found.providers), "right": _right(found), "approvals": found.approvals, "signature": found.signature,
        "requires": list(found.requires), "sha256": found.sha256,
    }  # fmt: skip
