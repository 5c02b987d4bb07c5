"""What became of a message while the database takes nothing is noted as soon as it does, not when the lease ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.case.transition import SYSTEM, LogEvent
from tests.bot.building import MINUTE, OWNER, PE1, policy
from tests.bot.stopping import StoppableOffice

LEASE = 2 * MINUTE


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy()) as opened:
        yield opened


async def purposes(office: StoppableOffice) -> list[str]:
    now = office.clock.now()
    return [row.say.purpose for row in await office.store.outbox.lease(now, now + LEASE, 100)]


async def test_a_message_that_could_not_be_given_back_is_due_again_at_once_when_the_database_is_back(
    office: StoppableOffice,
) -> None:
    await office.file(PE1)
    now = office.clock.now()
    rows = await office.store.outbox.lease(now, now + LEASE, 100)
    card = next(row for row in rows if row.say.purpose == "card")
    with office.lost():
        await office.store.outbox.release([(card, now, "http_503")])
        assert await purposes(office) == []
    await office.standing.stoppable.look()
    assert await purposes(office) == ["card"]


async def test_a_message_that_was_sent_meanwhile_is_never_sent_again_and_its_entry_is_written(
    office: StoppableOffice,
) -> None:
    case_id = await office.file(PE1)
    now = office.clock.now()
    rows = await office.store.outbox.lease(now, now + LEASE, 100)
    sent = LogEvent("delivery.sent", SYSTEM, case_id, {"purpose": "card", "to": OWNER})
    with office.lost():
        for row in rows:
            await office.store.outbox.sent(row, "D1", f"{row.id}.0", 1, [sent] if row.say.purpose == "card" else [])
    assert "delivery.sent" not in office.types(case_id)
    await office.standing.stoppable.look()
    assert await purposes(office) == []
    assert office.types(case_id).count("delivery.sent") == 1
    assert office.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL") == []
    assert office.rows("SELECT 1 FROM copy WHERE purpose = 'card' AND channel = 'D1'") != []
