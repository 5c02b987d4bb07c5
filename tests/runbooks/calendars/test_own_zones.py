"""Time zones that a calendar defines under names that are known."""

from __future__ import annotations

import pytest

from runbooks.calendars.ical import read_feed
from runbooks.calendars.ical_text import BadFeed
from tests.runbooks.calendars.test_ical import BERLIN, NAMED, ROTA, TOKYO, at, feed, shift, with_zone


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["Europe/London", "UTC", "America/New_York"])
def test_a_known_name_that_the_file_defines_otherwise_means_what_the_file_says_and_is_named(name: str, after: bool) -> None:
    content = with_zone(TOKYO.replace("Office", name), after=after, events=feed(shift(name)))
    found = read_feed(content, ROTA, NAMED, at(2026, 3, 28))
    assert [spell.start for spell in found.spells] == [at(2026, 3, 30, 1)]
    assert found.unread == (
        f"The calendar defines the time zone {name!r} otherwise than it is known; its own definition counts.",
    )
    (spell,) = read_feed(feed(shift(name)), ROTA, NAMED, at(2026, 3, 28)).spells  # nothing of it is kept for another file
    assert spell.start != at(2026, 3, 30, 1)


def test_a_zone_that_differs_only_after_the_change_of_clocks_is_named_too() -> None:
    winter = TOKYO.replace("+0900", "+0100").replace("Office", "Europe/Berlin")
    found = read_feed(
        with_zone(winter, after=False, events=feed(shift("Europe/Berlin").replace("20260330", "20260301"))),
        ROTA,
        NAMED,
        at(2026, 3, 1),
    )
    assert len(found.unread) == 1


def test_a_time_that_cannot_be_read_takes_no_other_with_it() -> None:
    broken = shift("Europe/London").replace("0330", "0230").replace("UID:1", "UID:2")
    found = read_feed(
        with_zone(TOKYO.replace("Office", "Europe/London"), after=False, events=feed(broken, shift("Europe/London"))),
        ROTA,
        NAMED,
        at(2026, 3, 28),
    )
    assert ([spell.start for spell in found.spells], len(found.unread)) == ([at(2026, 3, 30, 1)], 2)


def test_a_zone_that_is_defined_as_everybody_knows_it_is_not_named() -> None:
    content = with_zone(BERLIN.replace("Office", "Europe/Berlin"), after=False, events=feed(shift("Europe/Berlin")))
    found = read_feed(content, ROTA, NAMED, at(2026, 3, 28))
    assert ([spell.start for spell in found.spells], found.unread) == ([at(2026, 3, 30, 8)], ())


def test_a_zone_that_is_defined_twice_and_differently_is_refused() -> None:
    with pytest.raises(BadFeed, match="'Office' twice and differently"):
        read_feed(with_zone(TOKYO + BERLIN, after=False, events=feed(shift("Office"))), ROTA, NAMED, at(2026, 3, 28))
