"""When a question has its yes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.authority.authorization import Allowed, standing
from bot.domain.authority.quorum import Count, count
from bot.domain.case.ask import Reached, Vote
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy, Role
from bot.domain.policy.people import Humans, Person
from tests.bot.building import (
    DEP1,
    DEP2,
    MACH,
    ONC1,
    OWNER,
    PE1,
    RISK,
    STRANGER,
    T0,
    case_of,
    policy,
    runbook,
    with_domain,
)

EVERYBODY: tuple[tuple[Person, Role], ...] = (
    (DEP1, "deputies"), (DEP2, "deputies"), (ONC1, "on_call"), (RISK, "risk_owner"),
)  # fmt: skip


def yes(*people: Person, seconds: int = 3600) -> tuple[Vote, ...]:
    return tuple(Vote(person, "yes", "owner", T0, seconds) for person in people)


def counted(base: Policy, runbook_id: str, *votes: Vote) -> Count:
    """The tally once everybody was reached."""
    case = opened(base, runbook_id, *votes)
    return count(case, case.approval, base)


def opened(base: Policy, runbook_id: str, *votes: Vote) -> Case:
    case = case_of(base, runbook_id)
    reached = tuple(Reached(person, role, 4, T0) for person, role in EVERYBODY)
    return case.with_approval(replace(case.approval, reached=reached, votes=votes))


def test_one_yes_of_the_owner_meets_a_quorum_of_one() -> None:
    assert counted(policy(), "emergency", *yes(OWNER)) == Count(1, 1, (), 3600)
    assert counted(policy(), "emergency", *yes(OWNER)).met


def test_without_a_yes_nothing_is_met() -> None:
    assert not counted(policy(), "emergency").met


def test_zero_approvals_are_never_met() -> None:
    base = policy(runbooks=[runbook("none", approvals=0)])
    assert not counted(base, "none").met
    assert not counted(base, "none", *yes(OWNER)).met


def test_two_yeses_of_one_account_are_one() -> None:
    assert counted(policy(), "pair", *yes(OWNER, OWNER)).have == 1


def test_two_accounts_of_one_human_are_one() -> None:
    base = policy(humans=Humans.joined([["U0OWNER", "U0DEP1"]]))
    tally = counted(base, "pair", *yes(OWNER, DEP1))
    assert (tally.have, tally.met) == (1, False)


def test_two_humans_meet_a_quorum_of_two() -> None:
    assert counted(policy(), "pair", *yes(OWNER, DEP1)).met


def test_the_required_role_must_be_among_them() -> None:
    lacking = counted(policy(), "double", *yes(OWNER, DEP1))
    assert (lacking.have, lacking.lacking, lacking.met) == (2, ("risk_owner",), False)
    assert counted(policy(), "double", *yes(DEP1, RISK)).met


def test_the_required_role_alone_is_not_enough() -> None:
    assert not counted(policy(), "double", *yes(RISK)).met


def test_one_human_covers_one_required_role_only() -> None:
    base = with_domain(policy(runbooks=[runbook("both", approvals=2, requires=("owner", "risk_owner"))]), risk_owner=OWNER)
    tally = counted(base, "both", *yes(OWNER, DEP1))
    assert len(tally.lacking) == 1
    assert not tally.met


def test_anyone_who_can_cover_two_roles_covers_the_one_that_is_wanted() -> None:
    both = runbook("both", approvals=2, requires=("owner", "deputies"))
    base = with_domain(policy(runbooks=[both]), deputies=(OWNER, DEP1))
    assert counted(base, "both", *yes(OWNER, DEP1)).met
    assert counted(base, "both", *yes(DEP1, OWNER)).met


def test_an_earlier_yes_counts_no_more_after_the_person_left_the_roster() -> None:
    case = opened(policy(), "pair", *yes(OWNER, DEP1))
    later = with_domain(policy(), deputies=(DEP2,))
    tally = count(case, case.approval, later)
    assert (tally.have, tally.met) == (1, False)


def test_a_no_is_no_yes() -> None:
    assert counted(policy(), "emergency", Vote(OWNER, "no", "owner", T0, 0)).have == 0


def test_the_smallest_time_that_a_counted_yes_gave_is_given() -> None:
    votes = (*yes(OWNER, seconds=900), *yes(DEP1, seconds=600), *yes(STRANGER, seconds=60))
    assert counted(policy(), "pair", *votes).seconds == 600


@given(
    people=st.lists(st.sampled_from([OWNER, DEP1, DEP2, ONC1, RISK, STRANGER, PE1, MACH]), max_size=6),
    need=st.integers(0, 4),
    requires=st.sets(st.sampled_from(["owner", "deputies", "on_call", "risk_owner"])),
    joined=st.lists(st.sampled_from(["U0OWNER", "U0DEP1", "U0RISK", "U0NOBODY"]), min_size=2, max_size=2),
    owner=st.sampled_from([OWNER, DEP1, RISK]),
)
def test_the_tally_agrees_with_a_search_through_all_assignments(
    people: list[Person], need: int, requires: set[Role], joined: list[str], owner: Person
) -> None:
    wanted = tuple(sorted(requires))
    base = policy(humans=Humans.joined([joined]), runbooks=[runbook("any", approvals=need, requires=wanted)])
    base = with_domain(base, owner=owner)
    case = opened(base, "any", *yes(*dict.fromkeys(people)))
    tally = count(case, case.approval, base)
    roles: dict[str, set[str]] = {}
    for person in dict.fromkeys(people):
        judged = standing(case, case.approval, base, person)
        if isinstance(judged, Allowed):
            roles.setdefault(base.humans.key(person), set()).update(judged.roles)  # one human in the roles of both
    humans = list(roles)
    covered = any(
        all(role in roles[human] for human, role in zip(chosen, wanted, strict=True))
        for chosen in permutations(humans, len(wanted))
    )
    assert tally.have == len(humans)
    assert (not tally.lacking) == covered
    assert tally.met == (need >= 1 and len(humans) >= need and covered)
