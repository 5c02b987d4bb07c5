"""A replica that leads counts the others as unreported from the first sign of a loss, and reports what its own store keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.background import replica as module
from bot.background.replica import PATIENCE, Replica
from bot.clock import SteadyClock
from bot.decision_log.emergency_file import EmergencyFile
from bot.domain.errors import Reconnected, StorageError
from bot.ports.replication import OwnState, ReplicaRow
from tests.bot.building import OWNER, PE1, T0, policy
from tests.bot.office import HandClock
from tests.bot.stopping import StoppableOffice

OWN = ReplicaRow("A", "host-1", True, True, T0, 7, 0, False)
OTHER = ReplicaRow("B", "host-2", False, True, T0, 7, 0, False)


@dataclass
class HandReplicas:
    """`Replicas` whose rows a test moves by hand."""

    rows: list[ReplicaRow] = field(default_factory=lambda: [OWN, OTHER])
    held: bool = True
    valid: bool = True
    losses: int = 0
    counted: int = 0
    changes: int = 1
    clock_ahead: timedelta = timedelta(0)
    beats: list[OwnState] = field(default_factory=list)

    def count(self, losses: int) -> None:
        self.counted = losses

    async def listed(self) -> list[ReplicaRow]:
        return self.rows

    async def look(self) -> bool:
        return self.held

    async def beat(self, own: OwnState) -> None:
        self.beats.append(own)

    async def to_vouch_for(self) -> list[tuple[str, str]]:
        return []

    def beat_of_b(self, **how: Any) -> None:
        self.rows[1] = replace(self.rows[1], beat_at=self.rows[1].beat_at + timedelta(seconds=1), **how)


@pytest.fixture
def others() -> HandReplicas:
    return HandReplicas()


@pytest.fixture
async def replica(others: HandReplicas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replica:
    """A leader that has seen another one."""

    async def up_to_date(*_: object) -> int:
        return 7

    monkeypatch.setattr(module, "catch_up", up_to_date)
    store: Any = SimpleNamespace(log=None)
    made = Replica(others, "A", store, tmp_path / "state", SteadyClock(HandClock(), "boot"))
    await made.turn()
    return made


@pytest.fixture
async def office(tmp_path: Path, replica: Replica) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy(), among=replica.among) as opened:
        yield opened


async def opened_and_pending(office: StoppableOffice) -> tuple[str, str]:
    opened, pending = await office.file(PE1), await office.file(PE1, target="dc2")
    await office.click(OWNER, opened)
    await office.standing.stoppable.look()  # it remembers both
    return opened, pending


async def state(office: StoppableOffice, case: str) -> str:
    return str((await office.case(case)).request.state)


async def test_what_the_store_notices_first_makes_the_leader_wait_for_the_others(
    office: StoppableOffice, replica: Replica, others: HandReplicas
) -> None:
    opened, pending = await opened_and_pending(office)
    with office.lost():  # shorter than the time between two beats
        await office.click(PE1, opened, "finish")
    await office.standing.stoppable.look()
    assert "B (host-2) has not reported" in replica.among.unreported()
    assert replica.among.patient()
    await office.click(OWNER, pending)
    assert await state(office, pending) == "pending"
    others.beat_of_b()
    await replica.turn()  # perhaps a beat of before the loss
    assert replica.among.unreported()
    others.beat_of_b(emergency=1)
    await replica.turn()
    assert replica.among.unreported()
    others.beat_of_b(emergency=0)
    await replica.turn()
    office.clock.at += timedelta(seconds=4)
    await office.worker.drain()
    assert await state(office, pending) == "approved"


async def test_a_loss_is_counted_once_however_often_it_is_noticed(tmp_path: Path, replica: Replica) -> None:
    heard: list[int] = []
    among = replace(replica.among, lost=lambda: heard.append(1))
    async with StoppableOffice(tmp_path / "countersign.db", policy(), among=among) as office:
        opened, pending = await opened_and_pending(office)
        for losses, (case, what) in enumerate(((opened, "finish"), (pending, "deny")), 1):
            with office.lost():
                await office.click(OWNER if what == "deny" else PE1, case, what)
                await office.take_in(office.press(OWNER, pending))
            assert len(heard) == losses
            await office.standing.stoppable.look()
        assert len(heard) == 2


async def test_patience_ends_and_the_waiting_does_not(replica: Replica, tmp_path: Path) -> None:
    replica.among.lost()
    clock: Any = replica._clock.wall
    clock.at += timedelta(seconds=PATIENCE)
    assert (replica.among.patient(), bool(replica.among.unreported())) == (False, True)


async def test_a_connection_that_was_replaced_is_a_loss_at_the_next_beat(replica: Replica, others: HandReplicas) -> None:
    others.losses = 1
    await replica.turn()
    assert (others.counted, bool(replica.among.unreported())) == (1, True)
    others.beat_of_b()
    await replica.turn()
    assert replica.among.unreported() == ""  # two beats, and nobody waits any more
    await replica.turn()
    assert replica.among.unreported() == ""


@pytest.mark.parametrize("alone", [True, False])
async def test_a_yes_that_is_the_first_to_meet_a_replaced_connection_waits_for_the_others(
    office: StoppableOffice, replica: Replica, others: HandReplicas, alone: bool
) -> None:
    _, pending = await opened_and_pending(office)
    if alone:
        others.rows = [OWN]
        await replica.turn()
    transactions: Any = office.inner.transactions
    write, others.losses = transactions.write, 1

    async def replaced(work: Any) -> Any:
        if others.losses > others.counted:
            raise Reconnected("The connection to the database was lost a moment ago.")
        return await write(work)

    transactions.write = replaced
    act: Any = await office.service.actions.press(office.press(OWNER, pending))
    if not alone:
        with pytest.raises(StorageError, match="has not reported"):
            await office.store.commit(act)
        assert await state(office, pending) == "pending"
        others.beat_of_b()
        await replica.turn()
        others.beat_of_b()
        await replica.turn()
    await office.store.commit(act)
    assert (await state(office, pending), others.counted) == ("approved", 1)


async def test_a_replica_reports_no_empty_file_while_its_store_may_still_take_something_into_it(
    office: StoppableOffice, replica: Replica, others: HandReplicas
) -> None:
    _, pending = await opened_and_pending(office)
    with office.lost():
        await office.take_in(office.press(OWNER, pending, "deny"))
    assert office.lines() == []
    await replica.turn()  # the database is back, and the store has not looked
    assert others.beats[-1].emergency == 1
    await office.standing.stoppable.look()
    await replica.turn()
    assert others.beats[-1].emergency == 0


async def test_a_line_that_is_only_in_memory_is_reported_too(
    office: StoppableOffice, replica: Replica, others: HandReplicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, pending = await opened_and_pending(office)
    monkeypatch.setattr(EmergencyFile, "_written", lambda self, kept: False)  # this machine's own disk is full
    others.held = False
    with office.lost():
        await office.click(OWNER, pending, "deny")
        await office.click(OWNER, opened, "revoke")
    await office.standing.stoppable.look()  # handed over, and not carried out by the leader yet
    await replica.turn()
    assert (office.lines(), others.beats[-1].emergency) == ([], 2)
