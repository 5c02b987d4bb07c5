"""Calendars of a running bot: fetched, kept, lost, and found again after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.background.calendar_feeds import EVERY, KEEP, CalendarFeeds, carried
from bot.domain.policy.model import NamedPerson, Policy
from bot.domain.policy.on_call import on_call
from bot.domain.policy.rota import Rota
from bot.http.metrics import Metrics
from handlers.outbound.message_kinds import NewMessage
from handlers.outbound.message_table import MESSAGE_KINDS
from runbooks.calendars.ical import BadFeed
from tests.bot import parts
from tests.bot.building import DAY, HOUR, MINUTE, ONC1, ONC2, PE1, T0, policy
from tests.bot.office import Office
from tests.runbooks.calendars.test_ical import feed

SECRET = "https://calendar.example/private-key/rota.ics"
NAMED = (NamedPerson("tomas", ONC1, "Tomas"), NamedPerson("grace", ONC2, "Grace"))
FED = Rota("security", "ical", (ONC1, ONC2), "UTC", fallback=ONC2, feed="env:ROTA")
ALWAYS = "UID:1\nDTSTART:20260301T000000Z\nDTEND:20260302T000000Z\nRRULE:FREQ=DAILY\nSUMMARY:tomas"


class Calendar:
    """What the address answers; None: nothing."""

    def __init__(self) -> None:
        self.body: bytes | None = feed(ALWAYS)
        self.asked: list[str] = []

    async def fetch(self, address: str) -> bytes:
        self.asked.append(address)
        if self.body is None:
            raise BadFeed("its address answers with status 503")
        return self.body


def organisation(rota: Rota = FED) -> Policy:
    return policy(rotas=[rota], people=NAMED)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with Office(tmp_path / "bot.db", organisation()) as opened:
        yield opened


def feeds(office: Office, calendar: Calendar, **how: Any) -> CalendarFeeds:
    return parts.feeds(office, {"ROTA": SECRET}, calendar.fetch, **how)


def now_on_call(office: Office) -> object:
    return on_call(office.service.current.policy.rotas["security"], office.clock.at)


def told(office: Office) -> list[tuple[str, str]]:
    rows = office.rows("SELECT channel, data FROM outbox WHERE purpose = 'calendar' ORDER BY id")
    return [(row["channel"], row["data"]) for row in rows]


async def test_who_the_fetched_calendar_names_is_on_call_and_in_its_absence_the_fallback(office: Office) -> None:
    kept = feeds(office, calendar := Calendar())
    await kept.begin()
    assert (now_on_call(office), calendar.asked) == (ONC2, [])
    await kept.look()
    assert (now_on_call(office), calendar.asked) == (ONC1, [SECRET])
    case_id = await office.file(PE1)
    await office.forward(10 * MINUTE)
    assert office.steps(case_id)[-1] == ("10m", "notify on_call", {ONC1})


@pytest.mark.parametrize("broken", [None, b"<html>sign in</html>", feed(), feed(ALWAYS.replace("DAILY", "SECONDLY"))])
async def test_one_bad_fetch_changes_nobodys_shift_also_after_a_restart(office: Office, broken: bytes | None) -> None:
    kept = feeds(office, calendar := Calendar())
    await kept.look()
    calendar.body = broken
    with structlog.testing.capture_logs() as logs:
        await kept.look()
        await kept.look()
    assert now_on_call(office) == ONC1
    (said,) = [line for line in logs if line["event"] == "feed.trouble"]  # once, not every five minutes
    assert said["text"].startswith("The calendar of rota `security` cannot be used, ")
    assert said["text"].endswith("; what it said when it could be read counts for 7 days.")
    assert SECRET not in str(logs)
    await office.restart()
    restarted = feeds(office, calendar)
    await restarted.begin()
    assert now_on_call(office) == ONC1
    assert told(office) == []


async def test_what_was_read_too_long_ago_counts_no_more_and_people_get_one_message_and_another_when_it_is_over(
    office: Office,
) -> None:
    kept = feeds(office, calendar := Calendar())
    await kept.look()
    calendar.body = None
    office.sleep(KEEP)
    await kept.look()
    assert now_on_call(office) == ONC1
    office.sleep(MINUTE)
    await kept.look()
    await kept.look()
    assert now_on_call(office) == ONC2
    assert told(office) == [("C0DIRECTORY", '{"rota":"security","blind":true}')]
    await office.restart()
    restarted = feeds(office, calendar)
    await restarted.begin()
    await restarted.look()
    assert (now_on_call(office), len(told(office))) == (ONC2, 1)  # it is not announced as lost again
    await office.restart()
    restarted = feeds(office, calendar)
    await restarted.begin()
    calendar.body = feed(ALWAYS)
    await restarted.look()
    await office.restart()
    restarted = feeds(office, calendar)
    await restarted.begin()
    await restarted.look()
    assert now_on_call(office) == ONC1
    assert told(office)[1:] == [("C0DIRECTORY", '{"rota":"security","blind":false}')]


async def test_after_a_week_without_the_bot_a_lost_calendar_is_reported(office: Office) -> None:
    await feeds(office, calendar := Calendar()).look()
    office.sleep(KEEP + MINUTE)
    await office.restart()
    calendar.body = None
    kept = feeds(office, calendar)
    await kept.begin()
    assert told(office) == []  # it may be there again
    await kept.look()
    assert told(office) == [("C0DIRECTORY", '{"rota":"security","blind":true}')]


async def test_a_monitor_sees_how_many_calendars_are_lost(office: Office) -> None:
    metrics = Metrics(office.clock)
    kept = feeds(office, calendar := Calendar(), lost=metrics.calendars)
    calendar.body = None
    await kept.look()
    assert b"countersign_calendars_lost 1.0" in metrics.text()
    calendar.body = feed(ALWAYS)
    await kept.look()
    assert b"countersign_calendars_lost 0.0" in metrics.text()


async def test_the_alarm_channel_is_notified_where_there_is_one(office: Office) -> None:
    kept = feeds(office, calendar := Calendar(), alarm_channel="C0ALARM")
    calendar.body = None
    await kept.look()
    assert [channel for channel, _ in told(office)] == ["C0ALARM"]


async def test_a_calendar_is_stored_without_its_address_and_forgotten_when_it_is_too_old(office: Office) -> None:
    await feeds(office, calendar := Calendar()).look()
    (row,) = office.rows("SELECT address, body, read_ms FROM feed")
    assert (len(row["address"]), row["body"]) == (64, calendar.body)
    office.sleep(KEEP + DAY)
    await parts.feeds(office, {"ROTA": "https://calendar.example/another"}, calendar.fetch).look()
    assert len(office.rows("SELECT 1 FROM feed")) == 1


async def test_a_calendar_that_says_the_same_is_written_once_an_hour(office: Office) -> None:
    kept, stamps = feeds(office, Calendar()), set()
    for _ in range(13):
        await kept.look()
        stamps.add(office.rows("SELECT read_ms FROM feed")[0]["read_ms"])
        office.sleep(5 * MINUTE)
    assert len(stamps) == 2
    assert HOUR / 12 == 5 * MINUTE


async def test_a_calendar_that_names_a_stranger_is_said_when_it_is_first_read(office: Office) -> None:
    kept = feeds(office, calendar := Calendar())
    calendar.body = feed(ALWAYS.replace("tomas", "Mallory\\n<!channel>"))
    with structlog.testing.capture_logs() as logs:
        await kept.look()
        await kept.look()
    (said,) = [line["text"] for line in logs if line["event"] == "feed.stranger"]
    assert "'Mallory\\n<!channel>' names nobody of rota `security`" in said
    assert now_on_call(office) == ONC2


async def test_a_file_that_cannot_be_expanded_is_a_finding(tmp_path: Path) -> None:
    from bot.domain.policy.model import PolicyFile

    hourly = "DTSTART:20260301T000000Z\nDTEND:20260301T003000Z\nRRULE:FREQ=HOURLY\nSUMMARY:tomas"
    content = feed(f"UID:1\n{hourly}", f"UID:2\n{hourly}")
    base = replace(organisation(replace(FED, feed="a.ics")), files=(PolicyFile("a.ics", "ab" * 32, content),))
    async with Office(tmp_path / "bot.db", base) as office:
        with structlog.testing.capture_logs() as logs:
            await feeds(office, Calendar()).begin()
        (said,) = [line for line in logs if line["event"] == "feed.trouble"]
        assert (said["log_level"], "nobody but its `fallback` is on call" in said["text"]) == ("error", True)
        assert [channel for channel, _ in told(office)] == ["C0DIRECTORY"]


async def test_an_address_that_the_environment_does_not_hold_is_a_finding(office: Office) -> None:
    kept = parts.feeds(office, {}, Calendar().fetch)
    with structlog.testing.capture_logs() as logs:
        await kept.look()
    assert ["the variable of its address is not set" in line["text"] for line in logs] == [True]


async def test_another_set_keeps_the_shifts_of_the_rotas_that_it_does_not_change(office: Office) -> None:
    await feeds(office, Calendar()).look()
    known = office.service.current.policy
    moved = replace(FED, feed="env:OTHER")
    assert on_call(carried(organisation(), known).rotas["security"], T0) == ONC1
    assert on_call(carried(organisation(moved), known).rotas["security"], T0) == ONC2


async def test_a_set_that_is_adopted_is_looked_at_without_waiting(office: Office) -> None:
    assert EVERY > 60
    kept = feeds(office, calendar := Calendar())
    running = asyncio.create_task(kept.run())
    try:
        async with asyncio.timeout(20):
            while not calendar.asked:
                await asyncio.sleep(0.005)
            await office.adopt(organisation(replace(FED, time_zone="Europe/London")))
            kept.soon()
            while len(calendar.asked) < 2 or now_on_call(office) != ONC1:
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_look_that_fails_ends_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = feeds(office, calendar := Calendar())

    async def broken() -> None:
        calendar.asked.append("broken")
        raise RuntimeError("a library stumbled")

    monkeypatch.setattr(kept, "look", broken)
    running = asyncio.create_task(kept.run())
    async with asyncio.timeout(20):
        while len(calendar.asked) < 3:
            kept.soon()
            await asyncio.sleep(0.005)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("blind", "fallback", "says"),
    [
        (True, ONC2, "*The on-call calendar of security cannot be used.* <@U0ONC2> is on call until it can."),
        (True, None, "*The on-call calendar of security cannot be used.* Nobody is on call: the rota has no fallback."),
        (False, ONC2, "*The on-call calendar of security can be read again.* Whoever it names is on call."),
    ],
)
async def test_what_people_read_names_who_is_on_call(tmp_path: Path, blind: bool, fallback: Any, says: str) -> None:
    async with Office(tmp_path / "bot.db", organisation(replace(FED, fallback=fallback))) as office:
        kept = feeds(office, calendar := Calendar())
        calendar.body = None
        await kept.look()
        if not blind:
            calendar.body = feed(ALWAYS)
            await kept.look()
        rows = await office.store.outbox.lease(office.clock.at, office.clock.at + HOUR, 10)
        job = await MESSAGE_KINDS["calendar"].drawn(parts.rendering(office), rows[-1], None)
        assert isinstance(job, NewMessage)
        assert (job.channel, job.message.text) == ("C0DIRECTORY", says)
