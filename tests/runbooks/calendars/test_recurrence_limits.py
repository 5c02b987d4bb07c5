"""A feed whose events would keep a reader busy is refused before anybody follows them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from bot.domain.policy.rota import Rota
from runbooks.calendars.ical import read_feed
from runbooks.calendars.ical_text import BadFeed
from tests.bot.building import ONC1, ONC2
from tests.runbooks.calendars.test_ical import feed

ROTA = Rota("security", "ical", (ONC1, ONC2), "Europe/London", fallback=ONC2, feed="a.ics")
NOW = datetime(2026, 3, 28, tzinfo=UTC)
MINUTES = [f"20260302T{minute // 60:02d}{minute % 60:02d}00Z" for minute in range(1440)]


def event(*lines: str, start: str = "20260301T080000Z", end: str = "20260301T090000Z", uid: int = 1) -> str:
    return "\n".join([f"UID:{uid}", f"DTSTART:{start}", f"DTEND:{end}", "SUMMARY:U0ONC1", *lines])


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["RRULE:FREQ=DAILY;INTERVAL=0"], "not understood"),
        (["RRULE:FREQ=DAILY;INTERVAL=-1"], "not understood"),
        (["RRULE:FREQ=SECONDLY"], "by the minute or second"),
        (["RRULE:FREQ=SEC\n ONDLY"], "by the minute or second"),  # folded
        (["RRULE:FREQ=DAILY;BYMINUTE=1"], "by the minute or second"),
        (["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "two rules"),
        (["RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"], "by the hour on some days only"),
        (["RDATE:" + ",".join(MINUTES * 15)], "more than can be followed"),
    ],
)
def test_a_rule_without_end_of_work_is_refused_at_once(lines: list[str], why: str) -> None:
    with pytest.raises(BadFeed, match=why):
        read_feed(feed(event(*lines)), ROTA, (), NOW)


def test_an_hourly_event_since_the_year_one_is_more_than_can_be_followed() -> None:
    with pytest.raises(BadFeed, match="more than can be followed"):
        read_feed(feed(event("RRULE:FREQ=HOURLY", start="00010101T000000Z")), ROTA, (), NOW)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24)))],
)
def test_many_rules_that_cost_much_are_more_than_can_be_followed(rule: str) -> None:
    many = feed(*(event(f"RRULE:{rule}", uid=n) for n in range(40)))
    with pytest.raises(BadFeed, match="repeat more than can be followed"):
        read_feed(many, ROTA, (), NOW)


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("FREQ=DAILY", 37), ("FREQ=HOURLY;INTERVAL=12", 74), ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", 27),
        ("FREQ=MONTHLY;BYDAY=1MO", 1), ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1", 2), ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1", 1),
        ("FREQ=DAILY;UNTIL=20260302T000000Z", 0), ("FREQ=DAILY;COUNT=3", 0),
    ],
)  # fmt: skip
def test_what_real_calendars_hold_is_read(rule: str, times: int) -> None:
    assert len(read_feed(feed(event(f"RRULE:{rule}")), ROTA, (), NOW).spells) == times


def test_an_event_that_never_ends_is_read_within_its_window() -> None:
    found = read_feed(feed(event("RRULE:FREQ=DAILY", start="19700101T080000Z", end="19700101T090000Z")), ROTA, (), NOW)
    assert len(found.spells) == 37
    assert max(s.end for s in found.spells) < datetime(2026, 5, 3, tzinfo=UTC)


def test_more_times_on_call_than_anybody_needs_are_refused() -> None:
    hourly = feed(*(event("RRULE:FREQ=HOURLY", uid=n) for n in range(2)))
    with pytest.raises(BadFeed, match="more than 1000 times on call"):
        read_feed(hourly, ROTA, (), NOW)


def test_a_length_that_no_calendar_has_is_named() -> None:
    found = read_feed(feed("UID:1\nDTSTART:20260301T080000Z\nDURATION:P9999999D\nSUMMARY:U0ONC1"), ROTA, (), NOW)
    assert (found.spells, len(found.unread)) == ((), 1)


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=MO", 2), ("FREQ=MONTHLY;BYDAY=1MO", 1), ("FREQ=YEARLY;BYMONTH=4;BYDAY=1TH", 1),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 2), ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1", 1),
        ("FREQ=MONTHLY;BYMONTHDAY=31", 1), ("FREQ=DAILY;BYDAY=MO,TU", 10), ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20260310T000000Z", 0),
    ],
)  # fmt: skip
def test_many_rules_that_match_or_have_ended_are_read_quickly(rule: str, times: int) -> None:
    many = feed(*(event(f"RRULE:{rule}", start="20200106T080000Z", end="20200106T090000Z", uid=n) for n in range(25)))
    started = time.monotonic()
    assert len(read_feed(many, ROTA, (), NOW).spells) == times * 25
    assert time.monotonic() - started < 5


def test_a_rule_that_has_ended_costs_nothing_and_one_that_matches_nothing_costs_all() -> None:
    def read(rule: str, more: str = "") -> int:
        many = (event(f"RRULE:{rule}", *([more] if more else []), uid=n) for n in range(40))
        return len(read_feed(feed(*many), ROTA, (), NOW).spells)

    assert read("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20260310T000000Z") == 0
    assert read("FREQ=DAILY;UNTIL=20260310T000000Z", "RDATE:20260401T080000Z") == 40
    for rule in ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20300101T000000Z"):
        with pytest.raises(BadFeed, match="repeat more than can be followed"):
            read(rule)
