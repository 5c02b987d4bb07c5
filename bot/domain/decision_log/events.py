"""The log entries of each act: one function for each entry type. Source: decision-log.md, the table of types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.authority.quorum import Count
from bot.domain.case.ask import OWN, AskKind, Reached, Vote
from bot.domain.case.click import Proof, Refusal
from bot.domain.case.model import Case, Duty, Request
from bot.domain.case.transition import CLOCK, OPERATOR, SYSTEM, Actor, Disclosed, FileDigest, LogEvent, Private, Value
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy, Role
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Fired, Skipped

LATE = timedelta(seconds=1)  # an expiry that is found later has this field


def actor(policy: Policy, person: Person) -> Actor:
    """A person as the log names them: of the organisation, or of the provider they belong to."""
    provider = policy.provider_of(person)
    return Actor("person", person, provider.id if provider else "home")


def filed(case: Case, policy: Policy) -> LogEvent:
    request = case.request
    data: dict[str, Value] = {
        "kind": request.kind, "seconds": request.seconds, "expires_at": stamp(request.expires_at),
        "provider": request.provider, "domain": request.domain,
    }  # fmt: skip
    private = [
        Private("target", request.target, request.requester),
        Private("reason", request.reason, request.requester),
    ]
    private += [Private(f"field.{f.name}", f.value, request.requester) for f in request.fields]
    if request.subject is not None:
        data["subject"] = request.subject
        private.append(Private("subject", str(request.subject), request.subject))
    who = actor(policy, request.requester)
    if request.by_host:
        data["for"], who = request.requester, OPERATOR
    return of_case("request.filed", who, request, policy, data, private=tuple(private))


def refused_filing(case_id: str, requester: Person, runbook: FileDigest | None, policy: Policy, code: str) -> LogEvent:
    return LogEvent(
        "request.refused",
        actor(policy, requester),
        case_id,
        {"reason_code": code},
        runbook=runbook,
        policy=_set(policy),
    )


def step(case: Case, policy: Policy, event: Fired | Skipped, kind: AskKind) -> LogEvent:
    """`kind` of the ask is named where it is not the request's own."""
    data: dict[str, Value] = {"step": event.step.index, "role": event.step.role, "action": event.step.action}
    if kind not in OWN:
        data["ask"] = kind
    if isinstance(event, Fired):
        to: tuple[Value, ...] = tuple(r.person for r in event.people)
        if event.quiet:
            data["quiet"] = tuple({"who": person, "until": stamp(until)} for person, until in event.quiet)
        return of_case("step.fired", CLOCK, case.request, policy, data | {"to": to})
    told: dict[str, Value] = {"to": tuple(r.person for r in event.told)} if event.told else {}
    return of_case("step.skipped", CLOCK, case.request, policy, data | {"why": event.why} | told)


def stood_in(case: Case, policy: Policy, reached: Reached, kind: AskKind) -> LogEvent:
    """An absence, not a step, put the question to a deputy. `kind` of the ask is named where it is not the request's own."""
    data: dict[str, Value] = {"step": reached.step, "role": reached.role, "to": (reached.person,), "action": "stand_in"}
    if kind not in OWN:
        data["ask"] = kind
    return of_case("step.fired", CLOCK, case.request, policy, data)


def handed_over(case: Case, policy: Policy, reached: Reached) -> LogEvent:
    """A change of shift, not a step, put the question to the next person on call."""
    data: dict[str, Value] = {"step": reached.step, "role": reached.role, "to": (reached.person,), "action": "handover"}
    return of_case("step.fired", CLOCK, case.request, policy, data)


def absence(policy: Policy, person: Person, until: datetime | None) -> LogEvent:
    data: dict[str, Value] = {} if until is None else {"until": stamp(until)}
    return LogEvent(
        "absence.cleared" if until is None else "absence.set", actor(policy, person), data=data, policy=_set(policy)
    )


def drill_started(case: Case, policy: Policy) -> LogEvent:
    drill = case.request.drill
    assert drill is not None
    data: dict[str, Value] = {
        "due": stamp(case.request.expires_at), "domain": case.request.domain, "fast": drill.fast,
    }  # fmt: skip
    if drill.only_me is not None:
        data["only_me"] = drill.only_me
    return of_case("drill.started", OPERATOR, case.request, policy, data)


