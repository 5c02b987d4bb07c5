"""Answers to the asks after the yes: a review is accepted or flagged, more time is given or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.domain.case.ask import Ask
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.engine import answer
from bot.domain.workflow.asks.extension import room
from bot.domain.workflow.grant_end import give_back
from bot.domain.workflow.more_time import extend
from bot.domain.workflow.timers import sweep
from tests.bot.building import (
    AUDIT,
    DAY,
    DEP1,
    DEP2,
    HERE,
    HOUR,
    LEAD,
    MINUTE,
    NORTHGATE,
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
    runbook,
    said,
    types,
)  # fmt: skip

END = T0 + HOUR


def opened(under: Policy) -> Case:
    case = case_of(under)
    yes = [OWNER, RISK][: under.runbooks["emergency"].approvals]
    for person in yes:
        case = after(decide(case, under, click(person), profile(person), T0))
    return case


def reviewed(under: Policy, at: datetime = T0 + MINUTE) -> Case:
    case = after(give_back(opened(under), under, click(PE1, "finish"), at))
    return after(sweep(case, under, HERE, at, 0))


def asking(seconds: int = 3600, person: Person = PE1) -> Click:
    return Click(person, "extend", 1, {}, seconds=seconds)


def extending(under: Policy, seconds: int = 3600, at: datetime = T0 + MINUTE) -> Case:
    return after(extend(opened(under), under, asking(seconds), HERE, at))


def last(case: Case) -> Ask:
    return case.asks[-1]


def says(case: Case, person: Person, action: str, at: datetime, under: Policy, **told: Any) -> Transition:
    pressed = Click(person, action, last(case).version, {}, **told)
    return answer(case, last(case), under, pressed, profile(person), at)


BASE = policy(runbooks=[runbook("emergency")])


class TestAReview:
    @pytest.mark.parametrize(
        ("action", "type_", "state"), [("accept", "review.passed", "yes"), ("flag", "review.flagged", "no")]
    )
    def test_is_accepted_or_flagged_by_one_person(self, action: str, type_: str, state: str) -> None:
        act = says(reviewed(BASE), DEP1, action, T0 + HOUR, BASE, reason="looked at the recording")
        assert types(act) == [type_]
        assert str(last(after(act)).state) == state
        assert [(p.name, p.value) for p in act.entries[0].private] == [("note", "looked at the recording")]
        assert said(act, "announce") == ["C0DIRECTORY"]

    @pytest.mark.parametrize("person", [OWNER, PE1, PE2, LEAD, SOC1, AUDIT, DEP2])
    def test_is_not_for_requester_provider_only_approver_or_whom_it_has_not_reached(self, person: Person) -> None:
        act = says(reviewed(BASE), person, "accept", T0 + HOUR, BASE)
        assert types(act) == ["decision.refused"]

    def test_is_answered_once_and_the_second_learns_who_did(self) -> None:
        case = after(says(reviewed(BASE), DEP1, "accept", T0 + HOUR, BASE))
        act = says(case, DEP1, "flag", T0 + HOUR, BASE, reason="x")
        assert types(act) == ["decision.refused"]
        assert act.says[0].data["sentence"] == "answered_already"

    def test_that_is_overdue_can_still_be_accepted_for_one_window_and_no_longer(self) -> None:
        late = after(sweep(reviewed(BASE), BASE, HERE, T0 + MINUTE + DAY, 0))
        assert types(says(late, DEP1, "accept", T0 + 2 * DAY, BASE)) == ["review.passed"]
        assert types(says(late, DEP1, "accept", T0 + MINUTE + 2 * DAY, BASE)) == ["decision.refused"]

    def test_takes_no_yes_to_another_question(self) -> None:
        assert types(says(reviewed(BASE), DEP1, "approve", T0 + HOUR, BASE)) == ["decision.refused"]


class TestMoreTime:
    def test_is_asked_of_the_same_people_by_the_same_ladder(self) -> None:
        case = extending(BASE)
        assert (last(case).kind, last(case).need, set(last(case).asked)) == ("extension", 1, {OWNER})
        assert last(case).expires_at == T0 + MINUTE + 45 * MINUTE

    def test_ends_with_the_grant(self) -> None:
        case = extending(BASE, at=T0 + 30 * MINUTE)
        assert last(case).expires_at == END

    def test_given_it_moves_the_end(self) -> None:
        act = says(extending(BASE), OWNER, "approve", T0 + 2 * MINUTE, BASE)
        assert types(act) == ["request.approved", "grant.extended"]
        assert act.entries[0].data["extends"] is True
        grant = after(act).grant
        assert grant is not None
        assert (grant.seconds, grant.not_after, grant.state) == (7200, END + HOUR, GrantState.OPEN)

    def test_denied_the_grant_stays_as_it_is(self) -> None:
        act = says(extending(BASE), OWNER, "deny", T0 + 2 * MINUTE, BASE, reason="enough")
        assert types(act) == ["extension.denied"]
        assert after(act).grant == extending(BASE).grant
        assert said(act, "extension") == [PE1]

    def test_never_beyond_the_maximum_together(self) -> None:
        assert types(extend(opened(BASE), BASE, asking(3 * 3600 + 1), HERE, T0)) == ["decision.refused"]
        case = after(says(extending(BASE, 3 * 3600), OWNER, "approve", T0 + MINUTE, BASE))
        assert room(case) == 0
        assert types(extend(case, BASE, asking(1), HERE, T0 + MINUTE)) == ["decision.refused"]

    def test_only_the_requester_asks_for_it_once_at_a_time_while_the_grant_lasts(self) -> None:
        for person in (PE2, OWNER, SOC1):
            assert types(extend(opened(BASE), BASE, asking(person=person), HERE, T0)) == ["decision.refused"]
        assert types(extend(extending(BASE), BASE, asking(), HERE, T0 + 2 * MINUTE)) == ["decision.refused"]
        assert types(extend(opened(BASE), BASE, asking(), HERE, END)) == ["decision.refused"]

    def test_it_is_not_asked_for_by_anyone_who_may_not_ask_any_more(self) -> None:
        case = opened(BASE)
        over = replace(NORTHGATE, contract_until=T0.date() - DAY)
        gone = [{"providers": [over]}, {"runbooks": [runbook(providers=("watchfield",))]}]
        for changes in gone:
            assert types(extend(case, policy(**changes), asking(), HERE, T0 + MINUTE)) == ["decision.refused"]

    def test_a_yes_after_the_grants_end_gives_nothing_although_no_timer_ran(self) -> None:
        case = extending(BASE, at=T0 + 30 * MINUTE)
        act = says(case, OWNER, "approve", END, BASE)
        assert types(act) == ["decision.refused"]

    def test_the_quorum_of_the_runbook_counts_for_it_too(self) -> None:
        under = policy(runbooks=[runbook("emergency", approvals=2, requires=("risk_owner",))])
        case = extending(under)
        first = says(case, OWNER, "approve", T0 + 2 * MINUTE, under)
        assert types(first) == ["request.approved"]
        assert after(first).grant == case.grant
        second = says(after(first), RISK, "approve", T0 + 2 * MINUTE, under)
        assert types(second) == ["request.approved", "grant.extended"]

    def test_it_dies_with_a_revoked_grant(self) -> None:
        case = after(give_back(extending(BASE), BASE, click(PE1, "finish"), T0 + 2 * MINUTE))
        assert case.question(2).state is AskState.EXPIRED  # type: ignore[union-attr]

    def test_unanswered_it_expires_and_the_grant_lapses_at_its_own_time(self) -> None:
        case = extending(BASE, at=T0 + 5 * MINUTE)
        act = sweep(case, BASE, HERE, T0 + 51 * MINUTE, 0)
        assert "extension.expired" in types(act)
        assert after(act).grant.not_after == END  # type: ignore[union-attr]


def test_a_stale_version_belongs_to_no_ask() -> None:
    assert opened(BASE).question(9) is None
