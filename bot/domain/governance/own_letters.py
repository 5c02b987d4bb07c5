"""The letters of one reader: the rows of the matrix in which they have a part, and which.

A person of home has letters by their role in the domain; a provider's requester asks and executes (R), its lead is consulted (C).
Source: governance-contract.md, section 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.governance import narrowing
from bot.domain.governance.matrix import Column, column_of
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider


@dataclass(frozen=True, slots=True)
class OwnLetters:
    """One row of the reader; `letters` in words, like `R, decides once reached`."""

    runbook: Runbook
    domain: Domain
    column: Column
    letters: tuple[str, ...]


def own_letters(policy: Policy, person: Person) -> Iterator[OwnLetters]:
    """The reader's rows, in the order of the policy."""
    provider = policy.provider_of(person)
    for runbook in policy.runbooks.values():
        domain = policy.domains.get(runbook.domain)
        if domain is not None:
            found = _of_provider(provider, runbook, person) if provider else _of_home(policy, domain, runbook, person)
            letters = tuple(found)
            if letters:
                yield OwnLetters(runbook, domain, _column(policy, runbook), letters)


def _column(policy: Policy, runbook: Runbook) -> Column:
    taken = narrowing.of_right(policy, runbook) if runbook.right == "autonomous" else None
    return "with_authorisation" if taken is not None and taken.effect == "narrow" else column_of(runbook)


def _of_provider(provider: Provider, runbook: Runbook, person: Person) -> Iterator[str]:
    if provider.id in runbook.providers:
        if provider.may_ask(person):
            yield "R, asks and executes"
        if provider.leads_include(person):
            yield "C, advises"


def _of_home(policy: Policy, domain: Domain, runbook: Runbook, person: Person) -> Iterator[str]:
    rota = policy.rotas.get(domain.on_call or "")
    if person == domain.owner:
        yield "A, answers for it"
    if person == (domain.evidence_owner or domain.owner) and person != domain.owner:
        yield "A, answers for the evidence"
    if person == domain.risk_owner and person != domain.owner:
        yield "A, answers for the residual risk"
        yield "R, has to say yes" if "risk_owner" in runbook.requires else "R, decides once reached"
    elif person in domain.deputies or (rota is not None and person in rota.people):
        yield "R, decides once reached"
