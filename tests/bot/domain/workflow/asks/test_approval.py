"""What a click does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case.click import Rejected
from bot.domain.case.lifecycle import AskState, GrantState, RequestState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.people import Person
from bot.domain.workflow.asks.approval import deny_on_host, withdraw
from bot.domain.workflow.timers import sweep
from tests.bot.building import (
    COLLEAGUE,
    DEP1,
    DEP2,
    HERE,
    LEAD,
    MINUTE,
    MS,
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
    policy,
    profile,
    said,
    types,
)

END = T0 + 45 * MINUTE


def yes(case: Case, person: Person, at: Any = T0 + MINUTE, **how: Any) -> Transition:
    return decide(case, policy(), click(person, **how), profile(person), at)


def no(case: Case, person: Person, at: Any = T0 + MINUTE, **how: Any) -> Transition:
    return decide(case, policy(), click(person, "deny", reason="not now", **how), profile(person), at)


def back(case: Case, person: Person, at: Any = T0 + MINUTE) -> Transition:
    return withdraw(case, policy(), click(person, "withdraw"), at)


def refused(act: Transition) -> dict[str, Any]:
    """What the log says of a click that did not count: it says exactly one thing, and nothing is changed."""
    assert (act.before, act.after, act.refresh) == (None, None, False)
    (draft,) = act.entries
    assert draft.type == "decision.refused"
    (told,) = act.says
    assert (told.purpose, told.to) == ("answer", draft.actor.person)
    return {**draft.data, "who": draft.actor.person, "sentence": told.data["sentence"], **told.data}


class TestYes:
    def test_at_the_quorum_the_grant_opens_in_the_same_act(self) -> None:
        act = yes(case_of(policy()), OWNER)
        case = after(act)
        assert (case.request.state, case.approval.state) == (RequestState.APPROVED, AskState.YES)
        assert case.grant is not None
        assert (case.grant.state, case.grant.opened_at, case.grant.seconds) == (GrantState.OPEN, T0 + MINUTE, 3600)
        assert case.grant.not_after == T0 + 61 * MINUTE
        assert types(act) == ["request.approved", "grant.opened"]

    def test_the_clock_of_the_grant_starts_at_the_quorum_and_not_at_the_filing(self) -> None:
        grant = after(yes(case_of(policy()), OWNER, T0 + 40 * MINUTE)).grant
        assert grant is not None
        assert grant.not_after == T0 + 100 * MINUTE

    def test_before_the_quorum_the_yes_is_recorded_and_nothing_opens(self) -> None:
        act = yes(case_of(policy(), "pair"), OWNER)
        case = after(act)
        assert (case.request.state, case.grant, len(case.approval.votes)) == (RequestState.PENDING, None, 1)
        assert types(act) == ["request.approved"]
        assert dict(act.entries[0].data) == {"have": 1, "need": 2, "seconds": 3600, "role": "owner"}

    def test_the_second_yes_completes_the_quorum(self) -> None:
        first = after(yes(case_of(policy(), "pair"), OWNER))
        assert after(yes(first, DEP1)).request.state is RequestState.APPROVED

    def test_the_recorded_decider_is_who_clicked_on_behalf_of_the_owner(self) -> None:
        case = case_of(policy(), "pair")
        act = yes(case, DEP1)
        vote = after(act).approval.votes[-1]
        assert (vote.person, vote.on_behalf_of) == (DEP1, OWNER)
        assert (act.entries[0].actor.person, act.entries[0].on_behalf_of) == (DEP1, OWNER)

    def test_a_second_yes_of_the_same_person_changes_nothing(self) -> None:
        first = after(yes(case_of(policy(), "pair"), OWNER))
        told = refused(yes(first, OWNER))
        assert (told["why"], told["sentence"], told["have"], told["need"]) == ("lost", "repeat_yes", 1, 2)

    def test_the_time_scale_divides_the_grant(self) -> None:
        act = decide(case_of(policy(), scale=60), policy(), click(OWNER), profile(OWNER), T0)
        grant = after(act).grant
        assert grant is not None
        assert (grant.seconds, grant.not_after) == (3600, T0 + timedelta(seconds=60))

    def test_requester_and_channel_are_notified_and_every_copy_is_redrawn(self) -> None:
        act = yes(case_of(policy()), OWNER)
        assert (said(act, "outcome"), said(act, "body"), said(act, "announce")) == ([PE1], [], ["C0DIRECTORY"])
        assert act.refresh

    def test_it_counts_only_in_a_transaction_that_begins_before_the_deadline(self) -> None:
        assert yes(case_of(policy()), OWNER).valid_before == END
        assert yes(case_of(policy(), "pair"), OWNER).valid_before == END
        assert no(case_of(policy()), OWNER).valid_before == END
        assert back(case_of(policy()), PE1).valid_before == END


class TestNo:
    def test_one_no_is_final(self) -> None:
        act = no(case_of(policy(), "pair"), DEP1)
        case = after(act)
        assert (case.request.state, case.approval.state, case.grant) == (RequestState.DENIED, AskState.NO, None)
        assert types(act) == ["request.denied"]
        assert [p.name for p in act.entries[0].private] == ["answer"]

    def test_who_said_yes_may_still_say_no(self) -> None:
        first = after(yes(case_of(policy(), "pair"), OWNER))
        case = after(no(first, OWNER))
        assert case.request.state is RequestState.DENIED
        assert [(v.person, v.answer) for v in case.approval.votes] == [(OWNER, "no")]

    def test_the_host_may_say_no_for_nobody_in_particular(self) -> None:
        act = deny_on_host(case_of(policy()), policy(), "slack is down", T0 + MINUTE)
        assert isinstance(act, Transition)
        assert after(act).request.state is RequestState.DENIED
        assert (act.entries[0].actor.kind, "role" in act.entries[0].data) == ("operator", False)

    def test_the_host_learns_when_it_is_too_late(self) -> None:
        told = deny_on_host(case_of(policy()), policy(), "slack is down", END)
        assert isinstance(told, Rejected)
        assert told.why == "late"


class TestWithdrawing:
    @pytest.mark.parametrize("person", [PE1, LEAD])
    def test_the_requester_and_a_lead_of_their_provider_withdraw(self, person: Person) -> None:
        act = back(case_of(policy()), person)
        assert after(act).request.state is RequestState.WITHDRAWN
        assert after(act).request.closed_by == person
        assert types(act) == ["request.withdrawn"]

    @pytest.mark.parametrize("person", [PE2, OWNER, SOC1, COLLEAGUE, STRANGER])
    def test_nobody_else_does(self, person: Person) -> None:
        assert refused(back(case_of(policy()), person))["why"] == "unauthorised"

    def test_a_decided_request_is_not_withdrawn(self) -> None:
        told = refused(back(after(no(case_of(policy()), OWNER)), PE1))
        assert (told["why"], told["state"], told["by"]) == ("lost", "denied", str(OWNER))


class TestTooLate:
    def test_the_last_millisecond_counts(self) -> None:
        assert after(yes(case_of(policy()), OWNER, END - MS)).request.state is RequestState.APPROVED

    @pytest.mark.parametrize("late", [timedelta(0), MS, timedelta(days=9)])
    def test_at_the_deadline_no_click_counts_though_no_timer_ran(self, late: timedelta) -> None:
        case = case_of(policy())
        for act in (yes(case, OWNER, END + late), no(case, OWNER, END + late), back(case, PE1, END + late)):
            assert refused(act)["why"] == "late"

    def test_after_the_expiry_a_click_is_late_and_not_lost(self) -> None:
        expired = after(sweep(case_of(policy()), policy(), HERE, END, 0))
        assert refused(yes(expired, OWNER, END + MINUTE))["why"] == "late"


class TestLosing:
    def test_the_loser_learns_who_won_what_and_when(self) -> None:
        case = after(yes(case_of(policy()), OWNER, T0 + 2 * MINUTE))
        told = refused(no(case, OWNER, T0 + 3 * MINUTE))
        assert (told["why"], told["state"], told["by"]) == ("lost", "approved", str(OWNER))
        assert told["at"] == (T0 + 2 * MINUTE).timestamp() * 1000

    def test_a_click_on_another_version_of_the_question_is_stale(self) -> None:
        assert refused(yes(case_of(policy()), OWNER, version=2))["why"] == "stale"
        assert refused(no(case_of(policy()), OWNER, version=0))["why"] == "stale"

    def test_a_stranger_learns_nothing_of_the_outcome(self) -> None:
        told = refused(yes(after(no(case_of(policy()), OWNER)), STRANGER))
        assert (told["why"], "by" in told) == ("unauthorised", False)

    def test_a_deputy_who_was_not_reached_is_refused(self) -> None:
        assert refused(yes(case_of(policy()), DEP2))["why"] == "unauthorised"

    def test_a_provider_is_refused_as_a_party(self) -> None:
        assert refused(yes(case_of(policy()), PE2))["why"] == "party"


@given(
    clicks=st.lists(
        st.tuples(st.sampled_from([OWNER, DEP1, DEP2, RISK, PE1, STRANGER]), st.sampled_from([yes, no, back])), max_size=8
    ),
    runbook_id=st.sampled_from(["emergency", "pair", "double", "contain"]),
)
def test_after_a_final_state_no_click_changes_anything(clicks: list[Any], runbook_id: str) -> None:
    case, done = case_of(policy(), runbook_id), False
    for person, act in clicks:
        made = act(case, person)
        if done:
            assert refused(made)
        if made.after is not None:
            case = made.after
        done = case.request.state is not RequestState.PENDING


@given(times=st.lists(st.integers(1, 4 * 3600), min_size=2, max_size=2), asked_for=st.integers(1, 4 * 3600))
def test_an_approver_may_only_give_less_and_the_smallest_time_is_given(times: list[int], asked_for: int) -> None:
    case = case_of(policy(), "pair", seconds=asked_for)
    for person, seconds in zip((OWNER, DEP1), times, strict=True):
        case = after(decide(case, policy(), replace(click(person), seconds=seconds), profile(person), T0))
    assert case.grant is not None
    assert case.grant.seconds == min(*times, asked_for)
