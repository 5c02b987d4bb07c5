"""`operator_acts: required`: a Confirm of an operator's act is signed, a Refuse never is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.case.operator_action import OperatorAction, OperatorActionState
from bot.domain.operator import dual_control
from bot.domain.policy.people import Person
from bot.ports.commands import ConfirmOperatorAction, ReplyAddress
from bot.service.signing_page import Told
from storage.log.check import check_database
from tests.bot.building import AUDIT, DEP1, RISK
from tests.bot.office import Office
from tests.bot.passkeys import KEYS, ORIGIN, Authenticator, sent, signature_findings, signed_policy, with_words
from tests.database import place

AUDITORS = Authenticator(b"auditor-key")
HELD = {**KEYS, AUDIT: AUDITORS}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    policy = signed_policy("none", {person: key.passkey() for person, key in HELD.items()})
    assert policy.signing is not None
    demanding = replace(policy, signing=replace(policy.signing, operator_acts="required"))
    async with Office(tmp_path / "countersign.db", demanding) as opened:
        yield with_words(opened)


async def filed(office: Office) -> OperatorAction:
    now = office.clock.now()
    act = OperatorAction("O-7K3M9QX2", "prune", "old", now, now + timedelta(hours=24), before=now - timedelta(days=9))
    await office.store.commit(dual_control.file(act, office.policy))
    return act


async def press(office: Office, person: Person, act: OperatorAction, answer: str) -> None:
    await office.take_in(ConfirmOperatorAction(person, act.id, answer, ReplyAddress(person)))  # type: ignore[arg-type]
    await office.worker.drain()


async def signs(office: Office, person: Person, act: OperatorAction, key: Authenticator) -> Told:
    token = (await office.service.signing.act_address(act, person)).removeprefix(f"{ORIGIN}/d#")
    told = await office.service.signing.statement(token, "confirm")
    return await sent(office, token, key.sign(str(told.body["statement"])))


async def state(office: Office, act: OperatorAction) -> OperatorActionState:
    found = await office.store.operator.action(act.id)
    assert found is not None
    return found.state


async def test_two_signed_confirms_complete_it_and_each_entry_says_so(office: Office) -> None:
    act = await filed(office)
    assert (await signs(office, AUDIT, act, AUDITORS)).body["ok"] is True
    assert await state(office, act) is OperatorActionState.OPEN
    voiced = await office.store.operator.action(act.id)
    assert voiced is not None
    assert await office.service.signing.act_address(voiced, AUDIT) == ""  # a second word of theirs would be refused
    assert (await signs(office, RISK, act, KEYS[RISK])).body["ok"] is True
    assert await state(office, act) is OperatorActionState.CONFIRMED
    entries = [entry for entry in office.log() if entry["type"] == "operator.confirmed"]
    assert [entry["data"]["signed"] for entry in entries] == [True, True]
    assert check_database(place(office.path)).findings == ()
    assert signature_findings(office) == []


async def test_a_confirm_in_slack_counts_for_nothing_and_is_answered_with_the_link(office: Office) -> None:
    act = await filed(office)
    await press(office, AUDIT, act, "confirm")
    found = await office.store.operator.action(act.id)
    assert found is not None
    assert found.voices == ()
    assert [answer["sentence"] for answer in office.answers()] == ["sign_on_page"]
    assert [entry["type"] for entry in office.log()].count("decision.refused") == 1


async def test_a_refuse_in_slack_needs_no_signature(office: Office) -> None:
    act = await filed(office)
    await press(office, RISK, act, "refuse")
    assert await state(office, act) is OperatorActionState.REFUSED


async def test_the_key_of_somebody_else_confirms_nothing(office: Office) -> None:
    act = await filed(office)
    told = await signs(office, AUDIT, act, KEYS[DEP1])
    assert "made for somebody else" in str(told.body["text"])
    refused = [entry for entry in office.log() if entry["type"] == "decision.refused"]
    assert [entry["who"] for entry in refused] == [DEP1]
    assert await state(office, act) is OperatorActionState.OPEN


async def test_the_page_reads_what_is_confirmed(office: Office) -> None:
    act = await filed(office)
    token = (await office.service.signing.act_address(act, AUDIT)).removeprefix(f"{ORIGIN}/d#")
    told = await office.service.signing.read(token)
    assert "empty the log" in str(told.body["words"])
    assert told.body["open"] is True


async def test_whose_voice_does_not_count_gets_no_link(office: Office) -> None:
    assert await office.service.signing.act_address(await filed(office), DEP1) == ""
