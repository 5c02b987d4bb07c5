"""The watchdog beside a sweeper that does nothing, on the real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.background.watchdog import Watchdog
from bot.domain.errors import StorageError
from bot.http.health import Health
from bot.http.metrics import Metrics
from handlers.outbound.message_kinds import NewMessage
from handlers.outbound.message_table import MESSAGE_KINDS
from tests.bot import parts
from tests.bot.building import HOUR, MINUTE, PE1, PE2, policy
from tests.bot.office import Office

SECOND = timedelta(seconds=1)


class Guarded:
    """An office whose sweeper nobody runs, and its watchdog."""

    def __init__(self, office: Office, **how: Any) -> None:
        self.office, self.metrics = office, Metrics(office.clock)
        self.health = Health(office.clock, socket_mode=True)
        self.dog = Watchdog(
            office.store, office.clock, lambda: office.policy, stuck=self.health.stuck, watched=self.metrics.watched, **how
        )
        self.health.also(self.dog.findings)

    async def looks(self, times: int = 2) -> None:
        for _ in range(times):
            await self.dog.look()

    def said(self) -> list[tuple[str, bool]]:
        """Where an alarm went, and whether it was one, or its end."""
        rows = self.office.rows("SELECT channel, data FROM outbox WHERE purpose = 'watchdog' ORDER BY id")
        return [(row["channel"], '"troubles":[]' not in row["data"]) for row in rows]


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with Office(tmp_path / "countersign.db", policy()) as office:
        yield Guarded(office)


async def test_nothing_late_is_no_finding(guarded: Guarded) -> None:
    await guarded.office.file(PE1, "token")
    await guarded.looks(5)
    assert (guarded.dog.findings(), guarded.said()) == ((), [])


async def test_a_dead_sweeper_is_noticed_by_what_it_leaves_undone(guarded: Guarded) -> None:
    office = guarded.office
    await office.file(PE1)
    await office.file(PE2, target="srv-2")
    await office.deliver()
    office.sleep(45 * MINUTE + 9 * SECOND)
    await guarded.looks()
    assert not [f for f in guarded.dog.findings() if "deadline and still open" in f]
    office.sleep(2 * SECOND)
    await guarded.looks()
    assert (
        guarded.dog.findings()[0]
        == "Corporate directory: 2 questions are past the deadline and still open, the oldest by 11 s."
    )
    assert "The oldest deadline has waited 42 min for a sweep." in guarded.dog.findings()
    assert set(guarded.dog.findings()) <= set(guarded.health.findings())
    assert b"countersign_overdue_asks 2.0" in guarded.metrics.text()


async def test_a_step_that_nobody_fires_is_noticed_long_before_the_deadline(guarded: Guarded) -> None:
    await guarded.office.file(PE1)
    await guarded.office.deliver()
    guarded.office.sleep(3 * MINUTE + 11 * SECOND)
    await guarded.dog.look()
    assert guarded.dog.findings() == ("The oldest deadline has waited 11 s for a sweep.",)


async def test_an_emergency_card_that_is_not_sent_is_noticed(guarded: Guarded) -> None:
    await guarded.office.file(PE1)
    guarded.office.sleep(61 * SECOND)
    await guarded.dog.look()
    assert guarded.dog.findings() == ("The oldest emergency message has waited 61 s to be sent.",)
    await guarded.office.deliver()
    await guarded.dog.look()
    assert guarded.dog.findings() == ()


async def test_an_incident_is_said_once_and_once_when_it_is_over(guarded: Guarded) -> None:
    office = guarded.office
    await office.file(PE1)
    await office.deliver()
    office.sleep(HOUR)
    await guarded.looks(1)
    assert guarded.said() == []
    await guarded.looks(10)
    assert guarded.said() == [("C0DIRECTORY", True)]
    await office.sweeper.sweep()
    await guarded.looks(1)
    assert len(guarded.said()) == 1
    await guarded.looks(10)
    assert guarded.said() == [("C0DIRECTORY", True), ("C0DIRECTORY", False)]
    await office.deliver()
    await office.file(PE1, target="srv-3")
    await office.deliver()
    office.sleep(HOUR)
    await guarded.looks(3)
    assert guarded.said()[-1] == ("C0DIRECTORY", True)


async def test_a_set_alarm_channel_is_notified_alone(guarded: Guarded) -> None:
    loud = Guarded(guarded.office, alarm_channel="C0ALARM")
    await guarded.office.file(PE1)
    await guarded.office.deliver()
    guarded.office.sleep(HOUR)
    await loud.looks(3)
    assert loud.said() == [("C0ALARM", True)]


async def test_a_silent_sweeper_with_nothing_due_is_an_incident_too(guarded: Guarded) -> None:
    guarded.health.part("sweeper")
    guarded.office.sleep(MINUTE)
    await guarded.looks(3)
    assert {channel for channel, _ in guarded.said()} == {"C0DIRECTORY", "C0MACHINES"}


async def test_an_alarm_that_cannot_be_written_is_said_later(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    office = guarded.office
    await office.file(PE1)
    await office.deliver()
    office.sleep(HOUR)

    async def full(_act: Any) -> None:
        raise StorageError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(office.store, "commit", full)
        await guarded.looks(4)
    assert guarded.said() == []
    await guarded.looks(1)
    assert guarded.said() == [("C0DIRECTORY", True)]


async def test_a_database_that_does_not_answer_is_a_finding(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_before: Any) -> None:
        raise StorageError("The disk is gone.")

    monkeypatch.setattr(guarded.office.store.overview, "lateness", gone)
    await guarded.dog.look()
    assert guarded.health.findings()[-1] == "What is late cannot be told: The disk is gone."
    assert b"countersign_overdue_asks NaN" in guarded.metrics.text()


async def test_it_looks_until_it_is_stopped(guarded: Guarded) -> None:
    await guarded.office.file(PE1)
    guarded.office.sleep(HOUR)
    stop = asyncio.Event()
    running = asyncio.create_task(guarded.dog.run(stop))
    while not guarded.dog.findings():
        await asyncio.sleep(0)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_the_message_says_what_is_late_and_nothing_of_what_was_asked(guarded: Guarded) -> None:
    case_id = await guarded.office.file(PE1)
    await guarded.office.deliver()
    guarded.office.sleep(HOUR)
    await guarded.looks()
    await guarded.office.sweeper.sweep()
    await guarded.looks()
    texts = []
    for outgoing in await guarded.office.store.outbox.lease(
        guarded.office.clock.now(), guarded.office.clock.now() + MINUTE, 99
    ):
        if outgoing.say.purpose == "watchdog":
            job = await MESSAGE_KINDS["watchdog"].drawn(parts.rendering(guarded.office), outgoing, None)
            assert isinstance(job, NewMessage)
            texts.append(job.message.text)
    assert "Corporate directory: 1 question is past the deadline" in texts[0]
    assert "on time again" in texts[1]
    assert case_id not in " ".join(texts)
    assert "srv-1" not in " ".join(texts)


async def test_rows_that_cannot_be_read_are_a_finding_and_no_incident(guarded: Guarded) -> None:
    for number in range(17):
        await guarded.office.take_in(guarded.office.form(PE1, target=f"srv-{number}"))
    guarded.office.looking.execute("UPDATE inbox SET act = '{'")
    await guarded.office.file(PE2, "token")
    await guarded.looks(5)
    (finding,) = guarded.health.findings()[1:]
    assert finding.startswith("Quarantine: 17 rows of the inbox cannot be read by this version.")
    assert guarded.said() == []
