"""What a host hands to the leader is carried out once, on what it was judged on, and only with the log key's signature."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.host_acts import command, raise_as
from bot.decision_log.keys import LogKey, make_keys
from bot.domain.case.model import Case
from bot.domain.case.transition import Transition
from bot.domain.errors import EntryError, Stale, StorageError
from bot.domain.failsafe.revocation import taken
from bot.domain.workflow.asks.approval import deny_on_host
from bot.ports.host_commands import HOST, ActOnHost
from tests.bot.building import PE1, policy
from tests.bot.stopping import StoppableOffice


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[StoppableOffice]:
    async with StoppableOffice(tmp_path / "countersign.db", policy()) as opened:
        opened.service.host_acts = opened.standing.host_acts(opened.service.transactions.written)
        yield opened


async def pending(office: StoppableOffice) -> Case:
    case = await office.store.cases.case(await office.file(PE1))
    assert case is not None
    return case


def denial(office: StoppableOffice, case: Case) -> Transition:
    act = deny_on_host(case, office.policy, "Not today", office.clock.now())
    assert isinstance(act, Transition)
    return act


async def handed_in(office: StoppableOffice, row: ActOnHost, key: str = "host:1") -> str | None:
    await office.store.inbox.take_in(key, row, {})
    await office.worker.drain()
    outcome: str | None = await office.store.inbox.outcome(key)
    return outcome


async def state(office: StoppableOffice, case: Case) -> str:
    found = await office.store.cases.case(case.id)
    return str(found.request.state)


async def test_a_command_is_carried_out_as_it_was_judged(office: StoppableOffice) -> None:
    case = await pending(office)
    assert await handed_in(office, command(denial(office, case), office.standing.key.sign)) == ""
    assert await state(office, case) == "denied"
    assert office.log()[-1]["actor"] == {"kind": "operator"}


async def test_a_command_on_another_version_is_answered_stale_and_changes_nothing(office: StoppableOffice) -> None:
    case = await pending(office)
    row = command(denial(office, case), office.standing.key.sign)
    await office.store.commit(denial(office, case))
    outcome = await handed_in(office, row)
    assert outcome is not None
    with pytest.raises(Stale, match="changed meanwhile"):
        raise_as(outcome)
    assert [e["type"] for e in office.log()].count("request.denied") == 1


async def test_what_the_log_key_did_not_sign_is_not_carried_out(office: StoppableOffice, tmp_path: Path) -> None:
    case = await pending(office)
    other = tmp_path / "other"
    make_keys(other)
    stranger = LogKey(other)
    row = command(denial(office, case), stranger.sign)
    outcome = await handed_in(office, row)
    assert outcome is not None
    with pytest.raises(EntryError, match="not signed"):
        raise_as(outcome)
    forged = json.loads(command(denial(office, case), office.standing.key.sign).line)
    forged["act"]["says"] = []
    outcome = await handed_in(office, ActOnHost(HOST, json.dumps(forged)), "host:2")
    assert outcome is not None
    assert "not signed" in outcome
    line = EmergencyFile(other, stranger.sign, stranger.check).text_of(taken(denial(office, case), office.clock.now()))
    outcome = await handed_in(office, ActOnHost(HOST, line, late=True), "emergency:1")
    assert outcome is not None
    assert "not signed" in outcome
    assert await state(office, case) == "pending"


@pytest.mark.parametrize("unsent", [(), (0,)])
async def test_a_line_of_another_replicas_emergency_file_is_entered_once_with_its_own_time(
    office: StoppableOffice, unsent: tuple[int, ...]
) -> None:
    case = await pending(office)
    then = office.clock.now()
    line = office.standing.emergency.text_of(taken(denial(office, case), then))
    office.clock.at = then.replace(minute=then.minute + 1)
    row = ActOnHost(HOST, line, late=True, unsent=unsent)
    before = said(office)
    assert await handed_in(office, row, "emergency:1") == ""
    assert await handed_in(office, row, "emergency:2") == ""  # the same line again ends nothing twice
    (denied,) = [e for e in office.log() if e["type"] == "request.denied"]
    assert denied["data"]["taken_at"].startswith(f"{then:%Y-%m-%dT%H:%M:%S}")
    assert said(office) - before == len(unsent)


def said(office: StoppableOffice) -> int:
    """How many messages were queued, redraws aside."""
    return len(office.looking.execute("SELECT id FROM outbox WHERE copy_id IS NULL").fetchall())


async def test_a_process_without_the_log_key_refuses_commands_of_hosts(office: StoppableOffice) -> None:
    case = await pending(office)
    office.service.host_acts = None
    outcome = await handed_in(office, command(denial(office, case), office.standing.key.sign))
    assert outcome is not None
    with pytest.raises(StorageError, match="carries out no commands"):
        raise_as(outcome)


async def test_a_command_that_was_taken_back_is_never_carried_out(office: StoppableOffice) -> None:
    case = await pending(office)
    row = command(denial(office, case), office.standing.key.sign)
    await office.store.inbox.take_in("host:1", row, {})
    assert await office.store.inbox.withdraw("host:1")
    await office.worker.drain()
    assert (await state(office, case), await office.store.inbox.withdraw("host:1")) == ("pending", False)
