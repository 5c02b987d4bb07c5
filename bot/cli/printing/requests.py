"""Prints requests: lists, the details of one, and why an action on one is refused.

Typed text is printed without control characters, which a terminal would execute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.cli.printing import drill as print_drill
from bot.domain.case.ask import Vote
from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import NOBODY, Case
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.ports.records import RequestLine

_TARGET = 40  # characters of a target in a list


def when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def safe(text: str) -> str:
    """The text as one line without control characters."""
    return "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))


def name(policy: Policy | None, person: Person) -> str:
    """The policy's name for a person, and their id."""
    known = policy.name_of(person) if policy is not None else person.user
    return str(person) if known == person.user else f"{safe(known)} ({person})"


def table(policy: Policy | None, found: Sequence[RequestLine]) -> list[str]:
    """The requests under a header; nothing where there are none."""
    header = f"{'REQUEST':<10}  {'STATE':<37}  WHAT, TARGET, WHO"
    return [header, *(line(policy, one) for one in found)] if found else []


def _cut(target: str) -> str:
    return target if len(target) <= _TARGET else target[: _TARGET - 1] + "…"


def _state(one: RequestLine) -> str:
    if one.grant == "open" and one.not_after is not None:
        return f"open until {when(one.not_after)}"
    if one.kind == "finding":
        return one.state
    if one.state == "pending":
        return f"pending until {when(one.expires_at)}"
    return "ended" if one.drill else one.grant or one.state


def line(policy: Policy | None, one: RequestLine) -> str:
    """A request in a list, with its target, cut; never its reason or fields."""
    target, state = safe(one.target), _state(one)
    at = f" on {_cut(target)}" if target else ""
    if one.kind == "finding":
        by = f"{one.provider}, reported" if one.provider else "home, reported"
        who = name(policy, one.requester) if one.requester != NOBODY else "a reconciliation"
        return f"{one.id}  {state:<37}  FINDING: {safe(one.title)}; {by} by {who}"
    if one.drill:
        return f"{one.id}  {state:<37}  DRILL: {safe(one.title)}; on the host"
    asked = f"{one.provider}, asked" if one.provider else f"{one.domain}, without approval, recorded"
    return f"{one.id}  {state:<37}  {safe(one.title)}{at}; {asked} by {name(policy, one.requester)}"


HEADS = ("Request", "State", "What", "Target", "Who")
COLOURS = {"pending": "yellow", "open": "green", "denied": "red", "revoked": "red", "expired": "red"}


def cells(policy: Policy | None, one: RequestLine) -> tuple[str, ...]:
    """The same as the cells of a table under HEADS."""
    kind = "FINDING: " if one.kind == "finding" else "DRILL: " if one.drill else ""
    who = "" if one.requester == NOBODY or one.drill else name(policy, one.requester)
    party = one.provider or ("on the host" if one.drill else "home")
    return one.id, _state(one), kind + safe(one.title), _cut(safe(one.target)), f"{who}, {party}".removeprefix(", ")


def listed(one: RequestLine) -> dict[str, object]:
    """The same as JSON-able values."""
    return {
        "id": one.id, "kind": one.kind, "state": one.state, "grant": one.grant, "title": one.title, "domain": one.domain,
        "provider": one.provider, "requester": None if one.drill else str(one.requester), "drill": one.drill, "filed_at": stamp(one.filed_at),
        "expires_at": None if one.kind == "finding" else stamp(one.expires_at), "closed_at": _stamp(one.closed_at), "not_after": _stamp(one.not_after),
    }  # fmt: skip


def whole(policy: Policy | None, case: Case) -> dict[str, object]:
    """Everything of a request, as JSON-able values."""
    request, grant = case.request, case.grant
    if request.drill is not None:
        return print_drill.report(policy, case)
    return {
        "id": case.id, "kind": request.kind, "right": request.right, "state": str(request.state), "title": request.title,
        "runbook": {"id": request.runbook, "sha256": request.runbook_sha256}, "policy": request.policy_sha256,
        "domain": request.domain, "provider": request.provider, "requester": _person(policy, request.requester),
        "subject": None if request.subject is None else _person(policy, request.subject), "target": request.target,
        "reason": request.reason, "fields": {f.name: f.value for f in request.fields}, "seconds": request.seconds,
        "filed_at": stamp(request.filed_at), "expires_at": None if case.finding else stamp(case.approval.expires_at),
        "closed_at": _stamp(request.closed_at), "asked": [_person(policy, p) for p in case.approval.asked],
        "votes": [_vote(policy, v) for v in case.approval.votes],
        "grant": None if grant is None else {
            "state": str(grant.state), "seconds": grant.seconds, "opened_at": stamp(grant.opened_at),
            "not_after": stamp(grant.not_after), "ended_at": _stamp(grant.ended_at),
        },
        **_finding(case),
        "executor": [
            {"call": c.kind, "state": c.state, "asked_at": stamp(c.asked_at), "answered_at": _stamp(c.answered_at)}
            for c in case.calls
        ],
    }  # fmt: skip


