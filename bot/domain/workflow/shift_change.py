"""A shift or an owner changes while a question is open: the next person is asked too.

Whoever was asked as on-call keeps the question (design, section 4; `rights`). Once a step has put it to on-call, or found
nobody on call who could be asked, and somebody else is on call now, they are asked, once, if they are there and may decide:
whether the shift came to its end, the feed was rewritten or the policy names another rota. It is no step: the steps keep their
times, and the log has `handover` (rule 6).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.authority.authorization import conflicted
from bot.domain.case.ask import Ask, Reached, Step
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.policy.on_call import AHEAD, next_change, on_call
from bot.domain.policy.rota import Rota
from bot.domain.timing.escalation import Presence, rings


def hand_over(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime) -> tuple[Ask, Reached | None]:
    """The ask after a change of shift, and the people it reached; None if nobody new is to be asked."""
    rota, asked = _rota(case, policy), _asked_on_call(ask)
    if rota is None or asked is None:
        return ask, None
    person = on_call(rota, now)
    if person is None or person in ask.asked or not presence.here(person) or conflicted(case, policy, person):
        return ask, None
    named = any(reached.role == "on_call" for reached in ask.reached)  # where nobody was, only the rota knows who it was
    if not named and next_change(rota, asked[1], now) is None:
        return ask, None
    reached = Reached(person, "on_call", asked[0].index, now)
    reached = replace(reached, paged=_calls(asked[0], presence) and rings(policy, case.request.domain, reached))
    return replace(ask, reached=(*ask.reached, reached)), reached


def to_new_owner(case: Case, ask: Ask, policy: Policy, presence: Presence, now: datetime) -> tuple[Ask, Reached | None]:
    """The ask after its domain got another owner on a day, and the people it reached; None if nobody new is to be asked.

    Whoever owns the domain from that day on is asked what the owner before was asked (governance-contract.md, section 1).
    """
    domain = policy.domains.get(case.request.domain)
    asked = next((r for r in ask.reached if r.role == "owner"), None)
    if domain is None or not domain.terms or asked is None or domain.owner in ask.asked:
        return ask, None
    if not presence.here(domain.owner) or conflicted(case, policy, domain.owner):
        return ask, None
    reached = Reached(domain.owner, "owner", asked.step, now)
    reached = replace(reached, paged=asked.paged and rings(policy, case.request.domain, reached))
    return replace(ask, reached=(*ask.reached, reached)), reached


def _calls(step: Step, presence: Presence) -> bool:
    return step.page and presence.brake is None


def next_shift(case: Case, policy: Policy, now: datetime) -> datetime | None:
    """The next change of shift before the end of an open ask that on-call was asked in; None where there is none."""
    rota, ask = _rota(case, policy), case.approval
    if rota is None or _asked_on_call(ask) is None or now >= ask.expires_at:
        return None
    return next_change(rota, now, min(ask.expires_at, now + AHEAD))  # a finding never expires; it is looked at every hour


def _rota(case: Case, policy: Policy) -> Rota | None:
    domain = policy.domains.get(case.request.domain)
    return policy.rotas.get(domain.on_call or "") if domain else None


def _asked_on_call(ask: Ask) -> tuple[Step, datetime] | None:
    """The first step that put the question to on-call, and when it did; else the first that found nobody there, and since when
    a shift that changes could bring somebody."""
    steps = [s for s in ask.steps if s.action == "notify" and "on_call" in (s.role, *s.also)]
    for step in (s for s in steps if s.state != "waiting"):
        moments = [reached.at for reached in ask.reached if reached.step == step.index]
        if moments:
            return step, min(moments)
    skipped = next((s for s in steps if s.state == "skipped"), None)
    return None if skipped is None else (skipped, ask.opened_at)
