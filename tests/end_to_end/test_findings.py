"""A finding through Slack and the whole bot: reported, acknowledged, closed, and found in the log."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.demo.workspace import APPROVER, ASKER
from storage.log.check import check_database

pytestmark = pytest.mark.both

DEPUTY = "U0DEP1"


async def test_a_finding_is_reported_acknowledged_and_closed(start: Callable[..., Any]) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.command(ASKER, "/countersign", "finding identity-finding A token stands in a build log")
    form = await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert "Never paste the secret itself." in form.shown
    filled = {"Where": "repo billing, run 77", "What is it": "Exposed credential"}
    assert (await sandbox.submit(ASKER, filled)).ok
    card = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Acknowledge"))
    assert {"Acknowledge", "On it", "Question"} <= set(card.buttons)
    assert "Approve" not in card.buttons
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Correct time"))
    await sandbox.press(APPROVER, "Acknowledge", message=card)
    await sandbox.wait_for(lambda: "Close" in sandbox.current(card).buttons)
    await sandbox.wait_for(lambda: "Acknowledged" in sandbox.current(receipt).shown)
    await sandbox.press(APPROVER, "Close", message=sandbox.current(card))
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    assert (await sandbox.submit(APPROVER, {"What was done": "The token was rotated"})).ok
    await sandbox.wait_for(lambda: "Closed" in sandbox.current(card).shown)
    assert sandbox.current(card).buttons == []
    assert [t for t in bot.types() if t.startswith("finding.")] == [
        "finding.filed",
        "finding.acknowledged",
        "finding.closed",
    ]
    assert not [t for t in bot.types() if t.startswith("grant.")]
    assert check_database(bot.place).findings == ()


async def test_a_person_of_home_reports_too(start: Callable[..., Any]) -> None:
    bot = await start()
    sandbox = bot.sandbox
    await sandbox.command(DEPUTY, "/countersign", "finding")
    await sandbox.wait_for(lambda: sandbox.modal(DEPUTY))
    assert (
        await sandbox.submit(
            DEPUTY, {"Where": "group admins", "What": "A member that nobody approved", "What is it": "Something else"}
        )
    ).ok
    card = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Acknowledge"))
    assert "Share with the provider" in card.buttons
