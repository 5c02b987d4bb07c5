"""The requester's **Permit** button, through the real bolt app and a signed log."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.case.lifecycle import GrantState
from handlers import ids
from handlers.views import receipt
from handlers.views.kit.context import ViewContext
from tests.bot import parts
from tests.bot.building import HOUR, OWNER, PE1, PE2, policy
from tests.bot.permitting import SignedOffice
from tests.handlers.fake_slack import FakeSlack
from tests.handlers.shapes import click
from tests.handlers.transport.test_app import Front


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with SignedOffice(tmp_path / "countersign.db", policy()) as office, FakeSlack() as slack:
        office.service.permits = office.issuer
        door = parts.door(office, slack.client())
        yield Front(office, slack, door)
        await door.finish()


async def press(front: Front, person: Any, case_id: str) -> str:
    """Presses **Permit**; what the page that opens shows, if one does."""
    seen = len(front.slack.of("views.open"))
    trigger = f"1.{len(front.slack.calls)}.{person.user}"
    assert (await front.send(click(person, ids.PERMIT, ids.question(case_id, 1), trigger_id=trigger)))[0] == 200
    await front.door.finish()
    await front.office.worker.drain()
    opened = front.slack.of("views.open")[seen:]
    return json.dumps(opened[0].args["view"], ensure_ascii=False) if opened else ""


def buttons(case: Any, front: Front) -> list[str]:
    drawn = receipt.receipt(case, ViewContext(front.office.policy, front.office.clock.now()))
    return [e["text"]["text"] for b in drawn.blocks if b["type"] == "actions" for e in b["elements"]]


async def test_the_button_is_on_the_receipt_while_the_grant_is_open(front: Front) -> None:
    office = front.office
    case_id = await office.file(PE1)
    assert "Permit" not in buttons(await office.case(case_id), front)
    await office.click(OWNER, case_id)
    assert "Permit" in buttons(await office.case(case_id), front)
    await office.forward(HOUR)
    case = await office.case(case_id)
    assert case.grant is not None
    assert case.grant.state is GrantState.LAPSED
    assert "Permit" not in buttons(case, front)


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_a_click_shows_a_permit_once_and_no_row_keeps_it(front: Front) -> None:
    office = front.office
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    shown = await press(front, PE1, case_id)
    token = json.loads(shown)["blocks"][1]["element"]["initial_value"]  # a text field: a phone wraps and copies it
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["sub"], claims["txn"]) == (str(PE1), case_id)
    [issued] = [e for e in office.log(case_id) if e["type"] == "permit.issued"]
    assert (issued["who"], issued["data"]["jti"]) == (PE1, claims["jti"])
    await office.deliver()
    office.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(path.read_bytes() for path in office.path.parent.glob("countersign.db*"))
    assert claims["jti"].encode() in stored
    for part in token.split("."):
        assert part.encode() not in stored
    assert token not in await press(front, PE1, case_id)  # each click makes its own


async def test_nobody_else_gets_one_and_after_the_end_nobody_does(front: Front) -> None:
    office = front.office
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    for person in (PE2, OWNER):
        assert await press(front, person, case_id) == ""
    assert [e["data"] for e in office.log(case_id) if e["type"] == "decision.refused"] == [
        {"action": "permit", "why": "unauthorised"}
    ] * 2
    await office.click(OWNER, case_id, "revoke")
    assert await press(front, PE1, case_id) == ""
    assert "permit.issued" not in office.types(case_id)


async def test_a_log_that_is_not_signed_gives_a_sentence_and_no_permit(front: Front) -> None:
    office = front.office
    assert isinstance(office, SignedOffice)
    case_id = await office.file(PE1)
    await office.click(OWNER, case_id)
    (office.state / "log.memory").unlink()
    shown = await press(front, PE1, case_id)
    assert "not being signed" in shown
    (office.state / "permit.key").unlink()
    assert "could not be carried out" in await press(front, PE1, case_id)
    assert "permit.issued" not in office.types(case_id)
