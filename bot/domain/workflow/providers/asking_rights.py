"""Whether a requester may still ask: judged again when access would open, and when their provider's contract ends.

- A requester who is no longer in the policy, or whose provider may not ask under the runbook any more, gets neither grant nor
  runbook: no yes counts, and the request expires with that reason at the next sweep.
- At the end of a contract everything of the provider ends: pending requests expire, grants lapse, their executors close. What
  is owed stays owed. Exceptions pass to their owner. `TakenAway.contracts_over` names the providers whose end has come.
- While a provider is suspended in a domain, all of that holds there too, and its exceptions end.
Source: governance-contract.md, section 4; field-lessons.md, "Authority".
"""

from __future__ import annotations

from datetime import datetime

from bot.domain.case.ask import Ask
from bot.domain.case.click import Click, Refusal, Rejected
from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.policy.provider import Provider
from bot.domain.workflow import refusals


def lost(case: Case, policy: Policy, now: datetime) -> str | None:
    """Why nothing opens any more for the requester; None while they may ask. A case that nobody filed has no requester."""
    request = case.request
    if not request.provider or request.kind == "finding" or request.matter or request.drill is not None or case.sealed:
        return None
    provider, runbook = policy.providers.get(request.provider), policy.runbooks.get(request.runbook)
    if provider is None:
        return "The policy does not name the provider that asked for this any more."
    if suspended(policy, provider.id, request.domain):
        return suspended_sentence(policy, provider, request.domain)
    if provider.ended(now.date()) or provider.id in policy.standing.contracts_over:
        return contract_sentence(provider, now)
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
    """Why a pending request expires now; None if it continues. A contract that ended is waited for where the bot gave notice."""
    provider = policy.providers.get(case.request.provider)
    if provider is not None and provider.ended(now.date()) and provider.id not in policy.standing.contracts_over:
        return _suspended(case, policy)
    return lost(case, policy, now)


def ends(case: Case, policy: Policy, now: datetime) -> str | None:
    """Why an open grant ends now: its provider is suspended in the domain, or the contract is over. None for an exception
    after the contract's end, which passes to its owner."""
    grant, provider = case.grant, policy.providers.get(case.request.provider)
    if grant is None or grant.state is not GrantState.OPEN or provider is None:
        return None
    over = provider.id in policy.standing.contracts_over and not case.dated
    return _suspended(case, policy) or (contract_sentence(provider, now) if over else None)


def passes(case: Case, policy: Policy) -> bool:
    """Whether an open exception passes to its owner now: the contract of its provider is over, and the owner has no ask yet."""
    over = case.request.provider in policy.standing.contracts_over
    return over and case.dated and not any(ask.kind == "closing" for ask in case.asks)


def suspended(policy: Policy, provider: str, domain: str) -> bool:
    """Whether a provider is suspended in a domain (`providers.suspension`)."""
    return (provider, domain) in policy.standing.providers


def suspended_sentence(policy: Policy, provider: Provider, domain: str) -> str:
    """The message that a provider is suspended, with the contact."""
    known = policy.domains.get(domain)
    return f"{provider.name} is suspended in {known.name if known else domain}. Write to {policy.contact}."


def contract_sentence(provider: Provider, now: datetime) -> str:
    """That a contract is over, with its last day where the policy names one that is past."""
    return f"The contract of {provider.name} " + (
        f"ended on {provider.contract_until}." if provider.ended(now.date()) else "has ended."
    )


def _suspended(case: Case, policy: Policy) -> str | None:
    provider, domain = policy.providers.get(case.request.provider), case.request.domain
    if provider is None or case.request.kind == "finding" or not suspended(policy, provider.id, domain):
        return None
    return suspended_sentence(policy, provider, domain)
