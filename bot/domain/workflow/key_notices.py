"""Messages outside Slack about signing: that nobody has endorsed a change of the keys, that somebody has, and what was signed.

Whoever can merge into the policy's repository can add a key of their own, and could silence Slack's messages. So an unendorsed
change is announced to every owner and auditor, of the old set and the new one, in Slack and by their pages.
A passkey does not show what it signs, so a copy of each signed yes goes to the signer and to one more person of the domain.
Source: signed-decisions.md, "Changes of the keys" and "Stated limits".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.domain.authority.authorization import named_for
from bot.domain.authority.endorsement import WaitingChange, key_change_id
from bot.domain.authority.key_changes import KeyChange, endorsers, key_change
from bot.domain.case.model import Case
from bot.domain.case.transition import Lane, Notification, epoch_ms
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.signing.statement import Statement


def unendorsed(old: Policy, new: Policy, until: datetime) -> tuple[Notification, ...]:
    """Informs every owner and auditor, in Slack and by page, of a change that nobody has endorsed, and in Slack everybody who may endorse it;
    `until` then it has no effect. Nothing where no key changes."""
    what = key_change(old, new)
    if what is None:
        return ()
    data = {"old": old.digest, "new": new.digest, "sentences": list(what.sentences), "until": epoch_ms(until)}
    title, text = page_text(what, old, new, until)
    page = {"action": "trigger", "title": title, "text": text, "link": f"{_origin(old, new)}/"}
    people, about = concerned((old, new)), key_change_id(old.digest, new.digest)
    able = (person for found in endorsers(what, old).values() for person in found)
    return (
        *(Notification("key_change", Lane.CARD, about, to=person, data=data) for person in dict.fromkeys((*people, *able))),
        *(Notification("pager", Lane.URGENT, to=person, data=page) for person in people),
    )


def endorsed(change: WaitingChange, by: Person, until: datetime | None) -> tuple[Notification, ...]:
    """Tells them that somebody endorsed it; `until`: from when it counts, None while it lacks an endorsement."""
    data = {
        "new": change.new.digest, "sentences": list(change.what.sentences), "by": str(by),
        "until": 0 if until is None else epoch_ms(until),
    }  # fmt: skip
    people = concerned((change.old, change.new))
    return tuple(Notification("key_endorsed", Lane.CARD, to=person, data=data) for person in people)


def nobody_can_sign(new: Policy, windows: Collection[str], until: datetime) -> tuple[Notification, ...]:
    """Announces to every owner and auditor in which window nobody could say yes; nothing where there is none."""
    if not windows:
        return ()
    data = {"domain": new.organisation, "people": [], "sentences": list(windows), "counts_from": epoch_ms(until)}
    return tuple(Notification("policy", Lane.CARD, to=person, data=data) for person in concerned((new,)))


def copies(case: Case, policy: Policy, signer: Person, statement: Statement) -> tuple[Notification, ...]:
    """What was signed, to the signer and to the first other person of the domain who has an address outside Slack. A note, which
    wakes nobody: no incident is opened for it."""
    domain = policy.domains.get(case.request.domain)
    reachable = {named.person for named in policy.people if named.page}
    others = [p for p in (named_for(policy, domain) if domain is not None else ()) if not policy.humans.same(p, signer)]
    people = [signer, *(p for p in others if p in reachable)][:2]
    about = statement.about
    lasts = f"until {about['until']}" if "until" in about else f"{about['seconds']} s" if "seconds" in about else ""
    said = ", ".join(part for part in (str(about.get("verdict")), case.id, case.request.title, lasts) if part)
    text = (
        f"{policy.name_of(signer)} signed with a passkey: {said}. SHA-256 of the statement: {statement.challenge.hex()}."
        " If this is not what was shown, revoke it and tell your security team."
    )
    data = {"action": "trigger", "title": f"Signed: {case.id}", "text": text, "link": "", "quiet": True}
    return tuple(Notification("pager", Lane.CARD, to=person, data=data) for person in people if person in reachable)


def concerned(sets: Iterable[Policy]) -> tuple[Person, ...]:
    """Every owner and auditor of these sets."""
    return tuple(
        dict.fromkeys(
            person for policy in sets for person in (*(d.owner for d in policy.domains.values()), *policy.auditors)
        )
    )


def page_text(what: KeyChange, old: Policy, new: Policy, until: datetime) -> tuple[str, str]:
    """Title and text of the page: our own words and names of domains, nothing that the change itself could say."""
    domains = ", ".join(old.domains[id_].name if id_ in old.domains else id_ for id_ in what.domains)
    text = (
        f"A change of the policy touches the keys that sign decisions, for {domains}. Nobody has endorsed it. It counts from"
        f" {until:%Y-%m-%d %H:%M} UTC. If you do not know of it, have it reverted now. Endorse it on the page."
    )
    return f"{old.organisation}: signing keys change", text


def _origin(old: Policy, new: Policy) -> str:
    signing = new.signing or old.signing
    return signing.origin if signing is not None else ""
