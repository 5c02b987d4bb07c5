"""Whether whoever asked may still ask: judged again when access would open, and when their provider's contract ends.

- A requester whom the policy names no more, or whose provider may not ask under the runbook any more, gets neither grant nor
  runbook: no yes counts, and the request expires with that reason at the next sweep.
- At the end of a contract everything of the provider ends: pending requests expire, grants lapse, their executors close. What
  is owed stays owed. Exceptions stay for their owner. `TakenAway.contracts_over` names the providers whose end has come.
Source: governance-contract.md, section 4; field-lessons.md, "Authority".
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.ask import Ask
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.workflow import refusals


def lost(case: Case, policy: Policy, now: datetime) -> str | None:
    """Why nothing opens any more for whoever asked; None while they may ask. What nobody filed is asked for by nobody."""
    request = case.request
    if not request.provider or request.kind == "finding" or request.matter or request.drill is not None or case.sealed:
        return None
    provider, runbook = policy.providers.get(request.provider), policy.runbooks.get(request.runbook)
    if provider is None:
        return "The policy does not name the provider that asked for this any more."
    if provider.ended(now.date()):
        return f"The contract of {provider.name} ended on {provider.contract_until}."
    if not provider.may_ask(request.requester):
        return f"The policy does not name the requester among those who ask for {provider.name} any more."
    if runbook is not None and provider.id not in runbook.providers:
        return f"{provider.name} may not ask under this runbook any more."
    return None


def hindered(case: Case, ask: Ask, policy: Policy, click: Click, now: datetime) -> Rejected | None:
    """No yes gives anything to somebody who may not ask any more; None where they may."""
    gone = lost(case, policy, now) if click.action in ("approve", "less") else None
    return (
        None if gone is None else refusals.no(Refusal.STALE, f"{gone} So nothing opens. Deny it, or leave it: it expires.")
    )


def expires(case: Case, policy: Policy, now: datetime) -> str | None:
    """Why a pending request expires now; None where it goes on. A contract that ended is waited for where the bot gave notice."""
    provider = policy.providers.get(case.request.provider)
    if provider is not None and provider.ended(now.date()) and provider.id not in policy.standing.contracts_over:
        return None
    return lost(case, policy, now)


def contract_over(case: Case, policy: Policy) -> str | None:
    """Why an open grant ends now: its provider's contract did. None for an exception, which its owner closes or renews."""
    grant, provider = case.grant, policy.providers.get(case.request.provider)
    if grant is None or grant.state is not GrantState.OPEN or case.dated or provider is None:
        return None
    if provider.id not in policy.standing.contracts_over:
        return None
    return f"The contract of {provider.name} ended on {provider.contract_until}."
