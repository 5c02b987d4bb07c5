"""What an event holds that is not understood."""

from __future__ import annotations

import pytest

from runbooks.calendars.ical import read_feed
from runbooks.calendars.ical_text import BadFeed
from tests.bot.building import ONC1, ONC2
from tests.runbooks.calendars.test_ical import NAMED, ROTA, at, feed

START, DAY = "DTSTART:20260328T100000Z", "DTSTART;VALUE=DATE:20260328"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (START, "has no end"), (f"{START}\nDTEND:20260328T100000Z", "ends when or before it begins"),
        (f"{START}\nDTEND:20260328T090000Z", "ends when or before it begins"), (f"{START}\nDURATION:-PT1H", "ends when or before"),
        (f"{DAY}\nDTEND;VALUE=DATE:20260328", "ends when or before it begins"),
        (f"{START}\nDTEND;VALUE=DATE:20260329", "begins with a day and ends at a time"),
        (f"{DAY}\nDTEND:20260328T100000Z", "begins with a day and ends at a time"),
        (f"{START}\nDTEND:20260328T110000", "begins in a time zone and ends in none"),
        (f"{START}\nDTEND:20260328T110000Z\nDURATION:PT1H", "has an end and a duration"),
        (f"{START}\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "repeats except by a rule"),
        (f"{START}\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXDATE;TZID=Mars/X:20260329T100000", "time zone 'Mars/X'"),
        (f"{START}\nDURATION:PT1H\nRDATE;TZID=Mars/X:20260329T100000", "time zone 'Mars/X'"),
        ("DTSTART:20260328T100000Z\nDTEND;TZID=Mars/X:20260328T110000", "time zone 'Mars/X'"),
        (f"{START}\nDURATION:PT1H\nRRULE:FREQ=NOW", "cannot be read"),
        (f"{START}\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=99999999999", "cannot be read"),
        (f"{START}\nDURATION:PT1H\nRRULE:RSCALE=HEBREW;FREQ=YEARLY", "repeats in a way that is not understood"),
        ("DTSTART;TZID=Europe/Paris:20260328T100000Z\nDURATION:PT1H", "cannot be read"),
        ("DTSTART;TZID=Europe/Paris:20260328T100000+0100\nDURATION:PT1H", "cannot be read"),
        (f"{START}\nDURATION:PT1H\nRDATE;VALUE=DATE:20260329", "repeated on days without one"),
        (f"{DAY}\nRDATE:20260329T100000Z", "repeated on days without one"),
        (f"{DAY}\nDURATION:PT12H", "begins with a day and lasts for hours"),
        *((f"{START}\nDURATION:PT1H\nRRULE:FREQ=DAILY;{part}", "repeats in a way that is not understood")
          for part in ("COUNT=0", "COUNT=-1", "COUNT=3;UNTIL=20260401T000000Z")),
        (f"{START}\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=99MO", "repeats in a way that cannot be followed"),
        (f"{START}\nDURATION:PT1H\nSTATUS:CANCELED", "has the state 'CANCELED'"),
        (f"{START}\nDURATION:PT1H\nDTSTART:20260329T100000Z", "has several beginnings"),
        (f"{START}\nDURATION:PT1H\nRECURRENCE-ID;RANGE=THISANDPRIOR:20260328T100000Z", "for a range that is not understood"),
        (f"{START}\nDURATION:P9999999999D", "cannot be read"), (f"{START}\nDTEND:20260328T240000Z", "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named_and_does_not_count(lines: str, why: str) -> None:
    found = read_feed(feed(f"UID:1\nSUMMARY:tomas\n{lines}"), ROTA, NAMED, at(2026, 3, 28))
    assert found.spells == ()
    [said] = found.unread
    assert said.startswith("The event 'tomas' ")
    assert why in said


@pytest.mark.parametrize(
    ("lines", "begin", "end"),
    [
        (f"{START}\nDURATION:PT1H30M", (10, 0), (11, 30)), (f"{START}\nDTEND:20260328T120000Z", (10, 0), (12, 0)),
        ("DTSTART:20260328T100000\nDTEND:20260328T120000", (10, 0), (12, 0)),
    ],
)  # fmt: skip
def test_ends_and_durations_are_read(lines: str, begin: tuple[int, int], end: tuple[int, int]) -> None:
    (spell,) = read_feed(feed(f"UID:1\nSUMMARY:tomas\n{lines}"), ROTA, NAMED, at(2026, 3, 28)).spells
    assert (spell.start, spell.end, spell.person) == (at(2026, 3, 28, *begin), at(2026, 3, 28, *end), ONC1)


@pytest.mark.parametrize(
    ("lines", "days"), [(DAY, 1), (f"{DAY}\nDTEND;VALUE=DATE:20260330", 2), (f"{DAY}\nDURATION:P3D", 3)]
)
def test_whole_days_are_those_of_the_rotas_zone(lines: str, days: int) -> None:
    (spell,) = read_feed(feed(f"UID:1\nSUMMARY:tomas\n{lines}"), ROTA, NAMED, at(2026, 3, 28)).spells
    assert spell.start == at(2026, 3, 28)
    assert spell.end == (at(2026, 3, 29) if days == 1 else at(2026, 3, 27 + days, 23))  # summer time from the 29th


def test_an_event_that_cannot_be_read_takes_no_other_with_it() -> None:
    broken, fine = f"UID:1\nSUMMARY:tomas\n{START}\nRRULE:FREQ=NOW", f"UID:2\nSUMMARY:grace\n{START}\nDURATION:PT1H"
    found = read_feed(feed(broken, fine), ROTA, NAMED, at(2026, 3, 28))
    assert ([spell.person for spell in found.spells], len(found.unread)) == ([ONC2], 1)


@pytest.mark.parametrize("method", ["CANCEL", "REPLY", "COUNTER", "REFRESH", "X\u202e"])
def test_a_message_about_a_calendar_is_none(method: str) -> None:
    content = feed(f"UID:1\nSUMMARY:tomas\n{START}\nDURATION:PT1H").replace(
        b"PRODID", b"METHOD:" + method.encode() + b"\r\nPRODID"
    )
    with pytest.raises(BadFeed, match="a message about one") as refused:
        read_feed(content, ROTA, NAMED, at(2026, 3, 28))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("method", ["PUBLISH", "request"])
def test_a_published_calendar_is_read(method: str) -> None:
    content = feed(f"UID:1\nSUMMARY:tomas\n{START}\nDURATION:PT1H").replace(
        b"PRODID", b"METHOD:" + method.encode() + b"\r\nPRODID"
    )
    assert len(read_feed(content, ROTA, NAMED, at(2026, 3, 28)).spells) == 1


@pytest.mark.parametrize("until", ["99991231T235959Z", "99991231"])
@pytest.mark.parametrize("start", ["DTSTART:20260301T100000Z\nDTEND:20260301T110000Z", "DTSTART;VALUE=DATE:20260301"])
def test_a_rule_until_the_last_day_that_there_is_is_read(until: str, start: str) -> None:
    found = read_feed(feed(f"UID:1\nSUMMARY:tomas\n{start}\nRRULE:FREQ=DAILY;UNTIL={until}"), ROTA, NAMED, at(2026, 3, 28))
    assert len(found.spells) > 30


DAILY = f"UID:1\nSUMMARY:tomas\n{START}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("DTSTART:20260330T100000Z\nDURATION:PT2H", "has the same UID as another event"),
        (
            "RECURRENCE-ID;VALUE=DATE:20260329\nDTSTART:20260329T120000Z\nDURATION:PT1H",
            "has an exception for a day without one",
        ),
    ],
)
def test_events_that_contradict_each_other_are_named_and_do_not_count(other: str, why: str) -> None:
    found = read_feed(feed(DAILY, f"UID:1\nSUMMARY:grace\n{other}"), ROTA, NAMED, at(2026, 3, 28))
    assert found.spells == ()
    assert [why in said for said in found.unread] == [True, True]


