"""What follows the yes: a warning, an end, what is owed, a review. Nothing of it waits for a person to remember."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.case.ask import Ask
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.domain.policy.model import Policy
from bot.domain.workflow.follow_up import warn_at
from bot.domain.workflow.grant_end import give_back
from bot.domain.workflow.obligations import hand_in
from bot.domain.workflow.timers import sweep, wake_at
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HERE,
    HOUR,
    LEAD,
    MINUTE,
    OWNER,
    PE1,
    PE2,
    RISK,
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

OWING: dict[str, Any] = {"evidence": ("session_recording", "tickets"), "rotate_within": 6 * 3600}


def base(**changes: Any) -> Policy:
    return policy(runbooks=[runbook("emergency", **changes)])


def opened(under: Policy, **how: Any) -> Case:
    return after(decide(case_of(under, **how), under, click(OWNER), profile(OWNER), T0))


def ended(under: Policy, at: datetime = T0 + MINUTE) -> Case:
    return after(give_back(opened(under), under, click(PE1, "finish"), at))


def review(case: Case) -> Ask:
    [found] = [ask for ask in case.later if ask.kind == "review"]
    return found


def swept(case: Case, under: Policy, at: datetime) -> Case:
    act = sweep(case, under, HERE, at, 0)
    return case if act is None or act.after is None else act.after


class TestTheWarning:
    @pytest.mark.parametrize(("seconds", "before"), [(3600, 10 * MINUTE), (4 * 3600, 10 * MINUTE), (1200, 5 * MINUTE)])
    def test_comes_ten_minutes_before_the_end_or_at_three_quarters_of_a_shorter_grant(
        self, seconds: int, before: timedelta
    ) -> None:
        case = opened(base(), seconds=seconds)
        assert case.grant is not None
        assert warn_at(case, case.grant) == case.grant.not_after - before

    def test_is_said_once_to_the_requester(self) -> None:
        case = opened(base())
        act = sweep(case, base(), HERE, T0 + 50 * MINUTE, 0)
        assert said(act, "ending") == [PE1]
        again = sweep(after(act), base(), HERE, T0 + 51 * MINUTE, 0)
        assert said(again, "ending") == []
        assert wake_at(after(act), base(), T0) == T0 + HOUR

    def test_is_left_out_where_the_end_came_first(self) -> None:
        act = sweep(opened(base()), base(), HERE, T0 + 2 * HOUR, 0)
        assert said(act, "ending") == []
        assert types(act)[0] == "grant.lapsed"


class TestWhatIsOwed:
    @pytest.mark.parametrize("action", ["finish", "unused"])
    def test_stays_after_every_end_by_a_person(self, action: str) -> None:
        under = base(**OWING)
        case = after(give_back(opened(under), under, click(PE1, action), T0 + MINUTE))
        assert [(d.kind, d.name) for d in case.owed()] == [
            ("evidence", "session_recording"), ("evidence", "tickets"), ("rotation", "rotation")
        ]  # fmt: skip

    def test_stays_after_the_end_by_the_clock_and_is_said_with_the_end(self) -> None:
        under = base(**OWING)
        act = sweep(opened(under), under, HERE, T0 + HOUR, 0)
        assert len(after(act).owed()) == 3
        assert (said(act, "owed"), said(act, "outcome")) == ([], [PE1])

    def test_is_chased_daily_until_it_comes_and_its_lack_is_logged_once(self) -> None:
        under = base(**OWING)
        case, missing, chases = ended(under), [], 0
        for hour in range(24 * 4):
            act = sweep(case, under, HERE, T0 + MINUTE + hour * HOUR, 0)
            if act is not None and act.after is not None:
                case = act.after
                missing += [d.data["name"] for d in act.entries if d.type == "evidence.missing"]
                chases += len(said(act, "owed"))
        assert sorted(missing) == ["rotation", "session_recording", "tickets"]
        assert chases == 7  # evidence at 24, 48 and 72 h; rotation at 6, 30, 54 and 78 h
        for name, action in (("tickets", "evidence"), ("session_recording", "evidence"), ("rotation", "attest")):
            case = after(hand_in(case, under, _handing(action, name), T0 + 5 * DAY))
        assert not case.owed()
        assert sweep(case, under, HERE, T0 + 9 * DAY, 0) is None

    def test_the_text_is_a_digest_and_in_a_note(self) -> None:
        under = base(**OWING)
        act = hand_in(ended(under), under, _handing("evidence", "tickets"), T0 + HOUR)
        [entry] = act.entries
        assert (entry.type, entry.data["name"]) == ("evidence.added", "tickets")
        assert [(p.name, p.value) for p in entry.private] == [("evidence", "https://x.example/1")]
        assert after(act).approval.noted("evidence")[0].text == "tickets: https://x.example/1"

    @pytest.mark.parametrize("person", [PE2, OWNER, DEP1])
    def test_nobody_but_requester_and_lead_hands_it_in(self, person: Any) -> None:
        under = base(**OWING)
        act = hand_in(ended(under), under, _handing("evidence", "tickets", person), T0 + HOUR)
        assert types(act) == ["decision.refused"]
        assert types(hand_in(ended(under), under, _handing("evidence", "tickets", LEAD), T0 + HOUR)) == ["evidence.added"]

    def test_what_came_is_not_taken_twice(self) -> None:
        under = base(**OWING)
        case = after(hand_in(ended(under), under, _handing("evidence", "tickets"), T0 + HOUR))
        assert types(hand_in(case, under, _handing("evidence", "tickets"), T0 + HOUR)) == ["decision.refused"]


def _handing(action: str, name: str, person: Any = PE1) -> Click:
    return Click(person, action, 1, {}, "https://x.example/1" if action == "evidence" else "", name=name)


class TestTheReview:
    def test_opens_at_every_end_and_asks_the_first_deputy_when_the_owner_alone_approved(self) -> None:
        case = ended(base())
        assert (review(case).state, review(case).due_at) == (AskState.OPEN, T0 + MINUTE + DAY)
        assert set(review(swept(case, base(), T0 + MINUTE)).asked) == {DEP1}

    def test_asks_the_owner_when_somebody_else_approved_too(self) -> None:
        under = policy(runbooks=[runbook("emergency", approvals=2)])
        case = case_of(under)
        for person in (OWNER, DEP1):
            case = after(decide(case, under, click(person), profile(person), T0))
        case = after(give_back(case, under, click(PE1, "finish"), T0 + MINUTE))
        assert set(review(swept(case, under, T0 + MINUTE)).asked) == {OWNER}

    def test_asks_the_risk_owner_where_there_is_no_deputy(self) -> None:
        from tests.bot.building import with_domain

        under = with_domain(base(), deputies=())
        assert set(review(swept(ended(under), under, T0 + MINUTE)).asked) == {RISK}

    def test_stays_with_the_owner_where_nobody_else_is_named(self) -> None:
        from tests.bot.building import with_domain

        under = with_domain(base(), deputies=(), risk_owner=None)
        assert set(review(swept(ended(under), under, T0 + MINUTE)).asked) == {OWNER}

    def test_goes_up_its_ladder_is_overdue_at_its_end_and_closes_a_window_later(self) -> None:
        case, logged = ended(base()), []
        start = T0 + MINUTE
        for hours in (0, 12, 18, 24, 48):
            act = sweep(case, base(), HERE, start + hours * HOUR, 0)
            case = after(act)
            logged.append([t for t in types(act) if t.startswith("review")])
        assert logged == [[], [], [], ["review.overdue"], []]
        assert set(review(case).asked) == {DEP1, DEP2, RISK}
        assert review(case).state is AskState.EXPIRED
        assert wake_at(case, base(), T0) is None

    def test_is_overdue_once_also_after_days_of_downtime(self) -> None:
        act = sweep(ended(base()), base(), HERE, T0 + 9 * DAY, 0)
        assert types(act) == ["review.overdue"]
        assert review(after(act)).state is AskState.EXPIRED


def test_an_end_in_downtime_is_closed_first_thing_and_nothing_of_it_is_lost() -> None:
    under = base(**OWING)
    act = sweep(opened(under), under, HERE, T0 + 3 * DAY, 0)
    assert types(act)[:2] == ["grant.lapsed", "review.due"]
    case = after(act)
    assert case.grant is not None
    assert (case.grant.state, case.grant.ended_at) == (GrantState.LAPSED, T0 + 3 * DAY)
    assert len(case.owed()) == 3


def test_time_scale_divides_every_window() -> None:
    under = base(**OWING)
    case = opened(under, scale=60)
    assert case.grant is not None
    assert case.grant.not_after == T0 + MINUTE
    done = after(give_back(case, under, click(PE1, "finish"), T0 + 30 * timedelta(seconds=1)))
    assert review(done).due_at == T0 + timedelta(seconds=30) + DAY / 60
    assert {d.due_at - d.since for d in done.owed()} == {DAY / 60, 6 * HOUR / 60}
