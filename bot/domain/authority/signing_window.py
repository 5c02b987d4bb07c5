"""The window in which nobody could say yes, because a signature is demanded before keys count that could give it.

A stricter signature counts at once, a new key only for what is asked for once its change is rolled out. So keys come first, and the
demand in a later change, when they count. Source: signed-decisions.md, "Policy".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain.authority.authorization import named_for, named_roles
from bot.domain.authority.endorsement import counting_passkeys
from bot.domain.authority.policy_rollout import Sets
from bot.domain.authority.quorum import cover
from bot.domain.policy.model import Policy, Runbook
from bot.domain.policy.people import Person


@dataclass(frozen=True, slots=True)
class Window:
    """Nobody can say yes to what is asked for under the runbook before `until`; None: as long as the sets stay as they are."""

    runbook: Runbook
    until: datetime | None


def windows(sets: Sets, now: datetime) -> Iterator[Window]:
    """Every runbook to which nobody could say yes for what is asked for at `now`."""
    for runbook in sets.current.runbooks.values():
        if runbook.signature == "none" or runbook.right == "autonomous" or _reached(sets, runbook, now):
            continue
        ends = sorted(one.until for one in sets.sets[:-1] if one.until is not None and one.until > now)
        yield Window(runbook, next((end for end in ends if _reached(sets, runbook, end)), None))


def sentence(window: Window) -> str:
    """The window in words."""
    title = window.runbook.title
    if window.until is None:
        return f"Nobody can sign a yes to {title}: add passkeys first, and the signature in a later change."
    return (
        f"Nobody can sign a yes to {title} that is asked for before {window.until:%Y-%m-%d %H:%M} UTC, when its keys count."
    )


def _reached(sets: Sets, runbook: Runbook, at: datetime) -> bool:
    """Whether those who could sign reach the quorum for what is asked for at a moment."""
    policy, domain = sets.current, sets.current.domains.get(runbook.domain)
    if domain is None:
        return True
    able = [p for p in named_for(policy, domain) if counting_passkeys(sets, p, runbook.signature, at)]
    humans: dict[str, Person] = {policy.humans.key(person): person for person in able}
    roles = [named_roles(policy, domain, person) for person in humans.values()]
    return len(humans) >= runbook.approvals and cover(runbook.requires, roles) >= set(runbook.requires)


def change_windows(sets: Sets, policy: Policy, at: datetime, scale: float) -> tuple[str, ...]:
    """What a change that is loaded at `at` makes impossible for a while, in sentences; nothing that was so before."""
    before = {window.runbook.id for window in windows(sets, at)}
    return tuple(sentence(one) for one in windows(sets.then(policy, at, scale), at) if one.runbook.id not in before)
