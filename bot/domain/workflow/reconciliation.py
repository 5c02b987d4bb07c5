"""Who has access, and who has a grant: the two lists side by side, and what either has alone.

An access and a grant belong together when runbook and target are equal and the person is the same human: for counting,
equal user ids are one person whatever the workspace, and `same_person` joins accounts (design, section 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.policy.people import Humans, Person


@dataclass(frozen=True, slots=True)
class Access:
    """One access that exists, from line `line` of the file. A person without a workspace has an empty `team`."""

    line: int
    runbook: str
    person: Person
    target: str


@dataclass(frozen=True, slots=True)
class Differences:
    """What one list has and the other lacks."""

    access_without_grant: tuple[Access, ...]
    grant_without_access: tuple[Case, ...]

    def __bool__(self) -> bool:
        return bool(self.access_without_grant or self.grant_without_access)


def compare(found: Sequence[Access], open_cases: Sequence[Case], humans: Humans) -> Differences:
    """The differences, each in the order of its list. `open_cases` have an open grant each."""
    exists = {(a.runbook, humans.key(a.person), a.target) for a in found}
    granted = {_key(case, humans) for case in open_cases}
    return Differences(
        tuple(a for a in found if (a.runbook, humans.key(a.person), a.target) not in granted),
        tuple(case for case in open_cases if _key(case, humans) not in exists),
    )


def _key(case: Case, humans: Humans) -> tuple[str, str, str]:
    request = case.request
    return request.runbook, humans.key(request.requester), request.target


def is_open(case: Case, now: datetime) -> bool:
    """Whether the grant is open now, whether or not any timer ran."""
    return case.grant is not None and case.grant.state is GrantState.OPEN and now < case.grant.not_after
