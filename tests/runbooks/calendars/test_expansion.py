"""The repeats of a calendar's events."""

from __future__ import annotations

import pytest

from runbooks.calendars.ical import read_feed
from tests.bot.building import ONC1, ONC2
from tests.runbooks.calendars.test_ical import NAMED, ROTA, at, feed

EVENING = "UID:1\nSUMMARY:tomas\nDTSTART;TZID=Europe/London:20261024T200000"  # the clocks go back on the 25th at 01:00 UTC


@pytest.mark.parametrize(
    ("length", "day", "hour"), [("PT12H", 25, 7), ("PT24H", 25, 19), ("P1D", 25, 20), ("P1DT1H", 25, 21), ("PT30H", 26, 1)]
)
def test_hours_are_exact_and_days_are_by_the_clock_when_the_clocks_change(length: str, day: int, hour: int) -> None:
    (spell,) = read_feed(feed(f"{EVENING}\nDURATION:{length}"), ROTA, NAMED, at(2026, 10, 24)).spells
    assert (spell.start, spell.end) == (at(2026, 10, 24, 19), at(2026, 10, day, hour))


def test_hours_are_exact_in_each_repeat_and_an_exception_has_its_own_end() -> None:
    moved = "UID:1\nSUMMARY:grace\nRECURRENCE-ID;TZID=Europe/London:20261026T200000\nDTSTART:20261026T210000Z\nDTEND:20261026T220000Z"
    found = read_feed(
        feed(f"{EVENING}\nDURATION:PT12H\nRRULE:FREQ=DAILY;COUNT=3", moved), ROTA, NAMED, at(2026, 10, 24)
    ).spells
    assert [(spell.start, spell.end) for spell in found] == [
        (at(2026, 10, 24, 19), at(2026, 10, 25, 7)), (at(2026, 10, 25, 20), at(2026, 10, 26, 8)), (at(2026, 10, 26, 21), at(2026, 10, 26, 22)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "times",
    [
        "DTSTART:20260328T100000Z\nDTEND:99991231T235959Z", "DTSTART;TZID=Asia/Tokyo:00010101T000000\nDTEND;TZID=Asia/Tokyo:99991231T235959",
        "DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:99991231",
    ],
)  # fmt: skip
def test_an_event_that_never_ends_or_began_in_the_year_one_is_on_call(times: str) -> None:
    (spell,) = read_feed(feed(f"UID:1\nSUMMARY:tomas\n{times}"), ROTA, NAMED, at(2026, 3, 28)).spells
    assert (spell.start <= at(2026, 3, 28, 10), spell.end > at(2026, 5, 2), spell.person) == (True, True, ONC1)


def test_an_event_that_cannot_be_expanded_is_named_and_the_others_count() -> None:
    times = "DTSTART:20260328T100000Z\nDURATION:PT1H"
    broken, fine = f"UID:1\nSUMMARY:tomas\n{times}\nRRULE:FREQ=MONTHLY;BYDAY=99MO", f"UID:2\nSUMMARY:grace\n{times}"
    found = read_feed(feed(broken, fine), ROTA, NAMED, at(2026, 3, 28))
    assert [spell.person for spell in found.spells] == [ONC2]
    assert found.unread == (
        "The event 'tomas' repeats in a way that cannot be followed, so it does not count: correct it in the calendar.",
    )
