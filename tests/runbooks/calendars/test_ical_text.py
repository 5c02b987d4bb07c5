"""Bytes of calendars as text."""

from __future__ import annotations

import pytest

from runbooks.calendars.ical_text import AS_WRITTEN, BadFeed, calendar_text, in_own_zones

HEAD, TAIL = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "END:VCALENDAR\r\n"
ZONE = "BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\n{}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"


@pytest.mark.parametrize("fold", [b"\r\n ", b"\n ", b"\r\n\t"])
def test_a_line_is_unfolded_before_it_is_decoded(fold: bytes) -> None:
    name = "Zoë Åström".encode()
    at = name.index("Å".encode()) + 1
    assert "SUMMARY:Zoë Åström" in calendar_text(HEAD.encode() + b"SUMMARY:" + name[:at] + fold + name[at:] + b"\r\n")


def test_a_mark_is_dropped_and_utf_16_and_other_code_pages_are_named() -> None:
    assert calendar_text(b"\xef\xbb\xbf" + HEAD.encode()).startswith("BEGIN:VCALENDAR")
    for content in ((HEAD + TAIL).encode("utf-16"), b"BEGIN:VCALENDAR\r\nSUMMARY:Zo\xeb\r\n"):
        with pytest.raises(BadFeed, match="not UTF-8"):
            calendar_text(content)


def test_zones_come_before_the_events() -> None:
    event, zone = "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", ZONE.format("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU")
    text = calendar_text((HEAD + event + zone + TAIL).encode())
    assert text.index("BEGIN:VTIMEZONE") < text.index("BEGIN:VEVENT") < text.index("END:VCALENDAR")


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=YEARLY;BYSECOND=1",
        "rrule;X=1:FREQ=DAILY",
        "RRULE:FREQ=YEAR\r\n LY;BYHOUR=1",
        "EXRULE:x",
    ],
)
def test_a_zone_that_would_keep_a_reader_busy_is_refused(rule: str) -> None:
    with pytest.raises(BadFeed, match="in a way that is not understood"):
        calendar_text((HEAD + ZONE.format(rule) + TAIL).encode())


def test_zones_with_many_rules_are_refused() -> None:
    with pytest.raises(BadFeed, match="more than 60 rules"):
        calendar_text((HEAD + ZONE.format("RRULE:FREQ=YEARLY") * 61 + TAIL).encode())


def test_alarms_are_left_out_and_a_duration_is_kept_as_it_is_written() -> None:
    alarm = "BEGIN:VALARM\r\nTRIGGER:nonsense\r\nEND:VALARM\r\n"
    text = calendar_text((HEAD + "BEGIN:VEVENT\r\nDURATION:PT24H\r\n" + alarm + "END:VEVENT\r\n" + TAIL).encode())
    assert "nonsense" not in text
    assert f"{AS_WRITTEN}:PT24H\r\nEND:VEVENT" in text


def test_a_zone_gets_a_name_that_nobody_knows() -> None:
    text = 'TZID:Europe/London\r\nDTSTART;TZID=Europe/London:x\r\nDTEND;X=1;TZID="Europe/London";Y=2:x\r\nSUMMARY:Europe/London'
    own = "Europe/London (as this calendar defines it)"
    assert in_own_zones(text, ["Europe/London"]) == (
        f'TZID:{own}\r\nDTSTART;TZID="{own}":x\r\nDTEND;X=1;TZID="{own}";Y=2:x\r\nSUMMARY:Europe/London'
    )
