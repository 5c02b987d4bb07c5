"""Rules 1 and 2: no approval without a quorum of people with authority, and the decider is who clicked."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.lifecycle import RequestState
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Humans, Person, Profile, Ref
from bot.domain.timing.escalation import advance
from bot.domain.workflow.asks.approval import withdraw
from bot.ports.commands import FileRequest
from tests.bot.building import (
    COLLEAGUE,
    DEP1,
    DEP2,
    GUEST,
    HERE,
    HOME,
    LEAD,
    MINUTE,
    NAMESAKE,
    ONC1,
    ONC2,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    STRANGER,
    T0,
    after,
    case_of,
    click,
    decide,
    home,
    policy,
    profile,
    runbook,
    with_domain,
)
from tests.bot.office import Office
from tests.rules.oracle import Known, Oracle, human

TWIN = home("U0TWIN")
BASE = with_domain(policy(humans=Humans.joined([["U0DEP2", "U0TWIN"]])), deputies=(DEP1, DEP2, TWIN))
VOTERS = [OWNER, DEP1, DEP2, TWIN, RISK, ONC1, PE2, STRANGER]
BOOKS = ["emergency", "pair", "double", "contain"]


def climbed(case: Case, base: Policy, minutes: int) -> Case:
    """The case after so many minutes of silence."""
    for minute in range(minutes + 1):
        case = case.with_approval(advance(case, case.approval, base, HERE, T0 + minute * MINUTE).ask)
    return case


def seen(case: Case, base: Policy) -> tuple[Oracle, Known]:
    """The same case through the oracle's eyes."""
    request = case.request
    form = FileRequest(request.id, request.requester, request.runbook, request.target, request.reason, request.seconds)
    book = base.runbooks[request.runbook]
    known = Known(request.id, form, book, T0, request.provider, request.expires_at, {}, asked=set(case.approval.asked))
    return Oracle(base, T0), known


def voted(case: Case, base: Policy, people: tuple[Person, ...], told: dict[Person, Profile] | None = None) -> Case:
    """The case after these people pressed Approve, one after the other."""
    for person in people:
        act = decide(case, base, click(person), (told or {}).get(person, profile(person)), T0 + 20 * MINUTE)
        case = act.after or case
    return case


@pytest.mark.parametrize(("book", "minutes"), list(product(BOOKS, [0, 5, 20])))
def test_rule_1_every_order_of_every_three_clicks_approves_exactly_when_the_design_says_so(book: str, minutes: int) -> None:
    case = climbed(case_of(BASE, book), BASE, minutes)
    for people in permutations(VOTERS, 3):
        oracle, known = seen(case, BASE)
        done = False
        for person in people:
            if not done and oracle.roles(known, BASE, person):
                known.yes[person] = 3600
                done = oracle.enough(known, BASE)
        reached = voted(case, BASE, people)
        assert (reached.request.state is RequestState.APPROVED) == done, people
        assert (reached.grant is not None) == done


@pytest.mark.parametrize("book", BOOKS)
def test_rule_1_what_is_approved_has_distinct_humans_with_the_required_roles_among_them(book: str) -> None:
    case = climbed(case_of(BASE, book), BASE, 20)
    need, requires = BASE.runbooks[book].approvals, BASE.runbooks[book].requires
    for people in permutations(VOTERS, 3):
        reached = voted(case, BASE, people)
        if reached.request.state is RequestState.APPROVED:
            yes = [v for v in reached.approval.votes if v.answer == "yes"]
            assert len({human(BASE, v.person) for v in yes}) >= need >= 1
            assert set(requires) <= {v.role for v in yes}
            assert not {v.person for v in yes} & {PE2, STRANGER, PE1}


FLAWS: list[dict[str, Any]] = [
    {"deleted": True}, {"is_bot": True}, {"is_guest": True}, {"is_stranger": True}, {"person": NAMESAKE},
]  # fmt: skip


