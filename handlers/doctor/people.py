"""Checks each account of the policy in Slack: that it exists, is of the right workspace, and is fit for its role.

People with authority must be living, full members of the workspace that the policy names. A provider's people only ask, so
for them most flaws are warnings; but one who administers the home workspace could sign in as any owner, which no rule of
ours can hold (design, section 1; docs/security/index.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.diagnostics import Diagnosis, Severity, error, listed, warning
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person, Profile, Ref
from bot.domain.policy.provider import Provider
from handlers.doctor.lookups import Account, Lookups, No

_WHOAMI = "put the id that `/countersign whoami @name` prints into responsibility.yaml"
_UNKNOWN = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """One account that the policy names. It is of one of `teams`; `parts` say what for; `provider` is whose side."""

    user: str
    teams: frozenset[str]
    parts: tuple[str, ...]
    authority: bool = False
    provider: Provider | None = None


async def examine_people(lookups: Lookups, policy: Policy) -> list[Diagnosis]:
    """At most one finding a person, the gravest, and one more for a provider's person who administers the home workspace."""
    found: list[Diagnosis] = []
    for named in roster(policy):
        account = await lookups.account(named.user)
        if isinstance(account, No) and account.word == "missing_scope":
            found.append(warning("people", "People were not looked up: the app lacks the scope users:read."))
            break
        found.extend(_judged(policy, named, account))
    return found


def roster(policy: Policy) -> list[NamedAccount]:
    """All accounts that the policy names, each once, with all their roles."""
    merged: dict[tuple[str, frozenset[str]], NamedAccount] = {}
    for named in (*_with_authority(policy), *_of_providers(policy)):
        key = (named.user, named.teams)
        known = merged.get(key)
        parts = tuple(dict.fromkeys((*known.parts, *named.parts))) if known else named.parts
        merged[key] = replace(named, parts=parts)
    seen = {user for user, _ in merged}
    return [*merged.values(), *(named for named in _others(policy) if named.user not in seen)]


def _with_authority(policy: Policy) -> Iterator[NamedAccount]:
    def having(person: Person, part: str) -> NamedAccount:
        return NamedAccount(person.user, frozenset([person.team]), (part,), authority=True)

    for domain in policy.domains.values():
        yield having(domain.owner, f"owner of `{domain.id}`")
        for person in domain.deputies:
            yield having(person, f"deputy of `{domain.id}`")
        if domain.risk_owner is not None:
            yield having(domain.risk_owner, f"risk owner of `{domain.id}`")
    for rota in policy.rotas.values():
        for person in rota.people:
            yield having(person, f"on call in rota `{rota.id}`")
    for person in policy.auditors:
        yield having(person, "auditor")


def _of_providers(policy: Policy) -> Iterator[NamedAccount]:
    def of(provider: Provider, refs: tuple[Ref, ...], part: str) -> Iterator[NamedAccount]:
        for ref in refs:
            yield NamedAccount(ref.user, ref.teams, (f"{part} of provider `{provider.id}`",), provider=provider)

    for provider in policy.providers.values():
        yield from of(provider, provider.members, "member")
        yield from of(provider, provider.requesters, "requester")
        yield from of(provider, provider.leads, "lead")


def _others(policy: Policy) -> Iterator[NamedAccount]:
    """Lines of `people:` that nothing uses, and further accounts of one human."""
    lines = {line.person.user: line.person.team for line in policy.people}
    for user, team in lines.items():
        provider = policy.provider_of(Person(team, user))
        yield NamedAccount(user, frozenset([team]), ("a line of `people:`",), provider=provider)
    for user in sorted({user for group in policy.humans.groups for user in group} - lines.keys()):
        yield NamedAccount(
            user, frozenset(), ("an account in `same_person:`",), provider=policy.provider_of(Person("", user))
        )


def _judged(policy: Policy, named: NamedAccount, account: Account | No) -> Iterator[Diagnosis]:
    severity: Severity = "error" if named.authority else "warning"
    if isinstance(account, No):
        yield _unknown(named, account.word, severity)
        return
    who = _who(policy, named, account)
    flaw = _flaw(named, account.profile)
    if flaw:
        wrong_team = bool(named.teams) and account.profile.person.team not in named.teams
        yield Diagnosis("error" if wrong_team else severity, "people", f"{who}, {flaw}")
    if named.provider is not None and account.administers and account.profile.person.team in policy.workspaces:
        yield error(
            "people",
            f"{who}, is an admin or owner of your workspace, so a provider administers your Slack and can act as any owner:"
            " take that role away under Settings & administration → Manage members.",
        )


def _unknown(named: NamedAccount, word: str, severity: Severity) -> Diagnosis:
    parts = listed(named.parts)
    if word in _UNKNOWN:
        return Diagnosis(severity, "people", f"Slack does not know {named.user}, {parts}: {_WHOAMI}.")
    return error("people", f"Slack did not say who {named.user}, {parts}, is ({word}): run doctor again in a minute.")


def _flaw(named: NamedAccount, profile: Profile) -> str:
    """The gravest flaw, as the end of a sentence; empty if there is none."""
    team = profile.person.team
    if profile.deleted:
        return f"is deactivated in Slack: {_instead(named)}."
    if profile.is_bot:
        return f"is a bot and not a person: {_instead(named)}."
    if named.teams and team not in named.teams:
        said = listed(sorted(named.teams))
        return f"is of workspace {team}, the policy says {said}: correct the id, or {_instead(named)}."
    if profile.is_stranger:
        return "is a stranger here, no channel is shared with them: invite them to one by Slack Connect, or correct the id."
    if profile.is_guest and named.authority:
        return (
            "is a guest, and guests decide nothing: make them a full member under Settings & administration → Manage"
            f" members, or {_instead(named)}."
        )
    return ""


def _instead(named: NamedAccount) -> str:
    return "name somebody else in responsibility.yaml" if named.authority else "take them out of responsibility.yaml"


def _who(policy: Policy, named: NamedAccount, account: Account) -> str:
    name = next((line.name for line in policy.people if line.person.user == named.user), account.profile.name)
    return f"{name} ({named.user}), {listed(named.parts)}"