def whole_lines(policy: Policy | None, case: Case, now: datetime) -> Iterator[str]:
    """The same for a person to read."""
    request = case.request
    drill = "" if request.drill is None else "DRILL · "
    yield f"{drill}{case.id} · {safe(request.title)} ({request.runbook})"
    yield outcome(policy, case, now)
    if request.drill is not None:
        yield from (f"  {line}" for line in print_drill.progress(policy, case))
        return
    asked = "filed by " if case.finding else "asked by "
    yield f"  {asked} {name(policy, request.requester)}, {request.provider or 'home'}, at {when(request.filed_at)}"
    if case.finding is not None:
        yield f"  noticed   {when(case.finding.noticed_at)}{', reported late' if case.late else ''}"
    if request.subject is not None:
        yield f"  subject   {name(policy, request.subject)}"
    yield f"  target    {safe(request.target)}"
    yield f"  reason    {safe(request.reason)}"
    for field in request.fields:
        yield f"  {safe(field.label)}: {safe(field.value)}"
    if case.finding is None:
        yield f"  time      {request.seconds} s"
    yield f"  asked     {_people(policy, case.approval.asked)}"
    for call in case.calls:
        yield f"  system    to {call.kind}, asked at {when(call.asked_at)}: {call.state}"
    for vote in case.approval.votes:
        yield f"  {vote.answer:<9} {_voter(policy, vote)} as {vote.role}, at {when(vote.at)}"


def _finding(case: Case) -> dict[str, object]:
    """What a finding has beside; nothing of a request."""
    finding = case.finding
    if finding is None:
        return {}
    return {
        "finding": {
            "noticed_at": stamp(finding.noticed_at), "late": case.late, "shared": finding.shared, "source": finding.source or None,
            "outcome": finding.outcome or None,
        }
    }  # fmt: skip


def outcome(policy: Policy | None, case: Case, now: datetime) -> str:
    """The state of a request: what was decided, by whom and when, and the state of its grant."""
    request, ask = case.request, case.approval
    if request.drill is not None:
        return print_drill.standing(case)
    if case.sealed:
        return f"{case.id} is a use of the sealed path, without approval, recorded at {when(request.filed_at)}."
    if case.finding is not None and request.state == "open":
        return f"{case.id} is an open finding: nobody has acknowledged it."
    if ask.state is AskState.OPEN and now < ask.expires_at:
        return f"{case.id} is pending until {when(ask.expires_at)}; {len(ask.votes)} of {ask.need} approvals."
    if ask.state is AskState.OPEN or request.state is RequestState.EXPIRED:
        return _expired(case)
    at = "" if request.closed_at is None else f" at {when(request.closed_at)}"
    return f"{case.id} was {request.state}{_deciders(policy, case)}{at}.{_grant(case, now)}"


def _expired(case: Case) -> str:
    if case.cut_short:
        closed = case.request.closed_at or case.approval.expires_at
        return f"{case.id} expired at {when(closed)}, before its time: {safe(case.cut_short)}"
    return f"{case.id} expired at {when(case.approval.expires_at)}: nobody decided in time."


def _deciders(policy: Policy | None, case: Case) -> str:
    request = case.request
    answer = {"approved": "yes", "denied": "no", "acknowledged": "here"}.get(str(request.state))
    voters = [_voter(policy, v) for v in case.approval.votes if v.answer == answer]
    if voters:
        return " by " + ", ".join(voters)
    if request.closed_by is not None:
        return f" by {name(policy, request.closed_by)}"
    return " on the host" if request.state is RequestState.DENIED else ""


def _grant(case: Case, now: datetime) -> str:
    grant = case.grant
    if grant is None:
        return ""
    ended = when(grant.ended_at or grant.not_after)
    if case.cut_short:
        return f" Its grant ended at {ended}, before its time: {safe(case.cut_short)}"
    if grant.state is GrantState.LAPSED or (grant.state is GrantState.OPEN and now >= grant.not_after):
        return f" Its grant lapsed at {ended}."
    if grant.state is not GrantState.OPEN:
        return f" Its grant was {grant.state} at {ended}."
    return f" Its grant is open until {when(grant.not_after)}."


def _voter(policy: Policy | None, vote: Vote) -> str:
    behalf = (
        "" if vote.on_behalf_of is None or vote.role == "risk_owner" else f" on behalf of {name(policy, vote.on_behalf_of)}"
    )
    return name(policy, vote.person) + behalf


def _vote(policy: Policy | None, vote: Vote) -> dict[str, object]:
    return {
        **_person(policy, vote.person), "answer": vote.answer, "role": vote.role, "at": stamp(vote.at),
        "seconds": vote.seconds, "on_behalf_of": None if vote.on_behalf_of is None else str(vote.on_behalf_of),
    }  # fmt: skip


def _people(policy: Policy | None, people: Sequence[Person]) -> str:
    return ", ".join(name(policy, p) for p in people) or "nobody yet"


def _person(policy: Policy | None, person: Person) -> dict[str, object]:
    return {"id": str(person), "name": person.user if policy is None else policy.name_of(person)}


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
