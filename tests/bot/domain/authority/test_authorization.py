"""Who may decide: party rule, conflict rule, a living account, a name for the domain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.authority.authorization import Allowed, Refused, confirming_roles, conflicted, may_decide, named_for
from bot.domain.case.ask import Reached
from bot.domain.case.click import Refusal
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy, Suspended, TakenAway
from bot.domain.policy.people import Humans, Person, Profile
from tests.bot.building import (
    AUDIT,
    COLLEAGUE,
    DEP1,
    DEP2,
    GUEST,
    HOME,
    LEAD,
    MACH,
    NAMESAKE,
    ONC1,
    ONC2,
    OTHER,
    OWNER,
    PE1,
    PE2,
    PE3,
    PROV,
    RISK,
    SOC1,
    STRANGER,
    T0,
    case_of,
    home,
    policy,
    profile,
    with_domain,
)


def reached(case: Case, *people: tuple[Person, str]) -> Case:
    """The case after steps reached these people in these roles."""
    new = tuple(Reached(person, role, 2, T0) for person, role in people)  # type: ignore[arg-type]
    return case.with_approval(replace(case.approval, reached=(*case.approval.reached, *new)))


def judged(case: Case, base: Policy, person: Person, told: Profile | None = None) -> Allowed | Refused:
    return may_decide(case, case.approval, base, person, told or profile(person))


def test_the_owner_may_decide_from_the_start() -> None:
    assert judged(case_of(policy()), policy(), OWNER) == Allowed(("owner",))


@pytest.mark.parametrize(("person", "role"), [(DEP1, "deputies"), (ONC1, "on_call"), (RISK, "risk_owner")])
def test_deputy_on_call_and_risk_owner_may_decide_only_once_a_step_has_reached_them(person: Person, role: str) -> None:
    case, base = case_of(policy()), policy()
    before = judged(case, base, person)
    assert isinstance(before, Refused)
    assert before.why is Refusal.UNAUTHORISED
    behalf = None if role == "risk_owner" else OWNER
    assert judged(reached(case, (person, role)), base, person) == Allowed((role,), on_behalf_of=behalf)


def test_reaching_one_deputy_does_not_reach_the_other() -> None:
    assert isinstance(judged(reached(case_of(policy()), (DEP1, "deputies")), policy(), DEP2), Refused)


def test_the_risk_owner_whom_requires_names_may_decide_from_the_start() -> None:
    assert judged(case_of(policy(), "double"), policy(), RISK) == Allowed(("risk_owner",))


def test_a_deputy_in_the_owners_stead_may_decide_on_behalf_of_the_owner() -> None:
    case = case_of(policy())
    stand_in = Reached(DEP1, "deputies", 0, T0, for_owner=True)
    case = case.with_approval(replace(case.approval, reached=(stand_in,)))
    assert judged(case, policy(), DEP1) == Allowed(("deputies",), on_behalf_of=OWNER)


def test_the_on_call_keeps_authority_after_the_shift_while_the_rota_lists_them() -> None:
    base = policy()
    case = reached(case_of(base), (ONC2, "on_call"))
    assert isinstance(judged(case, base, ONC2), Allowed)
    gone = replace(base.rotas["security"], people=(ONC1,))
    assert isinstance(judged(case, replace(base, rotas={"security": gone}), ONC2), Refused)


def test_who_left_the_roster_has_no_authority_although_a_step_reached_them() -> None:
    case = reached(case_of(policy()), (DEP1, "deputies"))
    assert isinstance(judged(case, with_domain(policy(), deputies=(DEP2,)), DEP1), Refused)


def test_a_new_owner_has_authority_at_once_and_the_old_one_none() -> None:
    base = with_domain(policy(), owner=MACH)
    case = case_of(policy())
    assert judged(case, base, MACH) == Allowed(("owner",))
    assert isinstance(judged(case, base, OWNER), Refused)


@pytest.mark.parametrize("person", [PE1, PE2, PE3, LEAD, SOC1, COLLEAGUE, Person(PROV, "U0OWNER"), Person(OTHER, "U0PE2")])
def test_nobody_who_belongs_to_a_provider_ever_decides(person: Person) -> None:
    base = with_domain(policy(), owner=person, deputies=(person,), risk_owner=person)
    case = reached(case_of(policy(), "double"), (person, "deputies"), (person, "risk_owner"))
    refused = judged(case, base, person)
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.PARTY
    assert "#identity-help" in refused.reason


def test_nobody_decides_who_is_a_providers_by_another_account() -> None:
    base = policy(humans=Humans.joined([["U0DEP1", "U0PE9"], ["U0PE9", "U0PE2"]]))
    refused = judged(reached(case_of(base), (DEP1, "deputies")), base, DEP1)
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.PARTY


def test_nobody_decides_on_their_own_request() -> None:
    case = case_of(policy())
    own = replace(case, request=replace(case.request, requester=OWNER))
    assert isinstance(judged(own, policy(), OWNER), Refused)


@pytest.mark.parametrize("twin", ["U0OWNER", "U0TWIN"])
def test_nobody_decides_on_a_request_about_themselves_by_any_account(twin: str) -> None:
    base = policy(humans=Humans.joined([["U0TWIN", "U0OWNER"]]))
    case = case_of(base, subject=Person(OTHER, twin))
    assert isinstance(judged(case, base, OWNER), Refused)
    assert conflicted(case, base, OWNER)
    assert not conflicted(case, base, DEP1)


UNFIT: list[dict[str, Any]] = [
    {"deleted": True}, {"is_bot": True}, {"is_guest": True}, {"is_stranger": True}, {"person": NAMESAKE},
    {"person": STRANGER},
]  # fmt: skip


@pytest.mark.parametrize("flaw", UNFIT)
def test_only_a_living_full_account_that_slack_confirms_decides(flaw: dict[str, Any]) -> None:
    refused = judged(case_of(policy()), policy(), OWNER, replace(profile(OWNER), **flaw))
    assert isinstance(refused, Refused)
    assert refused.why is Refusal.UNAUTHORISED


def test_the_owners_namesake_in_an_unlisted_workspace_holds_nothing() -> None:
    assert isinstance(judged(case_of(policy()), policy(), NAMESAKE), Refused)


def test_the_owner_named_by_file_in_an_unlisted_workspace_holds_nothing() -> None:
    base = with_domain(policy(), owner=NAMESAKE)
    assert isinstance(judged(case_of(policy()), base, NAMESAKE), Refused)


@pytest.mark.parametrize("person", [AUDIT, STRANGER, GUEST, MACH])
def test_an_auditor_a_stranger_and_another_domains_owner_are_refused_with_whom_to_write_to(person: Person) -> None:
    refused = judged(case_of(policy()), policy(), person)
    assert isinstance(refused, Refused)
    assert "#identity-help" in refused.reason


def test_nobody_has_authority_in_a_domain_that_is_gone() -> None:
    assert isinstance(judged(case_of(policy()), policy(domains=()), OWNER), Refused)


def test_one_person_in_two_roles_holds_both_strongest_first() -> None:
    base = with_domain(policy(), risk_owner=OWNER)
    assert judged(case_of(base, "double"), base, OWNER) == Allowed(("owner", "risk_owner"))


def test_everybody_named_for_a_domain_is_listed_once_with_the_rotas_people() -> None:
    base = with_domain(policy(), risk_owner=OWNER)
    assert named_for(base, base.domains["directory"]) == (OWNER, DEP1, DEP2, ONC1, ONC2)
    assert named_for(base, base.domains["machines"]) == (MACH, home("U0MDEP"))
    assert all(person.team == HOME for person in named_for(base, base.domains["machines"]))


def test_a_suspended_risk_owner_confirms_nothing_as_one_unless_another_domain_names_them() -> None:
    gone = replace(policy(), standing=TakenAway(suspended=frozenset({Suspended("directory", RISK, "R-00000002")})))
    assert confirming_roles(policy(), RISK) == ("risk_owner",)
    assert confirming_roles(gone, RISK) == ()
    assert confirming_roles(with_domain(gone, "machines", risk_owner=RISK), RISK) == ("risk_owner",)


def test_another_account_of_somebody_suspended_is_suspended_too() -> None:
    twin = home("U0TWIN")
    base = with_domain(policy(humans=Humans.joined([["U0OWNER", "U0TWIN"]])), deputies=(twin,))
    gone = replace(base, standing=TakenAway(suspended=frozenset({Suspended("directory", OWNER, "R-00000002")})))
    case = reached(case_of(base), (twin, "deputies"))
    refused = judged(case, gone, twin)
    assert isinstance(refused, Refused)
    assert "suspended" in refused.reason
    assert conflicted(case, gone, twin)
    assert not conflicted(case, base, twin)
