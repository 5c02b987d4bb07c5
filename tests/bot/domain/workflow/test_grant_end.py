"""A grant ends once, and only while it is open."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.domain.case.click import Rejected
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.people import Person
from bot.domain.workflow.grant_end import give_back, revoke, revoke_on_host
from tests.bot.building import (
    AUDIT,
    DEP2,
    GUEST,
    HOUR,
    MACH,
    MS,
    ONC1,
    OWNER,
    PE1,
    PE2,
    RISK,
    SOC1,
    T0,
    after,
    case_of,
    click,
    decide,
    policy,
    profile,
    said,
    types,
)

OPENED = T0 + MS


def opened() -> Case:
    base = policy()
    return after(decide(case_of(base), base, click(OWNER), profile(OWNER), OPENED))


def revoked(case: Case, at: datetime) -> Transition:
    act = revoke_on_host(case, policy(), "laptop stolen", at)
    assert isinstance(act, Transition)
    return act


def test_an_open_grant_is_revoked_and_everybody_gets_the_reason() -> None:
    case = opened()
    act = revoked(case, OPENED + HOUR / 2)
    grant = after(act).grant
    assert grant is not None
    assert (grant.state, grant.ended_at) == (GrantState.REVOKED, OPENED + HOUR / 2)
    assert types(act) == ["grant.revoked", "review.due"]
    assert act.entries[0].actor.kind == "operator"
    assert act.entries[0].data == {"seconds": 3600, "not_after": "2026-03-04T10:00:00.001Z", "closed_by": "attested"}
    assert [(p.name, p.value) for p in act.entries[0].private] == [("reason", "laptop stolen")]
    assert said(act, "outcome") == [case.request.requester]
    assert said(act, "announce") == ["C0DIRECTORY"]
    assert [s.data for s in act.says if s.purpose == "outcome"] == [{"state": "revoked", "reason": "laptop stolen"}]


def test_the_act_counts_only_while_the_grant_lasts_and_the_review_is_asked_at_once() -> None:
    act = revoked(opened(), OPENED)
    assert act.valid_before == OPENED + HOUR
    assert act.wake_at == OPENED
    assert act.refresh


def test_the_request_stays_approved() -> None:
    assert after(revoked(opened(), OPENED)).request.state is RequestState.APPROVED


@pytest.mark.parametrize("late", [HOUR, HOUR + MS])
def test_a_grant_whose_time_is_over_is_not_revoked_although_no_timer_ran(late: object) -> None:
    no = revoke_on_host(opened(), policy(), "x", OPENED + late)  # type: ignore[operator]
    assert isinstance(no, Rejected)
    assert no.sentence == "over"


def test_a_grant_ends_once() -> None:
    no = revoke_on_host(after(revoked(opened(), OPENED)), policy(), "x", OPENED + MS)
    assert isinstance(no, Rejected)
    assert (no.sentence, no.params["state"]) == ("ended", "revoked")


def test_where_nothing_was_opened_there_is_nothing_to_revoke() -> None:
    no = revoke_on_host(case_of(policy()), policy(), "x", OPENED)
    assert isinstance(no, Rejected)
    assert no.sentence == "no_grant"


@pytest.mark.parametrize(("action", "state"), [("finish", "finished"), ("unused", "unused")])
def test_the_requester_ends_it_at_the_click(action: str, state: str) -> None:
    act = give_back(opened(), policy(), click(PE1, action), OPENED + MS)
    grant = after(act).grant
    assert grant is not None
    assert (str(grant.state), grant.ended_at, grant.ended_by) == (state, OPENED + MS, PE1)
    assert types(act)[0] == f"grant.{state}"
    assert act.entries[0].data["closed_by"] == "attested"
    assert act.entries[0].actor.person == PE1


@pytest.mark.parametrize("person", [PE2, OWNER, SOC1])
def test_nobody_else_reports_it_finished(person: Person) -> None:
    act = give_back(opened(), policy(), click(person, "finish"), OPENED + MS)
    assert types(act) == ["decision.refused"]
    assert act.after is None


@pytest.mark.parametrize("person", [OWNER, DEP2, RISK, ONC1])
def test_everyone_named_in_the_domain_revokes_reached_or_not(person: Person) -> None:
    act = revoke(opened(), policy(), click(person, "revoke"), profile(person), OPENED + MS)
    assert types(act)[0] == "grant.revoked"
    assert after(act).grant.ended_by == person  # type: ignore[union-attr]


@pytest.mark.parametrize("person", [PE1, SOC1, MACH, AUDIT])
def test_nobody_else_revokes(person: Person) -> None:
    act = revoke(opened(), policy(), click(person, "revoke"), profile(person), OPENED + MS)
    assert types(act) == ["decision.refused"]


def test_a_guest_or_a_deactivated_owner_revokes_nothing() -> None:
    for unfit in ({"is_guest": True}, {"deleted": True}, {"is_bot": True}):
        act = revoke(opened(), policy(), click(OWNER, "revoke"), profile(OWNER, **unfit), OPENED + MS)
        assert types(act) == ["decision.refused"]
    assert types(revoke(opened(), policy(), click(GUEST, "revoke"), profile(GUEST), OPENED + MS)) == ["decision.refused"]


def test_two_ends_at_one_instant_are_one_end_and_the_loser_learns_who_won() -> None:
    first = after(give_back(opened(), policy(), click(PE1, "finish"), OPENED + MS))
    act = revoke(first, policy(), click(OWNER, "revoke"), profile(OWNER), OPENED + MS)
    assert types(act) == ["decision.refused"]
    [told] = act.says
    assert (told.data["sentence"], told.data["state"], told.data["by"]) == ("ended", "finished", str(PE1))
