"""Words of the matrix and of its changes, the same in text, table, page and announcement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.domain.governance.matrix import Column
from bot.domain.policy.model import Kind, Policy
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Signature

COLUMNS: Mapping[Column, str] = {
    "by_itself": "By itself",
    "with_authorisation": "With authorisation",
    "must_escalate": "Must escalate at once",
}
KINDS: Mapping[str, str] = {
    "emergency_access": "emergency access", "reset": "resets", "policy_exception": "policy exceptions", "finding": "findings",
}  # fmt: skip
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def person(policy: Policy, who: Person) -> str:
    """A person's name, with the id where the policy names none."""
    return policy.name_of(who)


def people(policy: Policy, listed: Sequence[Person]) -> str:
    return joined([person(policy, who) for who in listed])


_SIGNED: Mapping[Signature, str] = {
    "none": "", "required": " signed with a passkey", "device_bound": " signed with a passkey that cannot be synced",
}  # fmt: skip


def approvals(count: int, signature: Signature = "none") -> str:
    """`1 approval`, `2 approvals signed with a passkey`."""
    return ("1 approval" if count == 1 else f"{count} approvals") + _SIGNED[signature]


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def lasting(seconds: int) -> str:
    """`5400` is `1 hour 30 minutes`."""
    parts, left = [], seconds
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}" + ("s" if count > 1 else ""))
    return " ".join(parts) or "0 seconds"


def day(when: date) -> str:
    """`1 January 2027`."""
    return f"{when.day} {when:%B %Y}"


def kinds(found: Sequence[Kind]) -> str:
    """`emergency access and resets`."""
    return joined([KINDS[kind] for kind in dict.fromkeys(found)])
