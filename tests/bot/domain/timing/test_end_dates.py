"""Policy exceptions end on a date: however it is asked for, approved, renewed, reminded of and slept through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.case.ask import Ask
from bot.domain.case.click import Click
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.policy.model import BreakGlass, Policy
from bot.domain.policy.people import Person
from bot.domain.timing import end_dates
from bot.domain.workflow import filing, filing_form, grant_end, more_time
from bot.domain.workflow.asks import engine, extension, renewal
from bot.domain.workflow.timers import sweep, wake_at
from tests.bot.building import (
    DAY,
    DEP1,
    FIRST_TIME,
    HERE,
    HOUR,
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
    filing_of,
    form,
    policy,
    profile,
    runbook,
    said,
    types,
)

TODAY = T0.date()
LAST_SECOND = timedelta(hours=23, minutes=59, seconds=59)
EXCEPTION = runbook(
    "exception", kind="policy_exception", max_duration=90 * 86400, default_duration=30 * 86400, escalation="short",
    max_renewals=2, review_within=None,
)  # fmt: skip
BASE = policy(runbooks=[EXCEPTION])


def day(after_today: int) -> date:
    return TODAY + timedelta(days=after_today)


def last_moment(of: date) -> datetime:
    return datetime(of.year, of.month, of.day, tzinfo=UTC) + LAST_SECOND


def filed(until: date | None = day(40), under: Policy = BASE, **how: Any) -> Case:
    return case_of(under, "exception", until=until, **how)


def opened(until: date = day(40), under: Policy = BASE, at: datetime = T0 + MINUTE) -> Case:
    case = filed(until, under)
    return after(decide(case, under, click(OWNER), profile(OWNER), at))


def renew(case: Case, until: date, at: datetime, person: Person = PE1, under: Policy = BASE) -> Transition:
    return more_time.renew(case, under, Click(person, "renew", 1, {}, until=until), HERE, at)


def answered(case: Case, action: str, at: datetime, person: Person = OWNER, under: Policy = BASE) -> Transition:
    ask = case.asks[-1]
    return engine.answer(case, ask, under, Click(person, action, ask.version, {}, "no"), profile(person), at)


def swept(case: Case, at: datetime, under: Policy = BASE) -> Transition:
    act = sweep(case, under, HERE, at, 0)
    assert act is not None
    return act


def renewed_once() -> Case:
    case = after(renew(opened(), day(100), T0 + 30 * DAY))
    return after(answered(case, "approve", T0 + 30 * DAY + HOUR))


class TestTheDay:
    def test_is_the_last_of_the_exception(self) -> None:
        assert filed(day(40)).request.terms.ends_at == last_moment(day(40))

    def test_is_never_later_than_the_maximum_from_the_asking(self) -> None:
        assert filed(day(90)).request.terms.ends_at == T0 + 90 * DAY

    @pytest.mark.parametrize("chosen", [None, day(-1), day(91), date.max])
    def test_that_is_missing_past_or_too_late_is_refused_at_its_field(self, chosen: date | None) -> None:
        (error,) = filing_form.check(BASE, form("exception", until=chosen), TODAY)
        assert error.field == "until"

    @pytest.mark.parametrize("chosen", [day(0), day(90)])
    def test_may_be_today_or_the_last_that_the_maximum_allows(self, chosen: date) -> None:
        assert filing_form.check(BASE, form("exception", until=chosen), TODAY) == ()

    def test_that_is_over_when_the_worker_files_it_is_refused(self) -> None:
        late = last_moment(TODAY)
        act = filing.file(BASE, form("exception", until=TODAY), FIRST_TIME, HERE, late, 1)
        assert types(act) == ["request.refused"]

    def test_is_reached_sooner_at_a_faster_clock(self) -> None:
        fast = filed(day(40), scale=1000)
        assert fast.request.terms.ends_at == T0 + (last_moment(day(40)) - T0) / 1000

    def test_ends_a_question_that_nobody_answered_by_then(self) -> None:
        case = filed(TODAY, at=last_moment(TODAY) - MINUTE)
        assert case.approval.expires_at == last_moment(TODAY)


class TestTheYes:
    def test_opens_it_until_the_day_whenever_it_comes(self) -> None:
        case = opened(at=T0 + 3 * HOUR)
        assert case.grant is not None
        assert case.grant.not_after == last_moment(day(40))

    def test_is_logged_with_its_date(self) -> None:
        act = decide(filed(), BASE, click(OWNER), profile(OWNER), T0)
        assert types(act) == ["request.approved", "grant.opened", "exception.opened"]
        assert act.entries[2].data == {"until": "2026-04-13T23:59:59.000Z"}

    def test_may_give_an_earlier_day_and_no_later_one(self) -> None:
        for chosen, until in ((day(10), day(10)), (day(60), day(40))):
            pressed = replace(click(OWNER), until=chosen)
            grant = after(decide(filed(), BASE, pressed, profile(OWNER), T0)).grant
            assert grant is not None
            assert grant.not_after == last_moment(until)

    def test_until_a_day_that_is_over_is_refused(self) -> None:
        pressed = replace(click(OWNER), until=day(-1))
        assert types(decide(filed(), BASE, pressed, profile(OWNER), T0)) == ["decision.refused"]

    def test_of_a_high_risk_needs_the_risk_owner(self) -> None:
        high = replace(EXCEPTION, risk="high", requires=("risk_owner",), approvals=2)
        under = policy(runbooks=[high])
        case = filed(under=under)
        case = after(decide(case, under, click(OWNER), profile(OWNER), T0))
        case = after(sweep(case, under, HERE, T0 + 31 * MINUTE, 0))
        case = after(decide(case, under, click(DEP1), profile(DEP1), T0 + HOUR))
        assert case.grant is None
        assert after(decide(case, under, click(RISK), profile(RISK), T0 + HOUR)).grant is not None


class TestTheReminders:
    def test_come_at_three_quarters_and_seven_days_before_to_requester_and_owner(self) -> None:
        case, heard = opened(), []
        grant = case.grant
        assert grant is not None
        while (wake := wake_at(case, BASE, T0)) is not None and wake < grant.not_after:
            act = swept(case, wake)
            case = after(act)
            heard.append((wake, said(act, "expiring")))
        opened_at, end = T0 + MINUTE, last_moment(day(40))
        assert heard == [(opened_at + 0.75 * (end - opened_at), [PE1, OWNER]), (end - 7 * DAY, [PE1, OWNER])]

    def test_of_less_than_a_week_is_one(self) -> None:
        case = after(swept(opened(day(4)), T0 + 4 * DAY))
        assert case.grant is not None
        assert case.grant.warned
        assert case.grant.remind_at is None

    def test_that_were_slept_through_are_one(self) -> None:
        act = swept(opened(), T0 + 39 * DAY)
        assert len(said(act, "expiring")) == 2
        assert after(act).grant.remind_at is None  # type: ignore[union-attr]


class TestTheEnd:
    def test_comes_by_itself_and_the_owner_is_informed(self) -> None:
        act = swept(opened(), last_moment(day(40)))
        assert types(act) == ["exception.ended"]
        assert act.entries[0].data["how"] == "lapsed"
        assert act.entries[0].data["until"] == "2026-04-13T23:59:59.000Z"
        assert said(act, "expiring") == [OWNER]
        assert said(act, "outcome") == [PE1]

    def test_that_was_slept_through_is_the_first_thing_done(self) -> None:
        act = swept(opened(), T0 + 80 * DAY)
        assert types(act)[0] == "exception.ended"

    @pytest.mark.parametrize(("action", "how"), [("finish", "finished"), ("unused", "unused")])
    def test_is_called_the_same_when_the_requester_says_it(self, action: str, how: str) -> None:
        act = grant_end.give_back(opened(), BASE, click(PE1, action), T0 + DAY)
        assert types(act) == ["exception.ended"]
        assert act.entries[0].data["how"] == how

    def test_is_not_put_off_by_an_extension(self) -> None:
        assert extension.room(opened()) == 0


class TestARenewal:
    def test_is_a_new_question_to_the_same_people_by_the_same_ladder(self) -> None:
        act = renew(opened(), day(100), T0 + 30 * DAY)
        ask = after(act).asks[-1]
        assert types(act) == ["renewal.asked", "step.fired"]
        assert (ask.kind, ask.need, ask.asked) == ("renewal", 1, (OWNER,))

    def test_with_its_yes_moves_the_date(self) -> None:
        case = after(renew(opened(), day(100), T0 + 30 * DAY))
        act = answered(case, "approve", T0 + 30 * DAY + HOUR)
        assert types(act) == ["request.approved", "exception.renewed"]
        assert act.entries[0].data["extends"] is True
        assert after(act).grant.not_after == last_moment(day(100))  # type: ignore[union-attr]

    def test_is_reminded_of_again_from_its_own_yes_on(self) -> None:
        case = renewed_once()
        decided, end = T0 + 30 * DAY + HOUR, last_moment(day(100))
        assert case.grant is not None
        assert case.grant.remind_at == decided + 0.75 * (end - decided)
        assert not case.grant.warned

    def test_reaches_at_most_the_maximum_from_its_own_asking(self) -> None:
        assert types(renew(opened(), day(121), T0 + 30 * DAY)) == ["decision.refused"]
        asked = after(renew(opened(), day(120), T0 + 30 * DAY))
        case = after(answered(asked, "approve", T0 + 30 * DAY))
        assert case.grant is not None
        assert case.grant.not_after == T0 + 120 * DAY

    @pytest.mark.parametrize("until", [day(40), day(39), day(0)])
    def test_that_would_not_last_longer_is_refused(self, until: date) -> None:
        assert types(renew(opened(), until, T0 + 30 * DAY)) == ["decision.refused"]

    @pytest.mark.parametrize("person", [PE2, SOC1, OWNER])
    def test_is_the_requesters_only(self, person: Person) -> None:
        assert types(renew(opened(), day(100), T0 + 30 * DAY, person)) == ["decision.refused"]

    def test_is_given_no_more_often_than_the_runbook_says(self) -> None:
        case = renewed_once()
        case = after(answered(after(renew(case, day(150), T0 + 80 * DAY)), "approve", T0 + 80 * DAY))
        assert renewal.left(case, EXCEPTION) == 0
        assert types(renew(case, day(160), T0 + 90 * DAY)) == ["decision.refused"]

    def test_that_the_policy_no_longer_allows_is_refused_at_once(self) -> None:
        for changed in (
            policy(runbooks=[replace(EXCEPTION, max_renewals=0)]),
            policy(runbooks=[]),
            policy(runbooks=[replace(EXCEPTION, providers=("watchfield",))]),
            policy(runbooks=[EXCEPTION], providers=[replace(NORTHGATE, contract_until=day(1))]),
        ):
            assert types(renew(opened(), day(100), T0 + 30 * DAY, under=changed)) == ["decision.refused"]

    def test_that_is_open_is_not_asked_for_twice(self) -> None:
        case = after(renew(opened(), day(100), T0 + 30 * DAY))
        assert types(renew(case, day(110), T0 + 30 * DAY + MINUTE)) == ["decision.refused"]

    def test_with_a_no_leaves_the_date_and_is_final(self) -> None:
        case = after(renew(opened(), day(100), T0 + 30 * DAY))
        act = answered(case, "deny", T0 + 30 * DAY)
        assert types(act) == ["renewal.denied"]
        assert after(act).grant.not_after == last_moment(day(40))  # type: ignore[union-attr]
        assert types(renew(after(act), day(100), T0 + 31 * DAY)) == ["decision.refused"]

    def test_that_nobody_answered_may_be_asked_for_again(self) -> None:
        case = after(renew(opened(), day(100), T0 + 30 * DAY))
        act = swept(case, T0 + 30 * DAY + 4 * HOUR)
        assert "renewal.expired" in types(act)
        assert types(renew(after(act), day(100), T0 + 31 * DAY))[0] == "renewal.asked"

    def test_dies_with_the_exception_and_revives_nothing(self) -> None:
        end = last_moment(day(40))
        case = after(renew(opened(), day(100), end - MINUTE))
        act = swept(case, end)
        assert types(act) == ["exception.ended", "renewal.expired"]
        assert types(answered(case, "approve", end)) == ["decision.refused"]
        assert types(renew(after(act), day(100), end)) == ["decision.refused"]

    def test_is_no_way_to_a_grant_that_is_over_though_no_timer_ran(self) -> None:
        assert types(renew(opened(), day(100), last_moment(day(40)))) == ["decision.refused"]

    def test_is_offered_from_the_first_reminder_on(self) -> None:
        case = opened()
        assert not renewal.offered(case, BASE, T0)
        reminded = after(swept(case, T0 + 31 * DAY))
        assert renewal.offered(reminded, BASE, T0 + 31 * DAY)
        assert not renewal.offered(reminded, policy(runbooks=[]), T0 + 31 * DAY)


def test_a_grant_of_another_kind_is_not_renewed() -> None:
    under = policy()
    case = after(decide(case_of(under), under, click(OWNER), profile(OWNER), T0))
    assert types(renew(case, day(1), T0 + MINUTE, under=under)) == ["decision.refused"]


def test_the_explained_request_ends_on_its_usual_day() -> None:
    case = filed(None) if not filing_form.check(BASE, form("exception"), TODAY) else None
    assert case is None
    drawn = filing.opened(BASE, form("exception"), EXCEPTION, FIRST_TIME, T0, 1)
    assert drawn.request.terms.ends_at == T0 + timedelta(seconds=3600)


def test_a_renewals_ask_and_an_exceptions_state_are_rows_of_the_tables() -> None:
    case = renewed_once()
    ask: Ask = case.asks[-1]
    assert ask.state is AskState.YES
    assert case.grant is not None
    assert case.grant.state is GrantState.OPEN
    assert end_dates.renewals(case) == (ask,)


@pytest.mark.parametrize(
    "changes",
    [
        {"right": "autonomous", "escalation": None},
        {"right": "immediate", "break_glass": BreakGlass(3600, None)},
    ],
)
def test_an_exception_that_opens_at_its_filing_ends_on_its_day_too(changes: dict[str, Any]) -> None:
    under = policy(runbooks=[replace(EXCEPTION, **changes)])
    act = filing_of(under, "exception", until=day(10))
    grant = after(act).grant
    assert grant is not None
    assert grant.not_after == last_moment(day(10))
    assert "exception.opened" in types(act)
    assert types(swept(after(act), last_moment(day(10)), under))[0] == "exception.ended"
