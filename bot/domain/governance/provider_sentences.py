"""What changed providers, rotas, escalations and people mean, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.governance import wording
from bot.domain.governance.domain_sentences import hours_words, quoted
from bot.domain.governance.matrix import ROLE_WORDS
from bot.domain.governance.sentences import Seen, Table, gained_and_lost, optional, replaced, silent, told
from bot.domain.policy.model import EscalationPolicy, NamedPerson, Policy, PolicyStep, Role
from bot.domain.policy.provider import Provider
from bot.domain.policy.rota import Rota


def provider_changed(old: Policy, new: Policy, before: Provider | None, after: Provider | None) -> Iterator[str]:
    """The sentences of one provider; None: it is not in that set."""
    if after is not None and before is not None:
        yield from told(PROVIDER, Seen(old, new, after.name), before, after)
    elif after is not None:
        seen = Seen(old, new, after.name)
        contract = f" under the contract {after.contract}" if after.contract else ""
        yield f"{after.name} is a new provider{contract}; {_accounts(seen, list(after.requesters)) or 'nobody'} may ask for it."
    elif before is not None:
        yield f"{before.name} is no longer a provider: its people can ask for nothing."


def rota_changed(old: Policy, new: Policy, before: Rota | None, after: Rota | None) -> Iterator[str]:
    """The sentences of one rota. A new one is described by the domain that names it."""
    if after is not None and before is not None:
        domains = [d.name for d in new.domains.values() if d.on_call == after.id]
        subject = wording.joined(domains) or f"the rota “{after.id}”"
        yield from dict.fromkeys(told(ROTA, Seen(old, new, subject), before, after))


def ladder_changed(
    old: Policy, new: Policy, before: EscalationPolicy | None, after: EscalationPolicy | None
) -> Iterator[str]:
    """The sentences of one escalation. A new one is described by the runbook that names it."""
    if after is not None and before is not None:
        yield from told(LADDER, Seen(old, new, f"the escalation “{after.id}”"), before, after)


def person_changed(old: Policy, new: Policy, before: NamedPerson | None, after: NamedPerson | None) -> Iterator[str]:
    """The sentences of one line of `people:`. A line alone gives nothing, so only its page and passkeys count."""
    line = after or before
    if line is not None:
        blank = NamedPerson("", line.person, line.name)
        yield from told(PERSON, Seen(old, new, line.name), before or blank, after or blank)


def _accounts(seen: Seen, listed: list[Any]) -> str:
    return wording.joined([seen.account(ref) for ref in listed])


def _steps(seen: Seen, old: Sequence[PolicyStep], new: Sequence[PolicyStep]) -> Iterator[str]:
    """When each role is first asked, and who is paged; reminders in one sentence."""
    before, after = _asked(old), _asked(new)
    for role, step in after.items():
        words = ROLE_WORDS[role]
        if role not in before:
            yield f"Under {seen.subject} the {words} is now asked too, {_when(step)}."
        elif before[role].after != step.after:
            yield f"Under {seen.subject} the {words} is now asked {_when(step)} instead of {_when(before[role])}."
        if role in before and before[role].page != step.page:
            yield f"Under {seen.subject} the {words} is {'now' if step.page else 'no longer'} paged as well."
    yield from (f"Under {seen.subject} the {ROLE_WORDS[r]} is no longer asked." for r in before if r not in after)
    if [s for s in old if s.action == "remind"] != [s for s in new if s.action == "remind"]:
        yield f"Under {seen.subject} reminders come at other times."


def _asked(steps: Sequence[PolicyStep]) -> Mapping[Role, PolicyStep]:
    found: dict[Role, PolicyStep] = {}
    for step in steps:
        if step.action == "notify":
            found.setdefault(step.role, step)
    return found


def _when(step: PolicyStep) -> str:
    return f"after {wording.lasting(step.after)}" if step.after else "at once"


def _shifts(seen: Seen, old: object, new: object) -> Iterator[str]:
    yield f"Who is on call for {seen.subject} at what time changes."


def _elsewhere(seen: Seen, old: str | None, new: str | None) -> Iterator[str]:
    """Never the address: it may hold a secret."""
    where = "go to another address" if old and new else "are now sent" if new else "are no longer sent"
    yield f"Pages for {seen.subject} {where}."


def _people_on_call(seen: Seen, listed: list[Any]) -> str:
    return seen.people(listed)


PROVIDER: Table = {
    "id": silent,
    "name": replaced("{subject} is the new name{instead}.", quoted),
    "contract": replaced("The contract of {subject} is now {new}{instead}."),
    "contract_from": optional(
        "The contract of {subject} begins on {new}{instead}: nothing may be asked for before.",
        "{subject} may ask at once; before from {old} on.",
        wording.day,
    ),
    "contract_until": optional(
        "The contract of {subject} now ends on {new}{instead}: nothing may be asked for afterwards.",
        "The contract of {subject} has no end any more; before {old}.",
        wording.day,
    ),
    "service": optional("The service of {subject} now reads {new}{instead}.", "The service of {subject} is no longer stated.", quoted),
    "channel": replaced("{subject} now asks in the channel {new}{instead}."),
    "workspaces": gained_and_lost(
        "Everybody in the workspace {names} now belongs to {subject}, so that they may decide nothing.",
        "The workspace {names} no longer belongs to {subject}.",
        lambda _seen, listed: wording.joined(listed),
    ),
    "members": gained_and_lost(
        "From now on {subject} counts {names} among its people, who decide nothing.",
        "{subject} no longer counts {names} among its people.",
        _accounts,
    ),
    "requesters": gained_and_lost(
        "From now on {names} may ask on behalf of {subject}.", "{names} may no longer ask on behalf of {subject}.", _accounts
    ),
    "leads": gained_and_lost(
        "From now on {names} may see the requests of {subject} and advise, as its lead, but decide nothing.",
        "{names} may no longer see the requests of {subject} and advise, as its lead.",
        _accounts,
    ),
}  # fmt: skip

ROTA: Table = {
    "id": silent, "source": _shifts, "time_zone": _shifts, "shifts": _shifts, "fallback": _shifts, "feed": _shifts,
    "overrides": _shifts,
    "people": gained_and_lost(
        "From now on {names} may be on call for {subject} and then approve once reached.",
        "{names} may no longer be on call for {subject}.",
        _people_on_call,
    ),
    "page": _elsewhere,
}  # fmt: skip

LADDER: Table = {
    "id": silent,
    "expires_after": replaced(
        "Under {subject} a request without an answer now expires after {new}{instead}.", wording.lasting
    ),
    "steps": _steps,
    "hours": optional(
        "Times of {subject} now count only on {new}{instead}.",
        "Times of {subject} now count at every hour; before only on {old}.",
        hours_words,
    ),
}

PERSON: Table = {
    "label": silent, "person": silent, "name": silent,
    "page": _elsewhere,
    "passkeys": gained_and_lost(
        "A yes of {subject} may now be signed with the passkey {names}.",
        "The passkey {names} of {subject} no longer counts.",
        lambda _seen, listed: wording.joined([key.label or key.id[:12] for key in listed]),
    ),
}  # fmt: skip
