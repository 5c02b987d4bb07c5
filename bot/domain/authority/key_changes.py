"""Which change of policy touches the keys that decisions are signed with, who gains by it, and who may endorse it.

Whoever can merge into the policy's repository could add a key of their own. So a change that adds a passkey, touches `signing`,
weakens a runbook's signature, or names somebody new under a signed runbook counts like any other only if it is endorsed: for
each domain touched its owner or risk owner, of the set before and gaining nothing by it, signs it. A domain that the set before
did not know is endorsed by any owner or risk owner of that set. Removing a key gives nobody anything and waits for nobody.
Compared are humans, not lines: to join an account to somebody who holds a key is to add that key to it.
The first set that has `signing` adds nothing to anything: nobody could endorse it, and an auditor pins its digest.
A new runbook without a signature is no weakening; it waits `policy_delay`, is announced, and `check` warns of it.
Source: signed-decisions.md, "Changes of the keys".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import Domain, Policy, Runbook
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Passkey, Signature

_STRENGTH: tuple[Signature, ...] = ("none", "required", "device_bound")


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What a change does to the keys. `domains` are those touched, sorted; `gainers` get something by it and endorse nothing."""

    domains: tuple[str, ...]
    gainers: frozenset[Person]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Touch:
    """One reason: a sentence, the domains that it touches, and who gains."""

    text: str
    domains: frozenset[str]
    gainers: tuple[Person, ...] = ()


def key_change(old: Policy, new: Policy) -> KeyChange | None:
    """What has to be endorsed when `new` follows `old`; None where nothing has to be."""
    if old.signing is None:
        return None
    touched = (*_keys_added(old, new), *_signing(old, new), *_weakened(old, new), *_named(old, new))
    if not touched:
        return None
    domains = frozenset(domain for touch in touched for domain in touch.domains)
    gainers = frozenset(person for touch in touched for person in touch.gainers)
    return KeyChange(tuple(sorted(domains)), gainers, tuple(dict.fromkeys(touch.text for touch in touched)))


def endorsable(change: KeyChange, old: Policy, person: Person) -> frozenset[str]:
    """The domains for which somebody may endorse the change, as the set before it names its owners."""
    if old.provider_of(person) is not None or any(old.humans.same(person, gainer) for gainer in change.gainers):
        return frozenset()
    answering = {domain.id: {domain.owner, domain.risk_owner} for domain in old.domains.values()}
    anybody = {one for people in answering.values() for one in people}
    return frozenset(domain for domain in change.domains if person in answering.get(domain, anybody))


def endorsers(change: KeyChange, old: Policy) -> dict[str, tuple[Person, ...]]:
    """Who may endorse the change, by domain."""
    people = sorted({p for d in old.domains.values() for p in (d.owner, d.risk_owner) if p is not None})
    able = {person: endorsable(change, old, person) for person in people}
    return {domain: tuple(p for p in people if domain in able[p]) for domain in change.domains}


def covered(change: KeyChange, endorsed: Collection[str]) -> bool:
    """Whether every domain touched has been endorsed."""
    return set(change.domains) <= set(endorsed)


def passkeys_of(policy: Policy, person: Person) -> tuple[Passkey, ...]:
    """The passkeys of a human, under any of their accounts."""
    return tuple(k for named in policy.people if policy.humans.same(named.person, person) for k in named.passkeys)


def stands(policy: Policy, person: Person, key: Passkey) -> bool:
    """Whether a set names this very key for the human. Its label, and what was noted of its attestation, do not matter."""
    return any(replace(known, label=key.label, attested=key.attested) == key for known in passkeys_of(policy, person))


def stands_in_all(sets: Iterable[Policy], person: Person, key: Passkey) -> bool:
    """Whether every one of these sets that has keys at all names this very key for the human."""
    return all(was.signing is None or stands(was, person, key) for was in sets)


def _keys_added(old: Policy, new: Policy) -> Iterator[_Touch]:
    accounts = {named.person for named in new.people} | _everybody(new)
    for person in sorted(accounts):
        added = [key for key in passkeys_of(new, person) if not stands(old, person, key)]
        if added:
            domains = _domains_of(old, new, person)
            yield _Touch(f"{new.name_of(person)} gets a passkey ({_named_key(added[0])})", domains, (person,))


def _signing(old: Policy, new: Policy) -> Iterator[_Touch]:
    if new.signing != old.signing or _roots(old) not in (None, _roots(new)):
        signed = {book.domain for book in (*old.runbooks.values(), *new.runbooks.values()) if book.signature != "none"}
        yield _Touch("the key `signing` changes", frozenset(signed) or frozenset(old.domains))


def _roots(policy: Policy) -> str | None:
    """The digest of the roots that a new passkey's attestation is judged by; None in sets that were accepted without the file."""
    path = policy.signing.attestation if policy.signing is not None else None
    return next((file.sha256 for file in policy.files if file.path == path), None)


def _weakened(old: Policy, new: Policy) -> Iterator[_Touch]:
    for was in old.runbooks.values():
        runbook = new.runbooks.get(was.id)
        if runbook is not None and _STRENGTH.index(runbook.signature) < _STRENGTH.index(was.signature):
            text = f"{was.title} takes a weaker signature ({runbook.signature}, before: {was.signature})"
            yield _Touch(text, frozenset({was.domain, runbook.domain}))


def _named(old: Policy, new: Policy) -> Iterator[_Touch]:
    """Who is named now where a signed runbook is decided, and was not before."""
    for runbook in new.runbooks.values():
        if runbook.signature == "none":
            continue
        was = old.runbooks.get(runbook.id, runbook)
        before = {old.humans.key(person) for person in _people(old, was)}
        fresh = tuple(p for p in _people(new, runbook) if old.humans.key(p) not in before)
        if fresh:
            text = f"{', '.join(new.name_of(p) for p in fresh)} may decide {runbook.title}"
            yield _Touch(text, frozenset({was.domain, runbook.domain}), fresh)


def _people(policy: Policy, runbook: Runbook) -> tuple[Person, ...]:
    domain = policy.domains.get(runbook.domain)
    return _of_domain(policy, domain) if domain is not None else ()


def _of_domain(policy: Policy, domain: Domain) -> tuple[Person, ...]:
    """Everybody named for a domain, on whatever day."""
    return tuple(dict.fromkeys((*named_for(policy, domain), *(term.person for term in domain.terms))))


def _everybody(policy: Policy) -> set[Person]:
    return {person for domain in policy.domains.values() for person in _of_domain(policy, domain)}


def _domains_of(old: Policy, new: Policy, person: Person) -> frozenset[str]:
    """The domains in which a person decides; every domain for a person who decides in none, such as an auditor."""
    found = {d.id for policy in (old, new) for d in policy.domains.values() if _among(policy, d, person)}
    return frozenset(found) or frozenset(old.domains)


def _among(policy: Policy, domain: Domain, person: Person) -> bool:
    return any(policy.humans.same(person, named) for named in _of_domain(policy, domain))


def _named_key(key: Passkey) -> str:
    return key.label or f"{key.id[:12]}…"
