"""The oracle of the screen finds lies: each of five is put on a real screen on purpose, and found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from bot.demo.workspace import APPROVER, ASKER
from tests.end_to_end.screen_oracle import Truth, lies, screen_is_true

LEAD, RISK, CHANNEL = "U0PLEAD", "U0RISK", "C0DIRECTORY"
PEOPLE = (ASKER, APPROVER, LEAD, RISK)


def put_back(sandbox: Any, seen: Any) -> Callable[[], None]:
    """Shows a message again as it was; returns what takes that back."""
    raw = sandbox.world.find(seen.channel, seen.ts)
    kept, raw.blocks = raw.blocks, copy.deepcopy(seen.blocks)

    def back() -> None:
        raw.blocks = kept

    return back


async def test_each_of_five_lies_put_in_on_purpose_is_found(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox

    def found() -> list[str]:
        return lies(sandbox, Truth.of(bot), PEOPLE, (CHANNEL,))

    card = await file(sandbox)
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Escalate now"))
    await screen_is_true(bot, PEOPLE, (CHANNEL,))
    await sandbox.press(APPROVER, "Approve", message=card)
    outcome = copy.deepcopy(
        await sandbox.wait_for(lambda: (m := sandbox.find(ASKER, "Permit")) and m.ts != receipt.ts and m)
    )
    line = await sandbox.wait_for(lambda: next((m for m in sandbox.messages(CHANNEL) if ", until" in m.shown), None))
    await screen_is_true(bot, PEOPLE, (CHANNEL,))
    revocable = await sandbox.wait_for(lambda: sandbox.find(APPROVER, "Revoke"))
    await sandbox.press(APPROVER, "Revoke", message=revocable)
    await sandbox.wait_for(lambda: "Stop work" in sandbox.current(outcome).shown)
    await screen_is_true(bot, PEOPLE, (CHANNEL,))
    last = [m for m in sandbox.messages(ASKER) if not m.thread_ts and not m.ephemeral][-1]
    assert "REVOKED" in last.shown.splitlines()[1]  # the end is said last, at top level
    for seen, lie in (
        (outcome, "says that access is open"),  # 1: the runbook's message outlives the revoke, with its buttons
        (card, "offers Approve"),  # 2: a decided card still decides
        (receipt, "offers Withdraw"),  # 3: a receipt still withdraws
        (line, "says that access is open"),  # 4: the channel's line outlives it
        (revocable, "offers Revoke"),  # 5: what is over is revoked once more
    ):
        back = put_back(sandbox, seen)
        assert any(lie in one for one in found()), (lie, found())
        back()
        assert found() == []


def test_a_reminder_of_what_is_decided_is_a_lie() -> None:
    said = {
        "<@U0OWNER> R-00000001 · Emergency still waits for your answer. Without": {"requests": {"R-00000001": "approved"}},
        "<@U0OWNER> R-00000001 · Emergency: nobody has decided, and it": {"requests": {"R-00000001": "expired"}},
        "<@U0OWNER> R-00000001 · Emergency: the review still waits for your answer.": {"open_asks": set()},
    }
    for shown, over in said.items():
        told = Truth({"R-00000001": "pending"}, set(), {("R-00000001", 2)}, set(), set(), set(), set(), set())
        screen = showing(shown)
        assert lies(screen, told, [APPROVER]) == []
        assert lies(screen, Truth(**{**told.__dict__, **over}), [APPROVER])


def test_a_message_that_the_bot_cannot_know_of_is_excused_in_a_channel_only() -> None:
    told = Truth({"R-00000001": "approved"}, set(), set(), set(), set(), set(), set(), set(), set(), ((90.0, 110.0),))
    said = "R-00000001 · Emergency: approved by <@U0OWNER>, until <!date^1^x|x>"
    assert lies(showing(said, "100.0", CHANNEL), told, [], [CHANNEL]) == []
    assert lies(showing(said, "100.0", "D0OWNER"), told, [APPROVER])
    assert lies(showing(said, "120.0", CHANNEL), told, [], [CHANNEL])


def showing(shown: str, ts: str = "1.0", channel: str = "D0OWNER") -> Any:
    """A screen with one message and no Home."""

    class Screen:
        def messages(self, where: str) -> list[Any]:
            return [type("M", (), {"ts": ts, "ephemeral": False, "shown": shown, "blocks": [], "channel": channel})()]

        def home(self, where: str) -> None:
            return None

    return Screen()


def test_a_yes_that_cannot_count_is_a_lie() -> None:
    """Before the attestation, and for everybody who gave theirs."""
    nobody = Truth({"R-00000001": "pending"}, set(), {("R-00000001", 1)}, set(), set(), set(), set(), set())
    card = {"type": "actions", "block_id": "decide", "elements": [
        {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}, "value": "R-00000001:1"}
    ]}  # fmt: skip

    class Screen:
        def messages(self, where: str) -> list[Any]:
            return [
                type("M", (), {"ts": "1", "ephemeral": False, "shown": "R-00000001", "blocks": [card], "channel": "D1"})()
            ]

        def home(self, where: str) -> None:
            return None

    def judged(**changed: Any) -> list[str]:
        return lies(Screen(), Truth(**{**nobody.__dict__, **changed}), [APPROVER])

    assert judged() == []
    assert judged(unverified={"R-00000001"})
    assert judged(yes={("R-00000001", 1, APPROVER)})
    assert judged(open_asks=set())
