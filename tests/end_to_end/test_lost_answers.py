"""Slack takes a message and its answer is lost: the message is there once, and loses its buttons with everybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.demo.workspace import APPROVER

SEEN = "dc-second"


@pytest.mark.parametrize("known", [True, False])
async def test_a_card_whose_answer_was_lost_decides_and_ends(start: Callable[..., Any], file: Any, known: bool) -> None:
    bot = await start()
    sandbox = bot.sandbox
    if known:  # the conversation, from an earlier card
        await file(sandbox, target="dc-first")
        await sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"))
    sandbox.faults.lose_answer("chat.postMessage", 1)
    card = await file(sandbox, target=SEEN)
    await sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"), 20)
    assert sandbox.faults.lost == {}

    def cards() -> list[Any]:
        return [m for m in sandbox.messages(APPROVER) if SEEN in m.shown and not m.ephemeral and not m.thread_ts]

    copies = bot.rows("SELECT count(*) FROM copy WHERE purpose = 'card' AND to_user = ?", APPROVER)[0][0]
    assert len(cards()) == copies - (1 if known else 0)
    assert not known or len(cards()) == 1
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: all("Approve" not in m.buttons and "Approved" in m.shown for m in cards()), 20)
