"""What was acknowledged while the database is lost outlasts the process, and counts once."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.decision_log.among_replicas import AmongReplicas
from bot.decision_log.held_commands import FILE
from tests.bot.building import OWNER, PE1, policy
from tests.bot.stopping import StoppableOffice


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy(), among=AmongReplicas()) as opened:
        yield opened


def kept(office: StoppableOffice) -> list[str]:
    path = office.state_dir / FILE
    return path.read_text().splitlines() if path.exists() else []


async def reopened(office: StoppableOffice) -> None:
    """Another process, for which the database is back."""
    await office.close()
    await office.open()


@pytest.mark.parametrize(("action", "becomes"), [("deny", "denied"), ("approve", "approved")])
async def test_a_press_that_was_acknowledged_is_carried_out_by_the_next_process(
    office: StoppableOffice, action: str, becomes: str
) -> None:
    case_id = await office.file(PE1)
    with office.lost():
        await office.take_in(office.press(OWNER, case_id, action), "press")
        assert len(kept(office)) == 1
    await reopened(office)
    await office.worker.drain()
    assert str(await office.state(case_id)) == becomes
    assert kept(office) == []


async def test_it_is_on_the_disk_before_the_acknowledgement(
    office: StoppableOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = list[int]()
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(len(kept(office)))
        fsync(handle)

    case_id = await office.file(PE1)
    monkeypatch.setattr(os, "fsync", noted)
    with office.lost():
        await office.take_in(office.press(OWNER, case_id, "deny"), "press")
    assert synced == [1]


async def test_what_was_carried_out_is_not_carried_out_again(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await office.standing.stoppable.look()
    with office.lost():
        await office.take_in(office.press(OWNER, case_id, "deny"), "press")
        before = kept(office)
        await office.worker.drain()
        assert kept(office) == []
    (office.state_dir / FILE).write_text("\n".join(before) + "\n")  # the disk refused to forget it
    await reopened(office)
    await office.worker.drain()
    assert office.types(case_id).count("request.denied") == 1


async def test_a_line_that_the_log_key_did_not_sign_counts_for_nothing(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    with office.lost():
        await office.take_in(office.press(OWNER, case_id, "deny"), "press")
    (line,) = kept(office)
    forged = line.replace('"deny"', '"approve"')
    assert forged != line
    (office.state_dir / FILE).write_text(f"{forged}\nnot a line\n")
    await reopened(office)
    await office.worker.drain()
    assert str(await office.state(case_id)) == "pending"


async def test_a_disk_that_refuses_leaves_it_in_memory(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    (office.state_dir / FILE).mkdir()
    await office.standing.stoppable.look()
    with office.lost():
        await office.take_in(office.press(OWNER, case_id, "deny"), "press")
        await office.worker.drain()
        assert str(await office.state(case_id)) == "denied"


@pytest.mark.usefixtures("no_umask")
async def test_nobody_else_may_read_the_file(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    with office.lost():
        await office.take_in(office.press(OWNER, case_id, "deny"), "press")
    assert (office.state_dir / FILE).stat().st_mode & 0o777 == 0o600
