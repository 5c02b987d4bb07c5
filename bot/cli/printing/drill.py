"""Prints a drill: its progress, and its report of who was reached and how fast."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from bot.domain.case.ask import Reached
from bot.domain.case.model import Case
from bot.domain.decision_log.entry import stamp
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.drill import answered_at, hears, missed

_ROLE = {"owner": "owner", "deputies": "deputy", "on_call": "on-call", "risk_owner": "risk owner"}
HEAD = ("person", "role", "asked at", "delivered", "reached after")


def standing(case: Case) -> str:
    """The state of the drill, in one sentence."""
    ask = case.approval
    said = f"{len(ask.reached) - len(missed(case))} of {len(ask.reached)} people were reached"
    if case.request.closed_at is None:
        return (
            f"{case.id} is a DRILL, running until {_when(ask.expires_at)} at the latest; so far {said}. It gives nothing."
        )
    return f"{case.id} was a DRILL; it ended at {_when(case.request.closed_at)}; {said}. Nothing was opened."


def progress(policy: Policy | None, case: Case) -> Iterator[str]:
    """Everything that has happened, a line each; a printed line never changes."""
    for step in case.approval.steps:
        if step.state == "skipped":
            yield f"DRILL step {step.index + 1}, {step.action} {_ROLE[step.role]}: skipped, {step.why.replace('_', ' ')}"
    for reached in case.approval.reached:
        who = f"{_name(policy, reached.person)}, as {_ROLE[reached.role]}"
        yield f"DRILL {who}: asked at {_when(reached.at)}"
        if reached.failed:
            yield f"DRILL {who}: not delivered ({reached.failed})"
        at = answered_at(case, reached)
        if at is not None:
            yield f"DRILL {who}: reached after {_after(reached, at)}"


def rows(policy: Policy | None, case: Case, delivered: Collection[Person]) -> list[Sequence[str]]:
    """The report's rows under HEAD, a person each. `delivered`: to whom Slack accepted a card."""
    return [_row(policy, case, r, delivered) for r in case.approval.reached]


def table(found: Sequence[Sequence[str]]) -> str:
    """The rows under their header, in columns."""
    listed = [HEAD, *found]
    widths = [max(len(row[column]) for row in listed) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in listed
    )


def verdict(policy: Policy | None, case: Case) -> Iterator[str]:
    """What was skipped, the state of the drill, and who was not reached."""
    yield from (
        f"skipped: {s.action} {_ROLE[s.role]}, {s.why.replace('_', ' ')}"
        for s in case.approval.steps
        if s.state == "skipped"
    )
    lost = missed(case)
    yield standing(case)
    if lost:
        yield f"Not reached: {', '.join(_name(policy, p) for p in lost)}."


def report(policy: Policy | None, case: Case, delivered: Collection[Person] | None = None) -> dict[str, object]:
    """The same as JSON-able values; `ms` is real time from asking to the answer; `delivered` is null where it was not observed."""
    drill = case.request.drill
    return {
        "id": case.id, "drill": True, "runbook": case.request.runbook, "fast": drill is not None and drill.fast,
        "only_me": str(drill.only_me) if drill is not None and drill.only_me is not None else None,
        "started_at": stamp(case.request.filed_at), "due": stamp(case.request.expires_at),
        "ended_at": None if case.request.closed_at is None else stamp(case.request.closed_at),
        "asked": len(case.approval.reached), "reached": len(case.approval.reached) - len(missed(case)),
        "people": [_person(policy, case, r, delivered) for r in case.approval.reached],
        "skipped": [
            {"step": s.index, "action": s.action, "role": s.role, "why": s.why}
            for s in case.approval.steps if s.state == "skipped"
        ],
    }  # fmt: skip


def _row(policy: Policy | None, case: Case, reached: Reached, delivered: Collection[Person]) -> Sequence[str]:
    at = answered_at(case, reached)
    return (
        _name(policy, reached.person),
        _ROLE[reached.role],
        f"{reached.at:%H:%M:%S}",
        "yes" if hears(case, reached.person) in delivered else reached.failed or "no",
        "not reached" if at is None else _after(reached, at),
    )


def _person(policy: Policy | None, case: Case, reached: Reached, delivered: Collection[Person] | None) -> dict[str, object]:
    at = answered_at(case, reached)
    return {
        "id": str(reached.person), "name": _name(policy, reached.person), "role": reached.role, "step": reached.step,
        "asked_at": stamp(reached.at), "delivered": None if delivered is None else hears(case, reached.person) in delivered, "failed": reached.failed,
        "ms": None if at is None else round((at - reached.at).total_seconds() * 1000),
    }  # fmt: skip


def _after(reached: Reached, at: datetime) -> str:
    return f"{(at - reached.at).total_seconds():.1f} s"


def _name(policy: Policy | None, person: Person) -> str:
    """The policy's name, as a terminal prints it."""
    name = person.user if policy is None else policy.name_of(person)
    return "".join(c if c.isprintable() else "�" for c in name)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
