"""The steps of an ask: when each is due, when the ask ends, and the people behind a step's role."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from bot.domain.authority.authorization import named_for
from bot.domain.case.ask import Ask, AskKind, Step
from bot.domain.policy import business_hours
from bot.domain.policy.model import Domain, EscalationPolicy, Policy, Role, Runbook
from bot.domain.policy.on_call import on_call
from bot.domain.policy.people import Person

WARNING = timedelta(minutes=5)  # of policy time


def freeze(runbook: Runbook, ladder: EscalationPolicy, filed_at: datetime, scale: float, *, wide: bool) -> tuple[Step, ...]:
    """The steps of a new ask with their real times. `wide`: the people of every step are asked at minute 0 (refiled)."""
    first: tuple[Role, ...] = runbook.requires
    if runbook.right == "immediate":
        first = ("owner", "deputies", "on_call", *first)
    if wide:
        first = (*first, *(step.role for step in ladder.steps if step.action == "notify"))
    return tuple(
        Step(
            index=index,
            action=step.action,
            role=step.role,
            due_at=business_hours.add(filed_at, timedelta(seconds=step.after / scale), ladder.hours),
            page=step.page or (index == 0 and runbook.right == "immediate"),
            also=tuple(dict.fromkeys(first)) if index == 0 else (),
        )
        for index, step in enumerate(ladder.steps)
    )


def deadline(ladder: EscalationPolicy, filed_at: datetime, scale: float) -> datetime:
    """When an ask under this ladder expires."""
    return business_hours.add(filed_at, timedelta(seconds=ladder.expires_after / scale), ladder.hours)


def warn_at(opened_at: datetime, expires_at: datetime, scale: float) -> datetime:
    """When the silent are warned: five minutes before the end, or at ¾ of a span so short that this comes later."""
    return max(expires_at - WARNING / scale, opened_at + 0.75 * (expires_at - opened_at))


def afterwards(opened_at: datetime, window: timedelta) -> tuple[Step, ...]:
    """The built-in ladder of an ask after the yes: owner at 0, reminder at ½, deputies at ¾, the risk owner at its end.

    It closes one window later."""
    rungs: tuple[tuple[float, Literal["notify", "remind"], Role], ...] = (
        (0, "notify", "owner"), (0.5, "remind", "owner"), (0.75, "notify", "deputies"), (1, "notify", "risk_owner"),
    )  # fmt: skip
    return tuple(Step(n, action, role, opened_at + part * window) for n, (part, action, role) in enumerate(rungs))


def over_window(kind: AskKind, version: int, now: datetime, window: timedelta, first: datetime | None = None) -> Ask:
    """An ask after the yes with the built-in ladder: owed one window after its first step, closed one window later.

    `first`: when its first step is due, which may be far ahead; None: at once.
    """
    first = first or now
    due = first + window
    return Ask(kind, version, 1, (), now, due + window, steps=afterwards(first, window), due_at=due, warn_at=due)


def candidates(policy: Policy, domain_id: str) -> tuple[Person, ...]:
    """Everybody any step of a domain could ask: the people to look up before judging."""
    domain = policy.domains.get(domain_id)
    return () if domain is None else named_for(policy, domain)


def next_wake(ask: Ask) -> datetime:
    """When something is due on an open ask: its next waiting step, its warning, or its end."""
    warning = [] if ask.warn_at is None else [ask.warn_at]
    return min([s.due_at for s in ask.steps if s.state == "waiting"] + warning + [ask.expires_at])


def people_of(role: Role, policy: Policy, domain: Domain, now: datetime) -> tuple[Person, ...]:
    """The people behind a role at one moment."""
    if role == "owner":
        return (domain.owner,)
    if role == "deputies":
        return domain.deputies
    if role == "risk_owner":
        return () if domain.risk_owner is None else (domain.risk_owner,)
    rota = policy.rotas.get(domain.on_call) if domain.on_call else None
    person = on_call(rota, now) if rota else None
    return () if person is None else (person,)
