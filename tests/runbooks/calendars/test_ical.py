"""iCal feeds as spells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.policy.model import NamedPerson, PolicyFile
from bot.domain.policy.on_call import on_call
from bot.domain.policy.rota import Rota
from runbooks.calendars.ical import BadFeed, feed_findings, prepared, read_feed
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
