"""A provider that is suspended: nothing of theirs is filed or opens in a domain, what is pending expires, what is open ends.

A suspension is a case that nobody filed, one for each domain, like those of `suspensions`. It begins at once, when asked by
the domain's owner or risk owner, or of somebody on the host, and works while the log is stopped. It ends when an owner of
the domain presses **Lift suspension**; silence never lifts it. What ended meanwhile has to be asked for again.
Source: governance-contract.md, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.case.ask import Ask, Step
from bot.domain.case.lifecycle import RequestState
from bot.domain.case.model import NOBODY, Case, Request, Terms
from bot.domain.case.transition import OPERATOR, Lane, Notification, Private, Transition
from bot.domain.decision_log import events
from bot.domain.policy.model import Domain, Policy
from bot.domain.policy.people import Person
from bot.domain.policy.provider import Provider
from bot.domain.policy.same_text import folded
from bot.domain.workflow import notifications
from bot.domain.workflow.providers import asking_rights

FOREVER = timedelta(days=36_500)
_TITLE = 75


def named(policy: Policy, text: str) -> Provider | None:
    """The provider with this id or name; None if there is none, or more than one has the name."""
    known = policy.providers.get(text.strip())
    alike = [p for p in policy.providers.values() if folded(text) in (folded(p.id), folded(p.name))]
    return known or (alike[0] if len(alike) == 1 else None)


def domains_of(policy: Policy, person: Person) -> tuple[Domain, ...]:
    """The domains in which somebody may suspend: those that they own, or whose risk they own. None for a provider's people."""
    if policy.provider_of(person) is not None:
        return ()
    return tuple(d for d in policy.domains.values() if person in (d.owner, d.risk_owner))


def served(policy: Policy, provider: str, also: Iterable[str] = ()) -> tuple[Domain, ...]:
    """The domains that a suspension on the host covers: those of the provider's runbooks and `also`; all where it has none."""
    ids = {r.domain for r in policy.runbooks.values() if provider in r.providers} | set(also)
    return tuple(d for d in policy.domains.values() if not ids or d.id in ids)


def begin(
    policy: Policy, provider: Provider, domain: Domain, by: Person | None, reason: str, id_: str, now: datetime
) -> Transition:
    """The suspension of a provider in one domain. `by` is None on the host."""
    ask = Ask("lift", 1, 1, (), now, now + FOREVER, steps=(Step(0, "notify", "owner", now),))
    request = Request(
        id=id_, kind="reset", right="approval", runbook="", runbook_sha256="", policy_sha256=policy.digest,
        title=f"Provider suspended: {provider.name}"[:_TITLE], domain=domain.id, provider="", requester=NOBODY,
        target=provider.id, reason=reason, fields=(), seconds=0, filed_at=now, expires_at=ask.expires_at,
        state=RequestState.OPENED, closed_at=now, terms=Terms(), matter="provider",
    )  # fmt: skip
    case = Case(request, (ask,))
    who = OPERATOR if by is None else events.actor(policy, by)
    says = (*notifications.channel_line(case, policy, "provider.suspended"), *_to_leads(policy, provider, domain))
    entry = events.of_case(
        "provider.suspended", who, request, policy, {"domain": domain.id, "provider": provider.id},
        private=(Private("reason", reason, by or NOBODY),),
    )  # fmt: skip
    return Transition(None, case, (entry,), says, now, while_stopped=True)


def lifted(case: Case, policy: Policy) -> tuple[Notification, ...]:
    """Announces the end of a suspension: to the channel, and to the provider's leads."""
    provider, domain = policy.providers.get(case.request.target), policy.domains.get(case.request.domain)
    told = notifications.channel_line(case, policy, "provider.resumed")
    if provider is None or domain is None:
        return told
    text = f"The suspension of {provider.name} in {domain.name} is lifted. Ask anew for what ended."
    return (*told, *(_plain(lead, text) for lead in leads_of(policy, provider)))


def leads_of(policy: Policy, provider: Provider) -> tuple[Person, ...]:
    """The provider's leads, in the home workspace where the policy names them there."""
    teams = {ref.user: min(ref.teams & frozenset(policy.workspaces) or ref.teams) for ref in provider.leads}
    return tuple(Person(team, user) for user, team in teams.items())


def refused(person: Person, reply: dict[str, object], text: str) -> Transition:
    """Nothing changes; the person gets the reason."""
    return Transition(
        None, None, says=(replace(_plain(person, text), data={"sentence": "plain", "text": text, "reply": reply}),)
    )


def _to_leads(policy: Policy, provider: Provider, domain: Domain) -> tuple[Notification, ...]:
    text = (
        f"{asking_rights.suspended_sentence(policy, provider, domain.id)} What was pending there has expired, what was open has ended, and nothing new"
        f" is filed until an owner lifts the suspension."
    )
    return tuple(_plain(lead, text) for lead in leads_of(policy, provider))


def _plain(person: Person, text: str) -> Notification:
    return replace(notifications.answer(None, person, {}, "plain", text=text), lane=Lane.CARD)