@given(
    flaws=st.dictionaries(st.sampled_from(VOTERS), st.sampled_from(FLAWS)),
    people=st.lists(st.sampled_from([*VOTERS, NAMESAKE, COLLEAGUE, LEAD, SOC1, GUEST, ONC2]), max_size=6),
    book=st.sampled_from(BOOKS),
    subject=st.sampled_from([None, OWNER, TWIN, RISK]),
    joined=st.sampled_from([PE2, LEAD, STRANGER]),
    left=st.sets(st.sampled_from([DEP1, DEP2, TWIN]), max_size=2),
)
def test_rule_1_nobody_unfit_in_conflict_or_of_a_provider_is_ever_counted(
    flaws: dict[Person, dict[str, Any]],
    people: list[Person],
    book: str,
    subject: Person | None,
    joined: Person,
    left: set[Person],
) -> None:
    base = replace(BASE, humans=Humans.joined([["U0DEP2", "U0TWIN"], [joined.user, "U0DEP1"]]))
    case = climbed(case_of(base, book, subject=subject), base, 20)
    now = with_domain(base, deputies=tuple(d for d in (DEP1, DEP2, TWIN) if d not in left))
    told = {person: replace(profile(person), **flaw) for person, flaw in flaws.items()}
    reached = voted(case, now, tuple(people), told)
    oracle, known = seen(case, now)
    for vote in reached.approval.votes:
        assert oracle.roles(known, now, vote.person)
        assert vote.person not in flaws
        assert subject is None or human(now, vote.person) != human(now, subject)
        assert vote.person.team == HOME
    known.yes = {v.person: 3600 for v in reached.approval.votes}
    assert (reached.request.state is RequestState.APPROVED) == oracle.enough(known, now)


@pytest.mark.parametrize(("flaw", "person"), list(product(FLAWS, [OWNER, DEP1, RISK, ONC1])))
def test_rule_1_nobody_whose_account_is_not_a_living_full_one_of_their_own_is_counted(
    flaw: dict[str, Any], person: Person
) -> None:
    case = climbed(case_of(BASE, "contain"), BASE, 20)
    told = {person: replace(profile(person), **flaw)}
    assert voted(case, BASE, (person,), told).approval.votes == ()


@pytest.mark.parametrize("book", BOOKS)
def test_rule_1_nobody_of_a_workspace_that_is_not_listed_any_more_is_counted(book: str) -> None:
    case = climbed(case_of(BASE, book), BASE, 20)
    moved = replace(BASE, workspaces=("T0ELSE",))
    assert voted(case, moved, tuple(VOTERS)).approval.votes == ()


@given(approvals=st.integers(-1, 0), people=st.permutations(VOTERS))
def test_rule_1_zero_approvals_are_never_enough(approvals: int, people: list[Person]) -> None:
    base = replace(BASE, runbooks={"none": runbook("none", approvals=approvals)})
    case = climbed(case_of(base, "none"), base, 20)
    assert voted(case, base, tuple(people)).grant is None


@given(change=st.permutations([OWNER, DEP1, RISK]), gone=st.sampled_from([OWNER, DEP1, RISK]))
def test_rule_1_an_earlier_yes_of_who_lost_authority_completes_no_quorum(change: list[Person], gone: Person) -> None:
    base = replace(BASE, runbooks={"three": runbook("three", approvals=3)})
    case = voted(climbed(case_of(base, "three"), base, 20), base, tuple(change[:2]))
    watchfield = base.providers["watchfield"]
    hired = replace(watchfield, members=(*watchfield.members, Ref(gone.user, frozenset({HOME}))))
    now = replace(base, providers={**base.providers, "watchfield": hired})
    reached = voted(case, now, (change[2],))
    assert reached.request.state is RequestState.PENDING


@pytest.mark.parametrize(("person", "book"), list(product([OWNER, DEP1, DEP2, ONC1, RISK], BOOKS)))
def test_rule_2_vote_entry_and_outcome_name_who_clicked_and_nobody_who_was_asked(person: Person, book: str) -> None:
    case = climbed(case_of(BASE, book), BASE, 20)
    yes = decide(case, BASE, click(person), profile(person), T0 + 20 * MINUTE)
    no = decide(case, BASE, click(person, "deny", reason="no"), profile(person), T0 + 20 * MINUTE)
    for act in (yes, no):
        assert after(act).approval.votes[-1].person == person
        assert {draft.actor.person for draft in act.entries} == {person}
        owner = BASE.domains["directory"].owner
        assert act.entries[0].on_behalf_of == (None if person in (owner, RISK) else owner)  # a risk owner signs as such
    assert after(no).request.closed_by == person
    assert after(yes).request.closed_by == (person if after(yes).grant else None)


@pytest.mark.parametrize("person", [PE1, LEAD])
def test_rule_2_a_withdrawal_names_who_withdrew(person: Person) -> None:
    act = withdraw(case_of(BASE), BASE, click(person, "withdraw"), T0)
    assert after(act).request.closed_by == person
    assert act.entries[0].actor.person == person


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_rule_2_the_store_and_the_log_keep_who_clicked(office: Office, decision: Any) -> None:
    for n, person in enumerate((OWNER, DEP1, DEP2, ONC1)):
        case_id = await office.file(PE1, "contain", target=f"srv-{n}")
        await office.click(person, case_id, decision)
        case = await office.case(case_id)
        assert [v.person for v in case.approval.votes] == [person]
        assert case.request.closed_by == person
        assert office.log(case_id)[-1]["who"] == person
