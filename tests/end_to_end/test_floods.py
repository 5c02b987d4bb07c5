"""Floods against a running bot: an engineer delays no other case, wakes nobody without end, and stops nothing."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.database import opened
from tests.end_to_end.conftest import Bot
from tests.end_to_end.ground import TICKET, Ground, free_port

ENGINEER, COLLEAGUE, OWNER = "U0PE1", "U0PE2", "U0OWNER"
BOUND = 3.0  # seconds; a loaded machine is slower than the half second that `docs` promise, and far from a flood's minutes
AT_ONCE = """---
id: at-once
title: At once
kind: emergency_access
domain: directory
providers: [northgate]
right: immediate
max_duration: 4h
default_duration: 1h
escalation: urgent
review_within: 24h
---
Do it.
"""


def with_a_loud_runbook(folder: Path) -> None:
    (folder / "at-once.md").write_text(AT_ONCE)
    matrix = folder / "responsibility.yaml"
    text = matrix.read_text()
    assert "name: Olga Novak}" in text
    matrix.write_text(text.replace("name: Olga Novak}", 'name: Olga Novak, page: "env:PAGE_OLGA"}'))


def settings(bot: Bot) -> None:
    bot.ops_listen = f"127.0.0.1:{free_port()}"
    bot.changed["PAGE_OLGA"] = bot.sandbox.pager("olga")


@pytest.fixture
async def ground(start: Callable[..., Any]) -> Ground:
    return Ground(await start(transport="http", prepare=settings, rewrite=with_a_loud_runbook))


async def ready(ground: Ground) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{ground.bot.ops_listen}/readyz") as answer:
        return answer.status, await answer.text()


async def decided(ground: Ground, case: str) -> float:
    """Seconds until the owner's click has approved it."""
    began = time.monotonic()
    await ground.click(OWNER, "approve", f"{case}:1")
    await ground.until(lambda: ground.state(case) == "approved", 60)
    return time.monotonic() - began


async def test_four_hundred_clicks_on_one_request_delay_no_other_decision(ground: Ground) -> None:
    flooded, other = await ground.filed(ENGINEER), await ground.filed(COLLEAGUE)
    flood = [asyncio.create_task(ground.click(ENGINEER, "approve", f"{flooded}:1")) for _ in range(400)]
    await ground.until(lambda: len(ground.refusals(flooded)) >= 5, 60)
    ahead = ground.bot.rows("SELECT count(*) FROM inbox")[0][0]
    took = await decided(ground, other)
    assert took < BOUND, ahead
    await asyncio.gather(*flood)
    await ground.until(lambda: len(ground.refusals(flooded)) == 400, 120)  # rule 9: one entry each
    assert ground.state(flooded) == "pending"


async def test_two_hundred_filings_by_one_person_delay_nobody_elses(ground: Ground) -> None:
    waiting = await ground.filed(COLLEAGUE)
    entered = {"runbook": "directory-admin-emergency", "reason": "Sync stopped", **TICKET}
    flood = [
        asyncio.create_task(ground.form(ENGINEER, "ask", {**entered, "target_text": f"dc-flood-{number}"}))
        for number in range(200)
    ]
    await ground.until(lambda: ground.kinds().count("request.refused") >= 5, 60)
    began = time.monotonic()
    await ground.filed(COLLEAGUE)
    assert time.monotonic() - began < BOUND
    assert await decided(ground, waiting) < BOUND
    await asyncio.gather(*flood)
    await ground.until(lambda: ground.kinds().count("request.refused") == 197, 120)  # three may be pending


async def test_file_and_withdraw_wakes_three_times_in_ten_minutes(ground: Ground) -> None:
    for number in range(11):
        case = await ground.filed(ENGINEER, "at-once", f"srv-{number}", reason="Again")
        await ground.click(ENGINEER, "withdraw", f"{case}:1")
        await ground.until(lambda case=case: ground.state(case) == "withdrawn")
    paged = "SELECT count(DISTINCT case_id) FROM reached WHERE paged = 1"
    asked = "SELECT count(DISTINCT case_id) FROM reached WHERE user_id = ?"
    assert ground.bot.rows(paged) == [(3,)]
    assert ground.bot.rows(asked, OWNER) == [(11,)]  # the card still comes
    await ground.filed(COLLEAGUE, "at-once", "srv-other", reason="Again")
    assert ground.bot.rows(paged) == [(4,)]


async def test_idle_connections_and_large_fields_stop_nothing(ground: Ground) -> None:
    doors = [ground.bot.environment["COUNTERSIGN_LISTEN"], ground.bot.ops_listen]
    starts = (
        b"",
        b"POST /slack/events HTTP/1.1\r\nHost: ",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    )
    held = []
    for door in doors:
        host, port = door.split(":")
        for number in range(300):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(starts[number % 3])
            held.append(writer)
    case = await ground.filed(COLLEAGUE)
    assert (await ready(ground))[0] == 200
    large = await ground.form(
        ENGINEER, "ask", {"runbook": "directory-admin-emergency", "target_text": "x", "reason": "a" * 900_000}
    )
    assert large.seconds < BOUND
    url, body = f"http://{doors[0]}/slack/events", io.BytesIO(b"a" * 2_000_000)
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as answer:
        assert 400 <= answer.status < 500
    assert await decided(ground, case) < BOUND
    assert (await ready(ground))[0] == 200
    for writer in held:
        writer.close()


async def test_unreadable_rows_hide_no_later_one_and_are_a_finding(ground: Ground) -> None:
    case = await ground.filed(COLLEAGUE)
    with closing(opened(ground.bot.place, begins=True)) as raw:
        for number in range(17):
            raw.execute(
                "INSERT INTO inbox (key, act, answer, received_ms, next_ms) VALUES (?, ?, '{}', 1, 1)",
                (f"bad-{number}", ("{", '{"kind": "of a newer program"}')[number % 2]),
            )
        raw.commit()
    assert await decided(ground, case) < BOUND
    end = time.monotonic() + 20
    while "17 rows of the inbox cannot be read" not in (await ready(ground))[1]:
        assert time.monotonic() < end
        await asyncio.sleep(0.2)
    assert ground.bot.rows("SELECT count(*) FROM inbox WHERE done_ms IS NULL") == [(17,)]
