"""Thirty real kill -9 while a thousand steps fall due: none is lost, none fires twice (P13).

The requests are filed straight into the database, so that the storm is about the sweeper and not about clicks.
"""

import asyncio
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import filing, filing_form
from runbooks.loader import load
from storage.log.check import check_database
from tests.database import open_store

REQUESTS, KILLS = 1000, 30
OURS = "case_id IN (SELECT id FROM request WHERE provider <> '')"  # not the periodic reviews that the bot begins
RUNBOOK, ASKER = "directory-admin-emergency", Person("T0HOME", "U0PE1")


async def filed(database: Path, folder: Path, state: Path) -> None:
    """A thousand requests, filed now, the cards unsaid: their first reminder is due in hours."""
    policy, clock = load(folder).policy, SystemClock()
    assert policy is not None
    store = await open_store(database, clock, state_dir=state)
    acts = []
    for number in range(REQUESTS):
        form = filing_form.Form(
            clock.request_id(), ASKER, RUNBOOK, f"dc-{number}", "Sync stopped", 3600, {"ticket": f"INC{number}"}, None
        )
        act = filing.file(policy, form, filing.Earlier(0, None, None, False), Presence({}), clock.now(), 0.01)
        assert act.after is not None
        acts.append(replace(act, says=()))
    await asyncio.gather(*(store.commit(act) for act in acts))
    await store.close()


@pytest.mark.timeout(420)
@pytest.mark.sqlite  # a PRAGMA tells of each commit
async def test_over_thirty_kills_no_step_is_lost_and_none_fires_twice(start: Callable[..., Any]) -> None:
    bot = await start()
    await bot.stop()
    await filed(bot.database, bot.home / "runbooks", bot.home / "state")
    begun, left, took, chance = time.monotonic(), [], 2.0, random.Random(13)  # when to kill is no secret
    for number in range(KILLS):
        before = fired(bot)
        fall_due(bot, -(-REQUESTS // KILLS))
        launched, process = time.monotonic(), await started(bot)
        if number % 2:  # as soon as the first of them is written
            with suppress(TimeoutError):
                await asyncio.wait_for(some_more(bot, before), 15)
            took = time.monotonic() - launched
        else:  # at whatever statement of the start or of the first sweep
            await asyncio.sleep(took * chance.uniform(0.6, 1.05))
        process.send_signal(signal.SIGKILL)
        await process.wait()
        left.append(due(bot))
    print(f"{KILLS} kills in {time.monotonic() - begun:.0f} s, steps still due at each: {left}")
    assert any(left), "no kill came while steps were still due"
    await bot.start()
    await bot.sandbox.wait_for(lambda: fired(bot) == REQUESTS, 30)
    assert await bot.stop() == 0
    assert check_database(bot.place).findings == ()
    steps = Counter(
        bot.rows(
            "SELECT case_id, json_extract(data, '$.data.step') FROM log_entry WHERE type IN ('step.fired', 'step.skipped')"
        )
    )
    assert max(steps.values()) == 1
    assert sum(1 for _, step in steps if step == 1) == REQUESTS
    reminders = bot.rows("SELECT case_id, count(*) FROM outbox WHERE purpose = 'reminder' GROUP BY case_id")
    assert all(times == 1 for _, times in reminders)


def fall_due(bot: Any, times: int) -> None:
    """The first reminder of so many more falls due now."""
    with closing(sqlite3.connect(bot.database)) as raw:
        now = round(time.time() * 1000)
        rows = raw.execute(
            f"SELECT case_id FROM step WHERE n = 1 AND state = 'waiting' AND due_ms > ? AND {OURS} LIMIT ?", (now, times)
        )
        for (case_id,) in rows.fetchall():
            raw.execute("UPDATE deadline SET due_ms = ? WHERE case_id = ? AND due_ms > ?", (now, case_id, now))
            raw.execute("UPDATE step SET due_ms = ? WHERE case_id = ? AND n = 1 AND state = 'waiting'", (now, case_id))
        raw.commit()


def due(bot: Any) -> int:
    return int(bot.rows("SELECT count(*) FROM deadline WHERE due_ms <= ?", round(time.time() * 1000))[0][0])


def fired(bot: Any) -> int:
    rows = bot.rows(
        "SELECT count(*) FROM log_entry WHERE type IN ('step.fired', 'step.skipped')"
        f" AND CAST(json_extract(data, '$.data.step') AS INTEGER) = 1 AND {OURS}"
    )
    return int(rows[0][0])


async def some_more(bot: Any, before: int) -> None:
    """Returns within a millisecond or two of the commit; counts only after one."""
    with closing(sqlite3.connect(f"file:{bot.database}?mode=ro", uri=True)) as raw:
        seen = None
        while (version := raw.execute("PRAGMA data_version").fetchone()) == seen or fired(bot) <= before < REQUESTS:
            seen = version
            await asyncio.sleep(0.001)


async def started(bot: Any) -> Any:
    """The bot, without waiting until Slack said hello: the sweeper begins earlier."""
    await bot.launch()
    return bot.process
