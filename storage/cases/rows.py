"""The parts of a case as rows and back. One pair of functions a table; nothing here decides anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any, get_args

from bot.domain.case.ask import Ask, Brake, Reached, Remark, Step, StepState, Vote
from bot.domain.case.lifecycle import CASE_STATES, AskState, GrantState
from bot.domain.case.model import Call, CallState, Drill, Duty, FieldValue, Finding, FindingOutcome, Grant, Request, Terms
from bot.domain.policy.model import ROLES, Role
from bot.domain.policy.people import Person
from storage.session import Row
from storage.values import moment, moment_or_none, ms, ms_or_none, person_or_none, to_columns, to_json

Columns = dict[str, object]
_ROLES = {role: role for role in ROLES}
_CALL_STATES = {state: state for state in get_args(CallState)}
_OUTCOMES = {outcome: outcome for outcome in get_args(FindingOutcome)}
_STEP_STATES = {state: state for state in get_args(StepState)}


def from_request(request: Request) -> Columns:
    return {
        "id": request.id, "kind": request.kind, "decision_right": request.right, "runbook": request.runbook,
        "runbook_sha256": request.runbook_sha256, "policy_sha256": request.policy_sha256, "title": request.title,
        "domain": request.domain, "provider": request.provider, **to_columns(request.requester, "requester"),
        **to_columns(request.subject, "subject"), "target": request.target, "reason": request.reason,
        "fields": to_json([[f.name, f.label, f.value] for f in request.fields]), "seconds": request.seconds,
        "filed_ms": ms(request.filed_at), "expires_ms": ms(request.expires_at), "state": request.state.value,
        "version": request.version, "closed_ms": ms_or_none(request.closed_at), **to_columns(request.closed_by, "closed"),
        "asks_before": request.asks_before, "last_outcome": request.last_outcome, "denied_lately": int(request.denied_lately),
        "terms": to_json({**asdict(request.terms), "ends_at": ms_or_none(request.terms.ends_at)}),
        **_from_drill(request.drill), "matter": request.matter, "by_host": int(request.by_host),
    }  # fmt: skip


def to_request(row: Row) -> Request:
    return Request(
        id=row["id"],
        kind=row["kind"],
        right=row["decision_right"],
        runbook=row["runbook"],
        runbook_sha256=row["runbook_sha256"],
        policy_sha256=row["policy_sha256"],
        title=row["title"],
        domain=row["domain"],
        provider=row["provider"],
        requester=Person(row["requester_team"], row["requester_user"]),
        target=row["target"],
        reason=row["reason"],
        fields=tuple(FieldValue(*field) for field in json.loads(row["fields"])),
        seconds=row["seconds"],
        filed_at=moment(row["filed_ms"]),
        expires_at=moment(row["expires_ms"]),
        state=CASE_STATES[row["state"]],
        version=row["version"],
        subject=person_or_none(row["subject_team"], row["subject_user"]),
        closed_at=moment_or_none(row["closed_ms"]),
        closed_by=person_or_none(row["closed_team"], row["closed_user"]),
        asks_before=row["asks_before"],
        last_outcome=row["last_outcome"],
        denied_lately=bool(row["denied_lately"]),
        terms=_terms(row["terms"]),
        drill=_to_drill(row),
        matter=row["matter"],
        by_host=bool(row["by_host"]),
    )


@lru_cache(maxsize=256)  # few differ, and a sweep reads hundreds of cases
def _roles(text: str) -> tuple[Role, ...]:
    return tuple(_ROLES[role] for role in json.loads(text))


@lru_cache(maxsize=256)
def _terms(text: str) -> Terms:
    stored: dict[str, Any] = json.loads(text)
    parts = {"evidence": tuple(stored.get("evidence", ())), "ends_at": moment_or_none(stored.get("ends_at"))}
    return Terms(**{**stored, **parts})


def _from_drill(drill: Drill | None) -> Columns:
    kind = "" if drill is None else "fast" if drill.fast else "plain"
    return {"drill": kind, **to_columns(None if drill is None else drill.only_me, "drill")}


def _to_drill(row: Row) -> Drill | None:
    if not row["drill"]:
        return None
    return Drill(row["drill"] == "fast", person_or_none(row["drill_team"], row["drill_user"]))


def from_ask(ask: Ask) -> Columns:
    return {
        "kind": ask.kind, "version": ask.version, "need": ask.need, "requires": to_json(ask.requires),
        "opened_ms": ms(ask.opened_at), "expires_ms": ms(ask.expires_at), "state": ask.state.value,
        "seconds": ask.seconds, "due_ms": ms_or_none(ask.due_at), "warn_ms": ms_or_none(ask.warn_at),
        "opens_ms": ms_or_none(ask.opens_at), **_from_brake(ask.braked),
    }  # fmt: skip


def to_ask(row: Row, steps: list[Step], reached: list[Reached], votes: list[Vote], notes: list[Remark]) -> Ask:
    return Ask(
        kind=row["kind"],
        version=row["version"],
        need=row["need"],
        requires=_roles(row["requires"]),
        opened_at=moment(row["opened_ms"]),
        expires_at=moment(row["expires_ms"]),
        state=AskState(row["state"]),
        steps=tuple(steps),
        reached=tuple(reached),
        votes=tuple(votes),
        notes=tuple(notes),
        seconds=row["seconds"],
        due_at=moment_or_none(row["due_ms"]),
        warn_at=moment_or_none(row["warn_ms"]),
        opens_at=moment_or_none(row["opens_ms"]),
        braked=_to_brake(row),
    )


def _from_brake(brake: Brake | None) -> Columns:
    if brake is None:
        return {"braked": None, "braked_ms": None, "braked_until_ms": None}
    return {"braked": brake.nth, "braked_ms": ms(brake.at), "braked_until_ms": ms(brake.until)}


def _to_brake(row: Row) -> Brake | None:
    if row["braked"] is None:
        return None
    return Brake(row["braked"], moment(row["braked_ms"]), moment(row["braked_until_ms"]))


def from_step(step: Step) -> Columns:
    return {
        "idx": step.index, "action": step.action, "role": step.role, "due_ms": ms(step.due_at), "page": int(step.page),
        "also": to_json(step.also), "state": step.state, "why": step.why,
    }  # fmt: skip


def to_step(row: Row) -> Step:
    return Step(
        index=row["idx"],
        action=row["action"],
        role=_ROLES[row["role"]],
        due_at=moment(row["due_ms"]),
        page=bool(row["page"]),
        also=_roles(row["also"]),
        state=_STEP_STATES[row["state"]],
        why=row["why"],
    )


def from_reached(reached: Reached) -> Columns:
    return {
        "team_id": reached.person.team, "user_id": reached.person.user, "role": reached.role, "step": reached.step,
        "at_ms": ms(reached.at), "for_owner": int(reached.for_owner), "failed": reached.failed, "paged": int(reached.paged),
    }  # fmt: skip


def to_reached(row: Row) -> Reached:
    return Reached(
        person=Person(row["team_id"], row["user_id"]),
        role=_ROLES[row["role"]],
        step=row["step"],
        at=moment(row["at_ms"]),
        for_owner=bool(row["for_owner"]),
        failed=row["failed"],
        paged=bool(row["paged"]),
    )


def from_vote(vote: Vote) -> Columns:
    return {
        "team_id": vote.person.team, "user_id": vote.person.user, "answer": vote.answer, "role": vote.role,
        "at_ms": ms(vote.at), "seconds": vote.seconds, **to_columns(vote.on_behalf_of, "behalf"),
        "credential": vote.credential,
    }  # fmt: skip


def to_vote(row: Row) -> Vote:
    return Vote(
        person=Person(row["team_id"], row["user_id"]),
        answer=row["answer"],
        role=_ROLES[row["role"]],
        at=moment(row["at_ms"]),
        seconds=row["seconds"],
        on_behalf_of=person_or_none(row["behalf_team"], row["behalf_user"]),
        credential=row["credential"],
    )


def from_note(note: Remark) -> Columns:
    return {
        "kind": note.kind, "team_id": note.person.team, "user_id": note.person.user, "at_ms": ms(note.at),
        "text": note.text, "advice": note.advice,
    }  # fmt: skip


def to_note(row: Row, rest: Mapping[str, str]) -> Remark:
    """`rest`: the texts that are in `log_private` only, by digest."""
    return Remark(
        kind=row["kind"],
        person=Person(row["team_id"], row["user_id"]),
        at=moment(row["at_ms"]),
        text=row["text"] + rest.get(row["digest"], ""),
        advice=row["advice"],
    )


def from_grant(grant: Grant) -> Columns:
    return {
        "seconds": grant.seconds, "opened_ms": ms(grant.opened_at), "not_after_ms": ms(grant.not_after),
        "state": grant.state.value, "ended_ms": ms_or_none(grant.ended_at),
        **to_columns(grant.ended_by, "ended"), "warned": int(grant.warned), "remind_ms": ms_or_none(grant.remind_at),
    }  # fmt: skip


def to_grant(row: Row) -> Grant:
    return Grant(
        seconds=row["seconds"],
        opened_at=moment(row["opened_ms"]),
        not_after=moment(row["not_after_ms"]),
        state=GrantState(row["state"]),
        ended_at=moment_or_none(row["ended_ms"]),
        ended_by=person_or_none(row["ended_team"], row["ended_user"]),
        warned=bool(row["warned"]),
        remind_at=moment_or_none(row["remind_ms"]),
    )


def from_finding(finding: Finding) -> Columns:
    return {
        "noticed_ms": ms(finding.noticed_at), "within_s": finding.within, "shared": int(finding.shared),
        "source": finding.source, "outcome": finding.outcome,
    }  # fmt: skip


def to_finding(row: Row) -> Finding:
    return Finding(
        noticed_at=moment(row["noticed_ms"]),
        within=row["within_s"],
        shared=bool(row["shared"]),
        source=row["source"],
        outcome=_OUTCOMES[row["outcome"]],
    )


def from_duty(duty: Duty) -> Columns:
    return {
        "kind": duty.kind, "name": duty.name, "since_ms": ms(duty.since), "due_ms": ms(duty.due_at),
        "chase_ms": ms_or_none(duty.chase_at), "missed": int(duty.missed), "done_ms": ms_or_none(duty.done_at),
        **to_columns(duty.done_by, "done"),
    }  # fmt: skip


def to_duty(row: Row) -> Duty:
    return Duty(
        kind=row["kind"],
        name=row["name"],
        since=moment(row["since_ms"]),
        due_at=moment(row["due_ms"]),
        chase_at=moment_or_none(row["chase_ms"]),
        missed=bool(row["missed"]),
        done_at=moment_or_none(row["done_ms"]),
        done_by=person_or_none(row["done_team"], row["done_user"]),
    )


def from_call(call: Call) -> Columns:
    return {
        "kind": call.kind, "asked_ms": ms(call.asked_at), "not_after_ms": ms(call.not_after), "state": call.state,
        "answered_ms": ms_or_none(call.answered_at), "alarmed_ms": ms_or_none(call.alarmed_at),
    }  # fmt: skip


def to_call(row: Row) -> Call:
    return Call(
        kind="open" if row["kind"] == "open" else "close",
        asked_at=moment(row["asked_ms"]),
        not_after=moment(row["not_after_ms"]),
        state=_CALL_STATES[row["state"]],
        answered_at=moment_or_none(row["answered_ms"]),
        alarmed_at=moment_or_none(row["alarmed_ms"]),
    )