def test_the_later_version_of_an_event_counts() -> None:
    found = read_feed(
        feed(DAILY, f"UID:1\nSEQUENCE:1\nSUMMARY:grace\n{START}\nDURATION:PT2H"), ROTA, NAMED, at(2026, 3, 28)
    )
    assert ([spell.person for spell in found.spells], found.unread) == ([ONC2], ())


@pytest.mark.parametrize(
    ("heading", "why"),
    [("CALSCALE:HEBREW", "it counts days otherwise"), ("X-WR-TIMEZONE:Mars/X", "nobody knows its time zone")],
)
def test_a_heading_that_is_not_understood_is_named(heading: str, why: str) -> None:
    with pytest.raises(BadFeed, match=why):
        read_feed(feed(DAILY).replace(b"PRODID", heading.encode() + b"\r\nPRODID"), ROTA, NAMED, at(2026, 3, 28))


def test_a_zone_beside_utc_says_the_same_where_it_is_utc() -> None:
    (spell,) = read_feed(feed(f"UID:1\nSUMMARY:tomas\n{START.replace(':', ';TZID=UTC:', 1)}\nDURATION:PT1H"), ROTA, NAMED,
                         at(2026, 3, 28)).spells  # fmt: skip
    assert spell.start == at(2026, 3, 28, 10)
