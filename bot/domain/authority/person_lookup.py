"""Whom somebody on the host means. A person is written as a label of `people:`, as an id, or as `TEAM/USER`.

Only accounts that the policy names are found: a name that means nobody must not pass for somebody who is never asked.
"""

from __future__ import annotations

from bot.domain.authority.authorization import named_for
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person


def named(policy: Policy, text: str) -> Person | None:
    """The one person that `text` identifies; None if the policy has nobody, or several accounts, by that text."""
    label = next((p.person for p in policy.people if p.label == text), None)
    if label is not None:
        return label
    found = [p for p in everybody(policy) if text in (str(p), p.user)]
    return found[0] if len(found) == 1 else None


def everybody(policy: Policy) -> tuple[Person, ...]:
    """Every account that the policy names on the side of the organisation, and everyone under `people:`, each once."""
    domains = (p for d in policy.domains.values() for p in named_for(policy, d))
    return tuple(dict.fromkeys((*(p.person for p in policy.people), *domains, *policy.auditors)))
