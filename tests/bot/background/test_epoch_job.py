"""A new epoch: a log that lost entries goes on under a new name and key, with the yes of two people, by the emergency file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner

from bot.background.epoch_job import NEXT, EpochContext, _begin, beginning
from bot.background.operator_jobs import OperatorJobs
from bot.cli.log import app as log_app
from bot.clock import SystemClock
from bot.decision_log.keys import LOG_KEY, read_key, verify, vkey_lines, vkeys
from bot.decision_log.signer_memory import recall
from bot.domain.case.operator_action import OperatorAction
from bot.domain.decision_log.signed_note import open_checkpoint
from bot.domain.operator import dual_control
from bot.domain.operator.new_epoch import next_origin, previous_origin
from bot.domain.policy.people import Person
from bot.evidence.check import check_export
from bot.evidence.export import export
from bot.evidence.folder import Folder
from bot.ports.commands import ConfirmOperatorAction, ReplyAddress
from bot.ports.records import SignedCheckpoint
from bot.runtime.log_verification import TrustBase
from bot.runtime.log_verification import verify as verify_log
from storage.log.evidence import evidence
from tests.bot import parts
from tests.bot.building import AUDIT, DAY, OWNER, PE1, RISK, policy
from tests.bot.stopping import ORIGIN, StoppableOffice
from tests.database import url
from tests.handlers.fake_slack import FakeSlack
from tests.storage.making import attacker

BASE = replace(policy(), auditors=(AUDIT,))


class Lost:
    """An office whose database is one from before its last signed entries."""

    def __init__(self, office: StoppableOffice) -> None:
        self.office = office

    def operations(self) -> OperatorJobs:
        office = self.office
        ground = EpochContext(office.inner, office.place, office.state_dir, office.standing)
        return OperatorJobs(parts.jobs(office), {"new_epoch": beginning(parts.jobs(office), ground)})

    async def file(self) -> str:
        now = self.office.clock.now()
        act = OperatorAction("O-7K3M9QX2", "new_epoch", "the disk died", now, now + DAY)
        await self.office.store.commit(dual_control.file(act, BASE))
        return act.id

    async def press(self, person: Person, act_id: str, answer: Literal["confirm", "refuse"] = "confirm") -> None:
        await self.office.take_in(ConfirmOperatorAction(person, act_id, answer, ReplyAddress(person, channel="D0")))
        await self.office.worker.drain()

    async def confirmed(self) -> str:
        act_id = await self.file()
        for person in (AUDIT, RISK):
            await self.press(person, act_id)
        return act_id

    async def state(self, act_id: str) -> str:
        found = await self.office.store.operator.action(act_id)
        return str(found.state)

    def entries(self, start: int) -> list[dict[str, Any]]:
        rows = self.office.rows("SELECT data FROM log_entry WHERE idx >= :i ORDER BY idx", i=start)
        return [json.loads(row["data"]) for row in rows]

    def findings(self) -> tuple[str, ...]:
        return tuple(map(str, verify_log(self.office.place, TrustBase(None, self.office.state_dir)).findings))


@pytest.fixture
async def lost(tmp_path: Path) -> AsyncIterator[Lost]:
    async with StoppableOffice(tmp_path / "countersign.db", BASE) as office:
        await office.file(PE1)
        await office.signed()
        copy = office.copied("before.db")
        await office.file(PE1, target="srv-2")
        await office.signed()
        await office.go_back_to(copy)
        assert office.standing.signer.stopped is not None
        yield Lost(office)


async def test_two_people_confirm_it_by_the_emergency_file_and_the_log_goes_on(lost: Lost) -> None:
    office = lost.office
    surviving, memory = (await office.inner.log.head()).size, recall(office.state_dir)
    assert memory is not None
    old_key = read_key(office.state_dir / LOG_KEY).vkey(ORIGIN)
    act_id = await lost.confirmed()
    assert await lost.state(act_id) == "confirmed"
    assert (await office.inner.log.head()).size == surviving
    assert len(office.lines()) == 3
    await lost.operations().work()
    first, *rest = lost.entries(surviving)
    new_key = read_key(office.state_dir / LOG_KEY).vkey(f"{ORIGIN}.2")
    assert (first["type"], first["log"]) == ("log.epoch_started", f"{ORIGIN}.2")
    assert first["data"]["surviving"] == surviving
    assert first["data"]["lost"] == [surviving, memory.size]
    assert first["data"]["key"] == str(new_key)
    assert open_checkpoint(first["data"]["last_checkpoint"], [old_key], verify) == memory
    assert [e["type"] for e in rest] == ["operator.filed", "operator.confirmed", "operator.confirmed"]
    assert all("taken_at" in entry["data"] for entry in rest)
    assert office.lines() == []
    await lost.operations().work()
    assert await lost.state(act_id) == "done"
    signed = await office.standing.signer.cover()
    assert isinstance(signed, SignedCheckpoint)
    assert open_checkpoint(signed.note, [new_key], verify).origin == f"{ORIGIN}.2"
    assert vkeys(office.state_dir, f"{ORIGIN}.2") == (new_key, old_key)
    assert lost.findings() == ()
    assert not (office.state_dir / NEXT).exists()


async def test_access_is_given_again_afterwards_and_an_export_verifies(lost: Lost, tmp_path: Path) -> None:
    office = lost.office
    await lost.confirmed()
    for _ in range(2):
        await lost.operations().work()
    case_id = await office.file(PE1, target="srv-3")
    await office.click(OWNER, case_id)
    assert str(await office.state(case_id)) == "approved"
    await office.signed()
    out = tmp_path / "evidence"
    with evidence(office.place) as log, Folder(out) as folder:
        export(log, vkey_lines(office.state_dir, f"{ORIGIN}.2"), folder)
    assert [f for f in check_export(out).findings if f.code not in ("policy", "party")] == []


@pytest.mark.parametrize("voices", [(AUDIT,), (RISK,), (AUDIT, AUDIT)])
async def test_one_person_alone_begins_nothing(lost: Lost, voices: tuple[Person, ...]) -> None:
    before = (await lost.office.inner.log.head()).size
    act_id = await lost.file()
    for person in voices:
        await lost.press(person, act_id)
    await lost.operations().work()
    assert await lost.state(act_id) == "open"
    assert (await lost.office.inner.log.head()).size == before


async def test_a_refusal_is_final_and_the_end_of_the_window_too(lost: Lost) -> None:
    act_id = await lost.file()
    await lost.press(AUDIT, act_id, "refuse")
    await lost.press(RISK, act_id)
    await lost.operations().work()
    assert await lost.state(act_id) == "refused"
    assert lost.office.standing.signer.stopped is not None


async def test_nobody_in_time_and_it_is_over(lost: Lost) -> None:
    act_id = await lost.file()
    lost.office.sleep(DAY)
    await lost.operations().work()
    assert await lost.state(act_id) == "expired"
    await lost.press(RISK, act_id)
    assert await lost.office.told() == ["act_late"]


async def test_a_lost_state_dir_waits_for_it_and_goes_on_without_a_memory(lost: Lost) -> None:
    office = lost.office
    await office.close()
    (office.state_dir / "log.memory").unlink()
    (office.state_dir / LOG_KEY).unlink()
    await office.open()
    assert office.standing.signer.stopped is not None
    surviving = (await office.inner.log.head()).size
    await lost.confirmed()
    for _ in range(2):
        await lost.operations().work()
    entry = lost.entries(surviving)[0]
    assert entry["data"]["surviving"] == surviving
    assert "lost" not in entry["data"]
    assert "last_checkpoint" in entry["data"]
    assert office.standing.signer.stopped is None


async def test_a_kill_between_any_two_steps_goes_on_where_it_was(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    office = lost.office
    act_id = await lost.confirmed()
    surviving = (await office.inner.log.head()).size
    old_key = read_key(office.state_dir / LOG_KEY).vkey(ORIGIN)
    steps = (
        "bot.background.epoch_job._take_over",
        "bot.background.epoch_job.remember",
        "bot.decision_log.signer.Signer.resume",
    )

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for step in steps:
        with monkeypatch.context() as patched:
            patched.setattr(step, killed)
            ground = EpochContext(office.inner, office.place, office.state_dir, office.standing)
            with pytest.raises(KeyboardInterrupt):
                await _begin(office.policy, ground)
        if step != steps[-1]:
            await office.restart()
            assert office.standing.signer.stopped is not None
    await office.restart()
    for _ in range(2):
        await lost.operations().work()
    assert [e["type"] for e in lost.entries(surviving)].count("log.epoch_started") == 1
    assert await lost.state(act_id) == "done"
    assert vkeys(office.state_dir, f"{ORIGIN}.2")[1:] == (old_key,)
    assert lost.findings() == ()


async def test_lines_that_were_entered_before_a_kill_are_not_entered_twice(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = lost.office
    act_id = await lost.confirmed()

    def stands(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("bot.decision_log.emergency_file.EmergencyFile.forget", stands)
        await lost.operations().work()
    assert len(office.lines()) == 3
    await office.restart()
    await lost.operations().work()
    assert office.lines() == []
    assert await lost.state(act_id) == "done"
    kinds = [e["type"] for e in lost.entries(0)]
    assert (kinds.count("operator.filed"), kinds.count("operator.confirmed")) == (1, 2)


async def test_the_messages_of_a_stopped_bot_ask_for_it_with_both_buttons(lost: Lost) -> None:
    office = lost.office
    await lost.file()
    async with FakeSlack() as slack:
        await parts.sender(office, slack.client(), office.standing.signer.cover).drain()
        asked = [call for call in slack.of("chat.postMessage") if call.buttons == ["Confirm", "Refuse"]]
    assert {call.args["channel"] for call in asked} == {AUDIT.user, RISK.user}
    assert all("new epoch of the decision log" in call.args["text"] for call in asked)


@pytest.mark.sqlite  # on PostgreSQL the leader carries out what a command hands in
async def test_the_command_files_it_for_a_stopped_log_only(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    office = lost.office
    monkeypatch.chdir(office.path.parent)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(office.path))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(office.state_dir))

    async def base(_store: Any) -> Any:
        return BASE

    async def typed() -> tuple[int, str]:
        done = await asyncio.to_thread(CliRunner().invoke, log_app, ["new-epoch", "--reason", "the disk died"])
        return done.exit_code, done.output.strip().splitlines()[-1]

    monkeypatch.setattr("bot.cli.operator.accepted_policy", base)
    code, act_id = await typed()
    assert code == 0
    office.clock.at = SystemClock().now()  # the command has no other clock
    await office.standing.stoppable.look()
    for person in (AUDIT, RISK):
        await lost.press(person, act_id)
    for _ in range(2):
        await lost.operations().work()
    assert await lost.state(act_id) == "done"
    assert (await typed())[0] == 1


async def test_what_survives_and_contradicts_itself_is_no_ground(lost: Lost) -> None:
    office = lost.office
    act_id = await lost.confirmed()
    with attacker(office.place) as raw:
        raw.execute("UPDATE log_entry SET data = (SELECT data FROM log_entry WHERE idx = 2) WHERE idx = 1")
    await lost.operations().work()
    assert await lost.state(act_id) == "failed"
    assert office.standing.signer.stopped is not None


async def test_a_second_epoch_counts_on(lost: Lost) -> None:
    office = lost.office
    await lost.confirmed()
    for _ in range(2):
        await lost.operations().work()
    await office.signed()
    copy = office.copied("second.db")
    await office.file(PE1, target="srv-9")
    await office.signed()
    await office.go_back_to(copy)
    now = office.clock.now()
    await office.store.commit(dual_control.file(OperatorAction("O-0000000Z", "new_epoch", "again", now, now + DAY), BASE))
    for person in (AUDIT, RISK):
        await lost.press(person, "O-0000000Z")
    for _ in range(2):
        await lost.operations().work()
    assert (await office.inner.log.head()).origin == f"{ORIGIN}.3"
    assert len(vkeys(office.state_dir, f"{ORIGIN}.3")) == 3
    assert lost.findings() == ()


async def test_confirmations_of_an_earlier_epoch_that_are_put_back_begin_no_other(lost: Lost) -> None:
    office = lost.office
    act_id = await lost.confirmed()
    used = (office.state_dir / "emergency.jsonl").read_text()
    for _ in range(2):
        await lost.operations().work()
    await office.signed()
    copy = office.copied("second.db")
    await office.file(PE1, target="srv-9")
    await office.signed()
    await office.go_back_to(copy)
    (office.state_dir / "emergency.jsonl").write_text(used)
    await lost.operations().work()
    assert await lost.state(act_id) == "done"
    assert office.standing.signer.stopped is not None
    assert (await office.inner.log.head()).origin == f"{ORIGIN}.2"


async def test_a_log_that_is_not_stopped_any_more_begins_nothing(lost: Lost, tmp_path: Path) -> None:
    async with StoppableOffice(tmp_path / "well" / "countersign.db", BASE) as office:
        (tmp_path / "well").mkdir(exist_ok=True)
        well = Lost(office)
        act_id = await well.confirmed()
        await well.operations().work()
        assert await well.state(act_id) == "failed"


async def test_the_name_of_the_log_changes_with_an_epoch_only(lost: Lost) -> None:
    with pytest.raises(Exception, match="the log only grows"):
        lost.office.looking.execute("UPDATE log_head SET origin = 'other', size = size + 1")


def test_names_count_on() -> None:
    assert [next_origin("a/log", 0), next_origin("a/log.2", 1), next_origin("a/v1.5", 0)] == [
        "a/log.2",
        "a/log.3",
        "a/v1.5.2",
    ]
    assert [previous_origin(n) for n in ("a/log.2", "a/log.3", "a/v1.5.2")] == ["a/log", "a/log.2", "a/v1.5"]
