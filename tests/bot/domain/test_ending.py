"""A grant ends once, and only while it is open."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.domain import deciding
from bot.domain.deciding import NoEffect
from bot.domain.ending import revoke_on_host
from bot.domain.lifecycle import GrantState, RequestState
from bot.domain.request import Case
from bot.domain.transition import Transition
from tests.bot.building import HOUR, MS, OWNER, T0, after, case_of, click, policy, profile, said, types

OPENED = T0 + MS


def opened() -> Case:
    base = policy()
    return after(deciding.approve(case_of(base), base, click(OWNER), profile(OWNER), OPENED, 1))


def revoked(case: Case, at: datetime) -> Transition:
    act = revoke_on_host(case, policy(), "laptop stolen", at)
    assert isinstance(act, Transition)
    return act


def test_an_open_grant_is_revoked_and_everybody_hears_why() -> None:
    case = opened()
    act = revoked(case, OPENED + HOUR / 2)
    grant = after(act).grant
    assert grant is not None
    assert (grant.state, grant.ended_at) == (GrantState.REVOKED, OPENED + HOUR / 2)
    assert types(act) == ["grant.revoked"]
    assert act.entries[0].actor.kind == "operator"
    assert act.entries[0].data == {"seconds": 3600, "not_after": "2026-03-04T10:00:00.001Z", "closed_by": "attested"}
    assert [(p.name, p.value) for p in act.entries[0].private] == [("reason", "laptop stolen")]
    assert said(act, "outcome") == [case.request.requester]
    assert said(act, "announce") == ["C0DIRECTORY"]
    assert [s.data for s in act.says if s.purpose == "outcome"] == [{"state": "revoked", "reason": "laptop stolen"}]


def test_the_act_counts_only_while_the_grant_lasts_and_leaves_no_deadline() -> None:
    act = revoked(opened(), OPENED)
    assert act.valid_before == OPENED + HOUR
    assert act.wake_at is None
    assert act.refresh


def test_the_request_stays_approved() -> None:
    assert after(revoked(opened(), OPENED)).request.state is RequestState.APPROVED


@pytest.mark.parametrize("late", [HOUR, HOUR + MS])
def test_a_grant_whose_time_is_over_is_not_revoked_although_no_timer_ran(late: object) -> None:
    no = revoke_on_host(opened(), policy(), "x", OPENED + late)  # type: ignore[operator]
    assert isinstance(no, NoEffect)
    assert no.sentence == "over"


def test_a_grant_ends_once() -> None:
    no = revoke_on_host(after(revoked(opened(), OPENED)), policy(), "x", OPENED + MS)
    assert isinstance(no, NoEffect)
    assert (no.sentence, no.params["state"]) == ("ended", "revoked")


def test_where_nothing_was_opened_there_is_nothing_to_revoke() -> None:
    no = revoke_on_host(case_of(policy()), policy(), "x", OPENED)
    assert isinstance(no, NoEffect)
    assert no.sentence == "no_grant"