def drill_reached(case: Case, policy: Policy, person: Person, reached: Reached, now: datetime) -> LogEvent:
    """`person` pressed the button; `ms` is real time since they were asked, `to` the person the step was meant for, if another."""
    ms = round((now - reached.at).total_seconds() * 1000)
    data: dict[str, Value] = {"step": reached.step, "role": reached.role, "ms": ms}
    if reached.person != person:
        data["to"] = (reached.person,)
    return of_case("drill.reached", actor(policy, person), case.request, policy, data)


def drill_ended(case: Case, policy: Policy, who: Actor, missed: tuple[Person, ...]) -> LogEvent:
    data: dict[str, Value] = {
        "due": stamp(case.request.expires_at), "asked": tuple(case.approval.asked), "missed": missed,
    }  # fmt: skip
    return of_case("drill.ended", who, case.request, policy, data)


def approved(case: Case, policy: Policy, vote: Vote, count: Count) -> LogEvent:
    """One approving click; where it completed the quorum, with the end of the grant, or with what it waits for."""
    data: dict[str, Value] = {"have": count.have, "need": count.need, "seconds": vote.seconds, "role": vote.role}
    if case.grant is not None:
        data["not_after"] = stamp(case.grant.not_after)
    elif case.approval.opens_at is not None:
        data["not_before"] = stamp(case.approval.opens_at)
    who = actor(policy, vote.person)
    return of_case("request.approved", who, case.request, policy, data, on_behalf_of=vote.on_behalf_of)


def signed(drafts: Sequence[LogEvent], person: Person, proof: Proof) -> tuple[LogEvent, ...]:
    """The entries of an answer that a passkey signed: the signer's first one names the method and discloses the signature."""
    first = next(n for n, draft in enumerate(drafts) if draft.actor.person == person)
    data = {**drafts[first].data, "signed": True, "statement": proof.statement}
    data |= {"until": proof.until} if proof.until else {}
    data |= {"account": "unconfirmed"} if proof.unconfirmed else {}
    private = (*drafts[first].private, Private("signature", proof.disclosure, person))
    return (*drafts[:first], replace(drafts[first], data=data, private=private), *drafts[first + 1 :])


def sealed_use(case: Case, policy: Policy, used_at: datetime) -> LogEvent:
    """The sealed path was used without approval; `at` is when. Disclosed: who used it (`subject`), what they did (`reason`), and the
    reference (`target`)."""
    request = case.request
    assert request.subject is not None
    data: dict[str, Value] = {"domain": request.domain, "at": stamp(used_at)}
    private = (
        Private("subject", str(request.subject), request.subject),
        Private("reason", request.reason, request.requester),
        Private("target", request.target, request.requester),
        *(Private(f"field.{f.name}", f.value, request.requester) for f in request.fields),
    )
    return of_case("sealed_use.recorded", actor(policy, request.requester), request, policy, data, private=private)


def denied(case: Case, policy: Policy, who: Actor, role: Role | None, reason: str, on_behalf_of: Person | None) -> LogEvent:
    """`role` is absent where an operator denied on the host."""
    writer = who.person or case.request.requester
    private = (Private("answer", reason, writer),)
    data: dict[str, Value] = {"role": role} if role else {}
    return of_case("request.denied", who, case.request, policy, data, on_behalf_of=on_behalf_of, private=private)


def withdrawn(case: Case, policy: Policy, person: Person) -> LogEvent:
    return of_case("request.withdrawn", actor(policy, person), case.request, policy, {})


