"""Reviews wait for the morning of whoever reads them; a ratification never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.workspace import daytime_zone
from bot.domain.case.ask import Ask
from bot.domain.case.model import Case
from bot.domain.policy.model import NamedPerson
from bot.domain.timing.escalation import Presence
from bot.domain.timing.quiet_hours import CLOSES, OPENS, kept_by, rings_at
from bot.domain.workflow.grant_end import give_back
from bot.domain.workflow.timers import card_failed, sweep
from tests.bot.building import (
    DAY,
    DEP1,
    DEP2,
    HERE,
    HOUR,
    OWNER,
    PE1,
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
    with_domain,
)

MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["Europe/London", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Etc/GMT-14", "UTC"])
PAGED = policy(people=(NamedPerson("olga", OWNER, "Olga", "env:PAGE"), NamedPerson("dev", DEP1, "Dev", "env:PAGE")))


@pytest.mark.parametrize(
    ("now", "zone", "at"),
    [
        ("2026-03-04T09:00", "Europe/London", "2026-03-04T09:00"),
        ("2026-03-04T17:59", "Europe/London", "2026-03-04T17:59"),
        ("2026-03-04T18:00", "Europe/London", "2026-03-05T09:00"),
        ("2026-03-04T08:59", "Europe/London", "2026-03-04T09:00"),
        ("2026-03-04T12:00", "Asia/Tokyo", "2026-03-05T00:00"),
        ("2026-03-28T20:00", "Europe/London", "2026-03-29T08:00"),  # summer time begins in between
        ("2026-03-04T03:00", "Nowhere/Known", "2026-03-04T09:00"),
        ("2026-03-04T03:00", "", "2026-03-04T09:00"),
    ],
)
def test_a_message_rings_now_or_at_nine_of_its_readers_clock(now: str, zone: str, at: str) -> None:
    assert rings_at(datetime.fromisoformat(now + "Z"), zone) == datetime.fromisoformat(at + "Z")


@given(now=MOMENTS, zone=ZONES)
def test_whatever_rings_rings_by_day_and_within_sixteen_hours(now: datetime, zone: str) -> None:
    at = rings_at(now, zone)
    assert OPENS <= at.astimezone(ZoneInfo(zone)).time() < CLOSES
    assert now <= at <= now + timedelta(hours=16, minutes=5)


@given(now=MOMENTS)
def test_the_demo_is_played_by_day(now: datetime) -> None:
    assert rings_at(now, daytime_zone(now)) == now


def reviewing() -> Case:
    base = policy()
    case = after(decide(case_of(base), base, click(OWNER), profile(OWNER), T0))
    return after(give_back(case, base, click(PE1, "finish"), T0))


def last(case: Case) -> Ask:
    return case.asks[-1]


def test_reviews_keep_to_the_day_and_ratifications_ring_at_once() -> None:
    glass = case_of(policy(), "glass")
    assert not kept_by(glass.asks[0])
    assert kept_by(last(reviewing()))
    assert not kept_by(case_of(policy()).approval)


class TestAReviewAtNight:
    def test_pages_nobody_and_pulls_nothing_forward(self) -> None:
        asleep = Presence({}, {DEP1: T0 + 8 * HOUR, DEP2: T0 + 8 * HOUR})
        act = sweep(reviewing(), PAGED, asleep, T0, 0)
        assert said(act, "pager") == []
        assert last(after(act)).asked == (DEP1,)

    def test_is_overdue_at_its_time_and_not_when_its_last_step_was_pulled_forward(self) -> None:
        alone = with_domain(policy(), deputies=())
        act = sweep(reviewing(), alone, HERE, T0, 0)
        assert last(after(act)).asked == (RISK,)
        assert "review.overdue" not in types(act)
        assert "review.overdue" in types(sweep(after(act), alone, HERE, T0 + DAY, 0))

    def test_that_was_slept_through_is_overdue_once(self) -> None:
        act = sweep(reviewing(), policy(), HERE, T0 + 3 * DAY, 0)
        assert types(act).count("review.overdue") == 1

    def test_whose_card_cannot_be_delivered_asks_the_next(self) -> None:
        case = after(sweep(reviewing(), policy(), HERE, T0, 0))
        act = card_failed(case, policy(), HERE, DEP1, "user_not_found", T0, last(case).version)
        assert set(last(after(act)).asked) == {DEP1, DEP2}
        closed = replace(last(case), expires_at=T0)
        assert card_failed(case.with_ask(closed), policy(), HERE, DEP1, "gone", T0, closed.version) is None


def test_a_break_glass_pages_at_its_opening_and_its_later_steps_page_nobody() -> None:
    asleep = Presence({}, {RISK: T0 + 8 * HOUR})
    under = replace(PAGED, people=(*PAGED.people, NamedPerson("risk", RISK, "Risk", "env:PAGE")))
    case = case_of(under, "glass")
    assert [r.paged for r in case.asks[0].reached if r.person == OWNER] == [True]
    act = sweep(case, under, asleep, T0 + 4 * HOUR, 0)
    assert RISK in after(act).asks[0].asked
    assert said(act, "pager") == []


def test_a_runbook_without_a_review_owes_none() -> None:
    under = policy(runbooks=[runbook("emergency", review_within=None)])
    case = after(decide(case_of(under), under, click(OWNER), profile(OWNER), T0))
    assert after(give_back(case, under, click(PE1, "finish"), T0)).later == ()


def test_the_domains_channel_is_notified_that_something_is_overdue() -> None:
    act = sweep(reviewing(), policy(), HERE, T0 + DAY, 0)
    assert [say.data["state"] for say in act.says if say.purpose == "announce"] == ["review.overdue"]  # type: ignore[union-attr]
    glass = sweep(case_of(policy(), "glass"), policy(), HERE, T0 + 4 * HOUR, 0)
    assert "breakglass.unratified" in [say.data["state"] for say in glass.says if say.purpose == "announce"]  # type: ignore[union-attr]
