"""Who has access, and who has a grant: the two lists side by side, and what either has alone.

An access and a grant belong together when the runbook is equal, the targets look the same (`same_text`) and the person is the same
human: for counting, equal user ids are one person whatever the workspace, and `same_person` joins accounts (design,
section 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case
from bot.domain.policy.people import Humans, Person
from bot.domain.policy.same_text import folded


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
    exists = {_of_access(access, humans) for access in found}
    granted = {_key(case, humans) for case in open_cases}
    return Differences(
        tuple(access for access in found if _of_access(access, humans) not in granted),
        tuple(case for case in open_cases if _key(case, humans) not in exists),
    )


def compare_as_of(
    found: Sequence[Access], cases: Sequence[Case], humans: Humans, as_of: datetime, now: datetime
) -> Differences:
    """The differences of a list that shows the moment `as_of` and was read until `now`.

    What opened or ended between the two is no difference: an access counts as granted if a grant held at any moment of that
    time, and only a grant that held at both its ends lacks its access. `cases` have a grant each.
    """
    held = [case for case in cases if _held(case, as_of, now)]
    all_the_time = [case for case in held if case.grant and case.grant.opened_at <= as_of and is_open(case, now)]
    without = compare(found, held, humans).access_without_grant
    return Differences(without, compare(found, all_the_time, humans).grant_without_access)


def _held(case: Case, as_of: datetime, now: datetime) -> bool:
    grant = case.grant
    return grant is not None and grant.opened_at <= now and as_of <= min(grant.not_after, grant.ended_at or grant.not_after)


def _of_access(access: Access, humans: Humans) -> tuple[str, str, str]:
    return access.runbook, humans.key(access.person), folded(access.target)


def _key(case: Case, humans: Humans) -> tuple[str, str, str]:
    request = case.request
    return request.runbook, humans.key(request.requester), folded(request.target)


def is_open(case: Case, now: datetime) -> bool:
    """Whether the grant is open now, whether or not any timer ran."""
    return case.grant is not None and case.grant.state is GrantState.OPEN and now < case.grant.not_after
