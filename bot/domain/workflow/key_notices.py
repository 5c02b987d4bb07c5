"""What is said about a change of the signing keys: that nobody has endorsed it yet, and that somebody has.

Whoever can merge into the policy's repository can add a key of their own, and could silence Slack's messages. So an unendorsed
change is said to every owner and auditor, of the set before and of the new one, in Slack and by their pages.
Source: signed-decisions.md, "Changes of the keys".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.authority.endorsement import WaitingChange
from bot.domain.authority.key_changes import KeyChange, key_change
from bot.domain.case.transition import Lane, Notification, epoch_ms
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


def unendorsed(old: Policy, new: Policy, until: datetime) -> tuple[Notification, ...]:
    """Tells every owner and auditor, in Slack and by page, of a change that nobody has endorsed; `until` it counts for nothing.
    Nothing where no key changes."""
    what = key_change(old, new)
    if what is None:
        return ()
    data = {"old": old.digest, "new": new.digest, "sentences": list(what.sentences), "until": epoch_ms(until)}
    title, text = page_text(what, old, new, until)
    page = {"action": "trigger", "title": title, "text": text, "link": f"{_origin(old, new)}/"}
    people = concerned((old, new))
    return (
        *(Notification("key_change", Lane.CARD, to=person, data=data) for person in people),
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
        f" {until:%Y-%m-%d %H:%M} UTC. If you do not know of it, have it taken back now. Endorse it on the page."
    )
    return f"{old.organisation}: signing keys change", text


def _origin(old: Policy, new: Policy) -> str:
    signing = new.signing or old.signing
    return signing.origin if signing is not None else ""
