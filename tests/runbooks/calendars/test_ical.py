"""iCal feeds as spells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.policy.model import NamedPerson, PolicyFile
from bot.domain.policy.on_call import on_call
from bot.domain.policy.rota import Rota
from runbooks.calendars.ical import feed_findings, prepared, read_feed
from runbooks.calendars.ical_text import BadFeed
from runbooks.calendars.on_call_coverage import coverage
from tests.bot.building import ONC1, ONC2, policy

NAMED = (NamedPerson("tomas", ONC1, "Tomas Lindqvist"), NamedPerson("grace", ONC2, "Grace Okafor"))
ROTA = Rota("security", "ical", (ONC1, ONC2), "Europe/London", fallback=ONC2, feed="a.ics")
NIGHTS = (
    "UID:1\nDTSTART;TZID=Europe/London:20260320T200000\nDTEND;TZID=Europe/London:20260321T080000\nRRULE:FREQ=DAILY\n"
    "EXDATE;TZID=Europe/London:20260330T200000\nSUMMARY:Tomas Lindqvist"
)
SWAPPED = (
    "UID:1\nRECURRENCE-ID;TZID=Europe/London:20260331T200000\nDTSTART;TZID=Europe/London:20260331T220000\n"
    "DTEND;TZID=Europe/London:20260401T080000\nSUMMARY:grace"
)


def feed(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_a_repeating_event_keeps_its_wall_time_across_the_change_of_clocks_with_its_exceptions() -> None:
    found = read_feed(feed(NIGHTS, SWAPPED), ROTA, NAMED, at(2026, 3, 28, 12)).spells
    nights = [(s.start, s.end, s.person) for s in found if s.start >= at(2026, 3, 28)][:4]
    assert nights == [
        (at(2026, 3, 28, 20), at(2026, 3, 29, 7), ONC1),
        (at(2026, 3, 29, 19), at(2026, 3, 30, 7), ONC1),
        (at(2026, 3, 31, 21), at(2026, 4, 1, 7), ONC2),  # the 30th is excepted, the 31st moved and swapped
        (at(2026, 4, 1, 19), at(2026, 4, 2, 7), ONC1),
    ]


@pytest.mark.parametrize(
    "text", ["tomas", "U0ONC1", "T0HOME/U0ONC1", "tomas  LINDQVIST", "x\nATTENDEE;CN=Tomas Lindqvist:mailto:t@x"]
)
def test_an_event_names_a_person_by_label_id_name_or_attendee(text: str) -> None:
    event = f"UID:1\nDTSTART:20260328T100000\nDTEND:20260328T110000\nSUMMARY:{text}"
    (spell,) = read_feed(feed(event), ROTA, NAMED, at(2026, 3, 28)).spells
    assert spell.person == ONC1


def test_a_stranger_is_reported_and_never_on_call() -> None:
    content = feed("UID:1\nDTSTART;VALUE=DATE:20260328\nSUMMARY:U0DEP1")
    base = policy(rotas=[ROTA], people=NAMED, files=(PolicyFile("a.ics", "", content),))
    assert [f.text for f in feed_findings(base)] == [
        "The event 'U0DEP1' names nobody of rota `security`, so its time falls to the fallback: write a label, an id or a"
        " name of its `people` there."
    ]
    assert on_call(prepared(base, at(2026, 3, 28)).rotas["security"], at(2026, 3, 28, 12)) == ONC2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>", "no iCalendar"), (b" " * 1_000_001, "larger than 1 MB"),
        (feed(NIGHTS.replace("DAILY", "SECONDLY")), "by the minute or second"),
        (feed(*["UID:1\nDTSTART:20260328T100000\nSUMMARY:x"] * 2001), "more than 2000 events"),
    ],
)  # fmt: skip
def test_a_bad_feed_says_why_and_leaves_the_fallback_on_call(content: bytes, why: str) -> None:
    with pytest.raises(BadFeed, match=why):
        read_feed(content, ROTA, NAMED, at(2026, 3, 28))
    base = policy(rotas=[ROTA], files=(PolicyFile("a.ics", "", content),))
    assert on_call(prepared(base, at(2026, 3, 28)).rotas["security"], at(2026, 3, 28)) == ONC2


def test_coverage_says_the_first_gap_in_local_time_and_how_many() -> None:
    base = policy(rotas=[replace(ROTA, fallback=None)], people=NAMED, files=(PolicyFile("a.ics", "", feed(NIGHTS)),))
    now = at(2026, 4, 10, 12)
    (found,) = coverage(prepared(base, now), now)
    assert found.text == (
        "Nobody is on call in rota `security` from Fri 2026-04-10 13:00 to Fri 2026-04-10 20:00 (Europe/London), 15 gaps in"
        " the next 14 days: add a shift, an override or a `fallback`."
    )
    assert list(coverage(prepared(policy(), now), now + timedelta(days=1))) == []


HOURS = "UID:1\nDTSTART:20260328T100000Z\nDTEND:20260328T110000Z"


def who(*events: str) -> list[str]:
    """The user ids on call by a feed of these events, in order of time."""
    return [spell.person.user for spell in read_feed(feed(*events), ROTA, NAMED, at(2026, 3, 28)).spells]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("SUMMARY:x\nATTENDEE;PARTSTAT=DECLINED;CN=tomas:mailto:t@x\nATTENDEE;CN=grace:mailto:g@x", ["U0ONC2"]),
        ("SUMMARY:x\nATTENDEE;PARTSTAT=declined;CN=tomas:mailto:t@x", []),
        ("SUMMARY:x\nATTENDEE;PARTSTAT=DELEGATED;CN=tomas:mailto:t@x\nATTENDEE;CN=grace:mailto:g@x", ["U0ONC2"]),
        ("SUMMARY:tomas\nATTENDEE;PARTSTAT=DECLINED;CN=Tomas Lindqvist:mailto:t@x", []),
        ("SUMMARY:x\nATTENDEE;PARTSTAT=TENTATIVE;CN=tomas:mailto:t@x", ["U0ONC1"]),
        ('SUMMARY:x\nATTENDEE;PARTSTAT=NEEDS-ACTION;CN="Tomas Lindqvist":mailto:t@x', ["U0ONC1"]),
        ("SUMMARY:x\nATTENDEE;ROLE=non-participant;CN=tomas:mailto:t@x\nATTENDEE;CN=grace:mailto:g@x", ["U0ONC2"]),
        ("SUMMARY:tomas\nSTATUS:CANCELLED", []),
        ("SUMMARY:tomas\nTRANSP:TRANSPARENT", []),
        ("SUMMARY:tomas\nTRANSP:OPAQUE", ["U0ONC1"]),
        ("SUMMARY:ＴＯＭＡＳ\u200b", ["U0ONC1"]),
    ],
)
def test_who_declined_or_is_free_is_not_on_call(lines: str, expected: list[str]) -> None:
    assert who(f"{HOURS}\n{lines}") == expected


def test_a_whole_day_counts_though_calendars_mark_it_as_free() -> None:
    assert who("UID:1\nDTSTART;VALUE=DATE:20260328\nTRANSP:TRANSPARENT\nSUMMARY:tomas") == ["U0ONC1"]


def test_an_exception_that_is_cancelled_takes_its_time_away() -> None:
    daily = "UID:1\nDTSTART:20260328T100000Z\nDTEND:20260328T110000Z\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:tomas"
    gone = "UID:1\nRECURRENCE-ID:20260329T100000Z\nDTSTART:20260329T100000Z\nDTEND:20260329T110000Z\nSTATUS:CANCELLED\nSUMMARY:tomas"
    found = read_feed(feed(daily, gone), ROTA, NAMED, at(2026, 3, 28)).spells
    assert [spell.start.day for spell in found] == [28, 30]


BERLIN = (
    "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:19701025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n"
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\nTZOFFSETFROM:+0100\n"
    "TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
)
TOKYO = (
    "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\n"
    "END:STANDARD\nEND:VTIMEZONE\n"
)


def shift(zone: str) -> str:
    return f"UID:1\nDTSTART;TZID={zone}:20260330T100000\nDTEND;TZID={zone}:20260330T110000\nSUMMARY:tomas"


def with_zone(definition: str, *, after: bool, events: bytes) -> bytes:
    """The feed with a VTIMEZONE before its events, or after them."""
    text, mark = events.decode(), "END:VCALENDAR" if after else "BEGIN:VEVENT"
    return text.replace(mark, definition.replace("\n", "\r\n") + mark, 1).encode()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("zone", "hour"), [(BERLIN, 8), (TOKYO, 1)])
def test_a_zone_that_the_file_defines_is_used_and_forgotten(zone: str, hour: int, after: bool) -> None:
    (spell,) = read_feed(with_zone(zone, after=after, events=feed(shift("Office"))), ROTA, NAMED, at(2026, 3, 28)).spells
    assert spell.start == at(2026, 3, 30, hour)
    assert read_feed(feed(shift("Office")), ROTA, NAMED, at(2026, 3, 28)).spells == ()


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("W. Europe Standard Time", 8),
        ("Tokyo Standard Time", 1),
        ("Asia/Tokyo", 1),
        ("/citadel.org/20240101_1/Asia/Tokyo", 1),
    ],
)
def test_zones_that_are_commonly_known_are_read(zone: str, hour: int) -> None:
    (spell,) = read_feed(feed(shift(zone)), ROTA, NAMED, at(2026, 3, 28)).spells
    assert spell.start == at(2026, 3, 30, hour)


def test_an_event_that_is_not_understood_is_named_with_its_exceptions_and_others_count() -> None:
    odd = shift("Nowhere/Zone").replace("UID:1", "UID:2")
    exception = "UID:2\nRECURRENCE-ID:20260401T100000Z\nDTSTART:20260401T100000Z\nDTEND:20260401T110000Z\nSUMMARY:tomas"
    found = read_feed(feed(f"{HOURS}\nSUMMARY:grace", odd, exception), ROTA, NAMED, at(2026, 3, 28))
    assert [spell.person for spell in found.spells] == [ONC2]
    assert found.sentences(ROTA) == (
        "The event 'tomas' is in the time zone 'Nowhere/Zone', which the calendar does not define and nobody knows, so it"
        " does not count: correct it in the calendar.",
    )
