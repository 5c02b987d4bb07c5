"""How many messages a request costs: counted for each kind, from the filing to its end, over a Slack of our own.

A normal approved request costs the requester three (receipt, outcome with the body, end), its owner one card and the channel
one line; everything else is an edit. Edits go by a method of their own, so that no message that is to be posted holds them up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.case.transition import Lane, Notification
from bot.ports.records import OutboxRow
from handlers.outbound.rate_lanes import Lanes, Spot
from tests.bot import parts
from tests.bot.building import HOUR, OWNER, PE1, T0
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import FakeSlack

POST = "chat.postMessage"


class Counted:
    """An office whose messages reach a Slack of ours."""

    def __init__(self, office: Office, slack: FakeSlack) -> None:
        self.office, self.slack = office, slack
        self.sender = parts.sender(office, slack.client(), covered)

    async def posted(self) -> dict[str, int]:
        """How many messages each conversation got so far."""
        await self.sender.drain()
        found: dict[str, int] = {}
        for call in self.slack.calls:
            if call.method == POST:
                found[call.args["channel"]] = found.get(call.args["channel"], 0) + 1
        return found


@pytest.fixture
async def counted(office: Office) -> AsyncIterator[Counted]:
    async with FakeSlack() as slack:
        yield Counted(office, slack)


@pytest.mark.parametrize("end", ["finish", "unused", "revoke"])
async def test_a_normal_approved_request_costs_three_one_and_one(counted: Counted, end: str) -> None:
    case = await counted.office.file(PE1, "ticketed", fields={"ticket": "INC7"})
    await counted.posted()
    await counted.office.click(OWNER, case)
    await counted.posted()
    await counted.office.click(OWNER if end == "revoke" else PE1, case, end)
    posted = await counted.posted()
    assert (posted["U0PE1"], posted["U0OWNER"], posted["C0DIRECTORY"]) == (3, 1, 1)


async def test_the_end_by_the_clock_costs_the_warning_and_no_more(counted: Counted) -> None:
    case = await counted.office.file(PE1, "ticketed", fields={"ticket": "INC7"})
    await counted.posted()
    await counted.office.click(OWNER, case)
    await counted.posted()
    await counted.office.forward(2 * HOUR)
    posted = await counted.posted()
    assert (posted["U0PE1"], posted["U0OWNER"], posted["C0DIRECTORY"]) == (3, 1, 1)


@pytest.mark.parametrize("end", ["deny", "withdraw", "expire"])
async def test_what_nothing_opened_costs_the_requester_two(counted: Counted, end: str) -> None:
    case = await counted.office.file(PE1, "ticketed", fields={"ticket": "INC7"})
    await counted.posted()
    if end == "expire":
        await counted.office.forward(HOUR)
    else:
        await counted.office.click(OWNER if end == "deny" else PE1, case, end)
    posted = await counted.posted()
    assert (posted["U0PE1"], posted["C0DIRECTORY"]) == (2, 1)


async def test_an_edit_does_not_wait_behind_a_message_that_is_to_be_posted() -> None:
    lanes = Lanes({POST: 1.0})
    post, edit = (
        OutboxRow(number, Notification(purpose, lane, "R-1", to=OWNER), 0, T0 + timedelta(seconds=number))
        for number, purpose, lane in ((1, "card", Lane.URGENT), (2, "card", Lane.EDIT))
    )
    lanes.offer(post, Spot(POST, "D1"), 0.0)
    assert lanes.take(0.0) is not None  # on its way, and slow
    lanes.offer(edit, Spot("chat.update", "D1"), 0.0)
    taken = lanes.take(0.0)
    assert taken is not None
    assert taken[0] is edit
