"""A stopped log gives nothing and takes away all the same (rule 4), over a real database, signer and emergency file."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.keys import LogKey
from bot.domain.case.lifecycle import GrantState, RequestState
from storage.log.check import check_database
from tests.bot.building import HOUR, MINUTE, OWNER, PE1, STRANGER, policy
from tests.bot.stopping import StoppableOffice
from tests.database import place

PENDING, DENIED = RequestState.PENDING, RequestState.DENIED


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy()) as opened:
        yield opened


async def rolled_back(office: StoppableOffice) -> None:
    """A signed entry is gone: the database is the one from before it."""
    copy = office.copied("before.db")
    await office.file(OWNER)  # refused: an entry without a case that goes on
    await office.signed()
    await office.go_back_to(copy)
    await office.told()


async def test_a_yes_is_answered_with_one_sentence_and_leaves_no_entry(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await rolled_back(office)
    before = len(office.log())
    await office.click(OWNER, case_id, "approve")
    assert await office.told() == ["stopped"]
    assert len(office.log()) == before
    assert await office.state(case_id) is PENDING
    assert office.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL") == []


async def test_a_request_is_answered_with_a_sentence_and_is_not_filed(office: StoppableOffice) -> None:
    await rolled_back(office)
    case_id = await office.file(PE1)
    assert await office.told() == ["stopped"]
    assert await office.store.cases.case(case_id) is None


async def test_a_no_counts_at_once_and_is_signed_in_the_emergency_file(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await rolled_back(office)
    before = len(office.log())
    await office.click(OWNER, case_id, "deny")
    assert await office.state(case_id) is DENIED
    assert len(office.log()) == before
    (line,) = office.lines()
    assert set(line) == {"act", "version", "at", "sig"}
    await office.click(OWNER, case_id, "approve")
    assert await office.told() == ["lost"]
    assert await office.state(case_id) is DENIED


@pytest.mark.parametrize(("who", "what", "ends"), [
    (OWNER, "revoke", GrantState.REVOKED), (PE1, "finish", GrantState.FINISHED), (PE1, "unused", GrantState.UNUSED),
])  # fmt: skip
async def test_an_open_grant_ends_without_the_log(
    office: StoppableOffice, who: object, what: str, ends: GrantState
) -> None:
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    await rolled_back(office)
    await office.click(who, case_id, what)  # type: ignore[arg-type]
    grant = (await office.case(case_id)).grant
    assert grant is not None
    assert grant.state is ends


async def test_time_takes_away_without_the_log(office: StoppableOffice) -> None:
    asked, open_ = await office.file(PE1), await office.file(PE1, target="srv-2")
    await office.click(OWNER, open_)
    await rolled_back(office)
    heard: list[str | None] = []
    office.service.transactions.committed = lambda act: heard.append(act.before and act.before.id)
    await office.forward(5 * HOUR, every=HOUR)
    assert {asked, open_} <= set(heard)  # the metrics count it, and no failure is logged
    grant = (await office.case(open_)).grant
    assert grant is not None
    assert (grant.state, await office.state(asked)) == (GrantState.LAPSED, RequestState.EXPIRED)


async def test_what_is_read_is_answered_and_anyone_who_is_refused_gets_the_reason(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await rolled_back(office)
    await office.click(STRANGER, case_id, "deny")
    assert await office.told() == ["plain"]
    assert await office.state(case_id) is PENDING


async def test_what_was_taken_away_survives_a_restart_and_is_entered_first_when_the_log_is_back(
    office: StoppableOffice,
) -> None:
    asked, open_ = await office.file(PE1), await office.file(PE1, target="srv-2")
    await office.click(OWNER, open_)
    await office.signed()
    whole = office.copied("whole.db")
    (office.state_dir / "log.memory").rename(office.path.parent / "memory")
    await office.restart()
    await office.click(OWNER, asked, "deny")
    await office.click(OWNER, open_, "revoke")
    await office.restart()
    assert await office.state(asked) is DENIED
    (office.path.parent / "memory").rename(office.state_dir / "log.memory")
    entries = len(office.log())
    await office.go_back_to(whole)
    assert [e["type"] for e in office.log(start=entries)][:2] == ["request.denied", "grant.revoked"]
    assert office.lines() == []
    assert all("taken_at" in entry["data"] for entry in office.log(start=entries)[:2])
    assert check_database(place(office.path)).findings == ()
    assert (await office.case(open_)).grant.state is GrantState.REVOKED  # type: ignore[union-attr]
    await office.restart()
    assert office.types(asked).count("request.denied") == 1


async def test_a_line_that_was_entered_before_a_kill_is_not_entered_twice(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await office.fill_the_disk()
    await office.click(OWNER, case_id, "deny")
    lines = (office.state_dir / "emergency.jsonl").read_bytes()
    await office.free_the_disk()
    await office.standing.stoppable.look()
    (office.state_dir / "emergency.jsonl").write_bytes(lines)  # the process died before it blanked the line
    await office.restart()
    assert office.types(case_id).count("request.denied") == 1
    assert office.lines() == []


@pytest.mark.parametrize("read_only", [False, True])
async def test_on_a_disk_that_takes_nothing_nothing_is_given_half_or_whole_and_a_no_counts(
    office: StoppableOffice, read_only: bool
) -> None:
    asked, other = await office.file(PE1), await office.file(PE1, target="srv-2")
    await office.told()
    await (office.write_protect() if read_only else office.fill_the_disk())
    before = len(office.log())
    await office.click(OWNER, asked, "approve")
    await office.click(OWNER, other, "deny")
    assert "stopped" in await office.told()
    assert (await office.state(asked), await office.state(other)) == (PENDING, DENIED)
    assert len(office.log()) == before
    on_a_file = "cannot be written to" if read_only else "The disk is full"
    said = on_a_file if isinstance(office.place, Path) else "takes no writes"
    assert any(said in sentence for sentence in office.standing.stoppable.findings())
    await office.free_the_disk()
    await office.standing.stoppable.look()
    assert (await office.state(other), office.types(other)[-1]) == (DENIED, "request.denied")


async def test_when_the_disk_takes_again_the_no_is_entered_and_the_yes_is_not(office: StoppableOffice) -> None:
    asked, other = await office.file(PE1), await office.file(PE1, target="srv-2")
    await office.fill_the_disk()
    await office.click(OWNER, asked, "approve")
    await office.click(OWNER, other, "deny")
    await office.free_the_disk()
    await office.standing.stoppable.look()
    await office.worker.drain()
    assert office.types(other)[-1] == "request.denied"
    assert "request.approved" not in office.types(asked)
    assert office.standing.stoppable.findings() == ()
    await office.click(OWNER, asked, "approve")
    assert await office.state(asked) is RequestState.APPROVED


async def test_a_lost_state_dir_stops_the_log_and_a_no_is_still_signed(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await office.signed()
    shutil.rmtree(office.state_dir)
    await office.file(OWNER)
    await office.signed()
    assert any("no memory" in sentence for sentence in office.standing.stoppable.findings())
    await office.click(OWNER, case_id, "deny")
    assert await office.state(case_id) is DENIED
    assert len(office.lines()) == 1


async def test_a_database_with_entries_and_a_state_dir_without_memory_starts_stopped(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await office.close()
    shutil.rmtree(office.state_dir)
    await office.open()
    await office.click(OWNER, case_id, "approve")
    assert await office.state(case_id) is PENDING
    assert office.standing.signer.stopped is not None


async def test_a_line_that_the_disk_does_not_take_counts_and_is_written_later(
    office: StoppableOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await office.file(PE1)
    await rolled_back(office)
    with monkeypatch.context() as broken:
        broken.setattr(EmergencyFile, "_written", lambda self, kept: False)
        await office.click(OWNER, case_id, "deny")
        assert (await office.state(case_id), office.lines()) == (DENIED, [])
    await office.standing.stoppable.look()
    assert len(office.lines()) == 1


async def test_a_line_that_the_log_key_did_not_sign_counts_for_nothing_and_is_reported(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await rolled_back(office)
    await office.click(OWNER, case_id, "deny")
    (line,) = office.lines()
    line["act"]["after"]["request"]["closed_by"]["user"] = "U0DEP1"
    (office.state_dir / "emergency.jsonl").write_text(json.dumps(line))
    await office.restart()
    assert await office.state(case_id) is PENDING
    assert any("not signed" in sentence for sentence in office.standing.stoppable.findings())


async def test_the_file_has_room_for_a_no_on_the_day_the_disk_is_full(office: StoppableOffice) -> None:
    path = office.state_dir / "emergency.jsonl"
    size = path.stat().st_size
    case_id = await office.file(PE1)
    await rolled_back(office)
    await office.click(OWNER, case_id, "deny")
    assert path.stat().st_size == size
    key = LogKey(office.state_dir)
    assert len(EmergencyFile(office.state_dir, key.sign, key.check).lines()) == 1


async def test_pages_and_lists_show_what_was_taken_away(office: StoppableOffice) -> None:
    case_id = await office.file(PE1)
    await rolled_back(office)
    await office.click(OWNER, case_id, "deny")
    assert await office.store.cases.waiting_for(OWNER, 10) == []
    assert [one.state for one in await office.store.cases.requests(10, closed_too=True)] == ["denied"]
    assert await office.store.cases.requests(10, closed_too=False) == []
    assert office.clock.now() + MINUTE > office.clock.now()


async def test_what_is_announced_to_nobody_is_signed_at_the_next_look(office: StoppableOffice) -> None:
    await office.file(PE1)
    await office.standing.stoppable.look()
    (size,) = office.rows("SELECT max(size) FROM log_checkpoint")[0]
    assert size == len(office.log())
