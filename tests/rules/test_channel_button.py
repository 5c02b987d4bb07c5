"""A channel has one button: posted again it moves, and no earlier message keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports.commands import PostButton, ReplyAddress
from tests.bot import parts
from tests.bot.building import OWNER
from tests.bot.office import HandDirectory, Office
from tests.handlers.fake_slack import FakeSlack

CHANNEL, OTHER = "C0NORTHGATE", "C0KEYHOLD"


@dataclass
class Members(HandDirectory):
    """Each channel holds the owner alone."""

    async def members(self, channel: str) -> Sequence[str]:
        return [OWNER.user]


async def test_posted_again_the_button_moves_and_other_channels_keep_theirs(office: Office) -> None:
    office.directory = Members()
    office.put_together()
    async with FakeSlack() as slack:
        sender = parts.sender(office, slack.client())
        for channel in (CHANNEL, OTHER, CHANNEL, CHANNEL):
            await office.take_in(PostButton(OWNER, channel, ReplyAddress(OWNER, channel=channel)))
            await office.worker.drain()
            await sender.drain()
        posts = [call.args["channel"] for call in slack.of("chat.postMessage") if "Ask for approval" in call.buttons]
        edits = [(call.args["channel"], call.args["ts"], call.buttons) for call in slack.of("chat.update")]
    assert posts == [CHANNEL, OTHER, CHANNEL, CHANNEL]
    assert [(channel, buttons) for channel, _, buttons in edits] == [(CHANNEL, []), (CHANNEL, [])]
    assert len({ts for _, ts, _ in edits}) == 2