def expired(case: Case, policy: Policy, delivered: int, late: timedelta, reason: str = "") -> LogEvent:
    """`delivered`: how many of the cards Slack accepted. `late`: how long after the deadline it was found, after downtime.
    `reason`: why it ended before its time."""
    data: dict[str, Value] = {"asked": tuple(case.approval.asked), "delivered": delivered}
    data |= {"late_ms": late // timedelta(milliseconds=1)} if late >= LATE else {}
    data |= {"reason": reason} if reason else {}
    return of_case("request.expired", CLOCK, case.request, policy, data)


def noted(
    case: Case, policy: Policy, type_: str, person: Person,
    private: tuple[str, str] | None = None, data: dict[str, Value] | None = None,
) -> LogEvent:  # fmt: skip
    """An action around the decision; `private` is (name, text) of its free text."""
    said = () if private is None or not private[1] else (Private(private[0], private[1], person),)
    return of_case(type_, actor(policy, person), case.request, policy, data or {}, private=said)


def decision_refused(case: Case, policy: Policy, person: Person, action: str, why: Refusal) -> LogEvent:
    data: dict[str, Value] = {"action": action, "why": str(why)}
    return of_case("decision.refused", actor(policy, person), case.request, policy, data)


def due(
    case: Case, policy: Policy | FileDigest | None, type_: str, who: Actor, due_at: datetime | None, **more: Value
) -> LogEvent:  # fmt: skip
    """An ask after the yes opens, is answered or is overdue."""
    data: dict[str, Value] = dict(more) | ({} if due_at is None else {"due": stamp(due_at)})
    return of_case(type_, who, case.request, policy, data)


def answered(case: Case, policy: Policy, type_: str, vote: Vote, note: str = "") -> LogEvent:
    """Somebody answered an ask after the yes, with what they wrote."""
    private = (Private("note", note, vote.person),) if note else ()
    data: dict[str, Value] = {"role": vote.role}
    who = actor(policy, vote.person)
    return of_case(type_, who, case.request, policy, data, on_behalf_of=vote.on_behalf_of, private=private)


def verified(case: Case, policy: Policy, person: Person, duty: Duty, reference: str) -> LogEvent:
    """A method by which the subject was verified is attested; its text is about the subject."""
    assert duty.done_at is not None
    private = Private("evidence", f"{reference} ({stamp(duty.done_at)})", case.request.subject or person)
    data: dict[str, Value] = {"name": duty.name, "digest": Disclosed("evidence")}
    return of_case("subject.verified", actor(policy, person), case.request, policy, data, private=(private,))


def suspended(case: Case, policy: Policy, reset: str) -> LogEvent:
    """An authority is suspended from now on, since `reset` opened; it begins a separate case."""
    assert case.request.subject is not None
    data: dict[str, Value] = {"domain": case.request.domain, "subject": case.request.subject, "reset": reset}
    return of_case("authority.suspended", SYSTEM, case.request, policy, data)


def spared(reset: Case, policy: Policy, domain: str, person: Person) -> LogEvent:
    """An authority stays although the credential was reset: nobody else could decide. It belongs to no case."""
    data: dict[str, Value] = {"domain": domain, "subject": person, "reset": reset.id}
    return LogEvent("authority.spared", SYSTEM, data=data, policy=_set(policy))


def restored(case: Case, policy: Policy, vote: Vote) -> LogEvent:
    assert case.request.subject is not None
    draft = answered(case, policy, "authority.restored", vote)
    return replace(draft, data={**draft.data, "domain": case.request.domain, "subject": case.request.subject})


def provider_resumed(case: Case, policy: Policy, vote: Vote) -> LogEvent:
    """The suspension of a provider in a domain is lifted."""
    draft = answered(case, policy, "provider.resumed", vote)
    return replace(draft, data={**draft.data, "domain": case.request.domain, "provider": case.request.target})


def right_begun(case: Case, policy: Policy, until: datetime) -> LogEvent:
    """An autonomous right is under review; `until`: when its owner is asked next."""
    data: dict[str, Value] = {"domain": case.request.domain, "until": stamp(until)}
    return of_case("right.begun", SYSTEM, case.request, policy, data)


def right_answered(case: Case, policy: Policy, type_: str, vote: Vote, until: datetime | None) -> LogEvent:
    draft = answered(case, policy, type_, vote)
    return draft if until is None else replace(draft, data={**draft.data, "until": stamp(until)})


def right_ended(case: Case, policy: Policy) -> LogEvent:
    """The file that defines the right has changed or is gone."""
    return of_case("right.ended", SYSTEM, case.request, policy, {})


def of_case(
    type_: str, who: Actor, request: Request, policy: Policy | FileDigest | None, data: dict[str, Value],
    *, on_behalf_of: Person | None = None, private: tuple[Private, ...] = (),
) -> LogEvent:  # fmt: skip
    runbook = FileDigest(request.runbook, request.runbook_sha256) if request.runbook else None
    return LogEvent(type_, who, request.id, data, on_behalf_of, runbook, _set(policy), private)


def _set(policy: Policy | FileDigest | None) -> FileDigest | None:
    return FileDigest(policy.organisation, policy.digest) if isinstance(policy, Policy) else policy
