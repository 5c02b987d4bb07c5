"""The responsibility matrix: who asks, decides, is consulted and is informed, by runbook and activity.

The letters follow governance-contract.md, section 1. Every activity has exactly one A, never a provider's: the accountable person
of a domain. Where nobody owns a domain (VACANT), its risk owner answers for the owner.
| activity | letters |
| Ask, Execute | R requester (provider), A owner |
| Decide | A owner; R deputies, on-call and risk owner once reached, required roles beside; C lead |
| Evidence | R requester, A evidence owner |
| Review | A owner (of what the owner alone approved: risk owner) |
| Residual risk | A risk owner |
| Informed | I channel |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.policy.model import Domain, Policy, Role, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider

Column = Literal["by_itself", "with_authorisation", "must_escalate"]
ROLE_WORDS: Mapping[Role, str] = {
    "owner": "owner", "deputies": "deputy", "on_call": "on-call", "risk_owner": "risk owner",
}  # fmt: skip
ESCALATED_KINDS = frozenset({"finding"})  # asks for no access: it is only escalated
ONCE_REACHED, REQUIRED = "once reached", "required beside"
OWN_APPROVALS = "what the owner alone approved"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a letter: a person in a role, or the people of a provider. `when`: on which condition; "": always."""

    role: str
    person: Person | None = None
    provider: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the matrix."""

    name: str
    responsible: tuple[Holder, ...]
    accountable: Holder
    consulted: tuple[Holder, ...] = ()
    instead: Holder | None = None  # is accountable where the first one may not be


@dataclass(frozen=True, slots=True)
class Consent:
    """The standing consent to an autonomous right: who kept it last and when, and when its next review is due.

    `taken_at`: since when a review, or a dispute of the row (`disputed`), has taken it away; `refused`: nothing is possible
    under it then, else it needs a yes.
    """

    by: Person | None = None
    kept_at: datetime | None = None
    due: datetime | None = None
    taken_at: datetime | None = None
    refused: bool = False
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One runbook in the matrix. `consent` belongs to what a provider does by itself."""

    runbook: Runbook
    column: Column
    activities: tuple[Activity, ...]
    channel: str
    providers: tuple[Provider, ...]
    consent: Consent | None = None


def rows(policy: Policy, domain: Domain, consents: Mapping[str, Consent] | None = None) -> Iterator[Row]:
    """The rows of a domain, in the order of the policy. `consents`: by the SHA-256 of the runbook's file."""
    for runbook in policy.runbooks.values():
        if runbook.domain == domain.id:
            column = column_of(runbook)
            consent = (consents or {}).get(runbook.sha256, Consent()) if column == "by_itself" else None
            if consent is not None and consent.taken_at is not None and not consent.refused:
                column = "with_authorisation"  # a review took the consent away: each use needs a yes
            providers = tuple(policy.providers[id_] for id_ in runbook.providers if id_ in policy.providers)
            yield Row(runbook, column, activities(policy, domain, runbook), domain.channel, providers, consent)


def column_of(runbook: Runbook) -> Column:
    """The column, of three, of a runbook: a runbook that asks everybody at once is one that must be escalated at once."""
    if runbook.kind in ESCALATED_KINDS or runbook.right == "immediate":
        return "must_escalate"
    return "by_itself" if runbook.right == "autonomous" else "with_authorisation"


def activities(policy: Policy, domain: Domain, runbook: Runbook) -> tuple[Activity, ...]:
    """The lines of a runbook that have an A. People reached only through the channel are informed."""
    owner = owner_of(domain)
    risk = Holder("risk owner", domain.risk_owner) if domain.risk_owner else owner
    evidence = Holder("evidence owner", domain.evidence_owner) if domain.evidence_owner else owner
    askers = tuple(Holder("requester", provider=id_) for id_ in runbook.providers)
    leads = tuple(
        Holder("lead", provider=id_) for id_ in runbook.providers if id_ in policy.providers and policy.providers[id_].leads
    )
    return (
        Activity("Ask", askers, owner),
        Activity("Execute", askers, owner),
        Activity("Decide", tuple(_deciding(policy, domain, runbook)), owner, leads),
        Activity("Evidence", askers, evidence),
        Activity(
            "Review", (), owner, instead=None if risk == owner else Holder(risk.role, risk.person, when=OWN_APPROVALS)
        ),
        Activity("Residual risk", (), risk),
    )


def owner_of(domain: Domain) -> Holder:
    """The owner, or the person who answers for a domain without an owner."""
    return Holder("risk owner", domain.owner, when="VACANT") if domain.vacant else Holder("owner", domain.owner)


def _deciding(policy: Policy, domain: Domain, runbook: Runbook) -> Iterator[Holder]:
    """Who decides besides the owner, and when."""
    rota = policy.rotas.get(domain.on_call or "")
    people: Mapping[Role, tuple[Person, ...]] = {
        "deputies": domain.deputies,
        "on_call": rota.people if rota else (),
        "risk_owner": (domain.risk_owner,) if domain.risk_owner and not domain.vacant else (),
    }
    for role, named in people.items():
        when = REQUIRED if role in runbook.requires else ONCE_REACHED
        yield from (Holder(ROLE_WORDS[role], person, when=when) for person in named)
