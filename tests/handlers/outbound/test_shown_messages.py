"""A redraw that changes nothing calls nobody; one whose message may show something else is never left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.case.lifecycle import AskState
from bot.domain.case.model import Case
from bot.domain.case.transition import Lane, Notification
from bot.ports.commands import Press, ReplyAddress
from bot.ports.records import MessageCopy, OutboxRow, SignedCheckpoint
from handlers.outbound.api_calls import MessagePlace
from handlers.outbound.message_kinds import MessageEdit
from handlers.outbound.shown_messages import LASTS, ShownMessages, digest
from handlers.views.kit.blocks import Message, actions, button, message, section
from tests.bot import parts
from tests.bot.building import OWNER, PE1, T0
from tests.bot.office import HandClock, Office
from tests.handlers.fake_slack import BROKEN, LOST, FakeSlack, Reply, limited
from tests.handlers.outbound.test_outbox_sender import UPDATE, Post


class Growing:
    """A log that grows: each checkpoint covers more entries than the last."""

    def __init__(self) -> None:
        self.size = 7

    async def __call__(self) -> SignedCheckpoint:
        self.size += 1
        return SignedCheckpoint(self.size, self.size.to_bytes(32, "big"), "a note\n")


@pytest.fixture
async def post(office: Office) -> AsyncIterator[Post]:
    async with FakeSlack() as slack:
        yield Post(office, slack, parts.sender(office, slack.client(), Growing()))


@pytest.fixture
async def case(post: Post) -> str:
    """A pending request all of whose messages show what is."""
    case = await post.office.file(PE1)
    await post.messenger.drain()
    await redraw(post, case)
    return case


async def redraw(post: Post, case: str) -> int:
    """Asks for a redraw of every message about a request; how many edits Slack got by it."""
    copies, before = await post.office.store.outbox.copies(case), len(post.slack.of(UPDATE))
    await post.office.store.policies.redraw([copy.id for copy in copies])
    await post.messenger.drain()
    assert post.waiting() == []
    return len(post.slack.of(UPDATE)) - before


async def messages(post: Post, case: str) -> int:
    return len(await post.office.store.outbox.copies(case))


async def test_a_redraw_of_what_already_stands_there_is_no_call_and_is_over(post: Post, case: str) -> None:
    assert await redraw(post, case) == 0


async def test_a_new_message_counts_as_shown(post: Post) -> None:
    case = await post.office.file(PE1)
    await post.messenger.drain()
    assert await redraw(post, case) < await messages(post, case)


async def test_what_changed_is_redrawn(post: Post, case: str) -> None:
    known, before = await messages(post, case), len(post.slack.of(UPDATE))
    await post.office.click(OWNER, case)
    await post.messenger.drain()
    assert len({call.args["ts"] for call in post.slack.of(UPDATE)[before:]}) == known


async def test_a_decided_message_is_not_sent_again_for_a_younger_checkpoint(post: Post, case: str) -> None:
    await post.office.click(OWNER, case)
    await post.messenger.drain()
    await redraw(post, case)
    assert "Decision log: " in str(post.slack.of(UPDATE)[-1].blocks)
    assert await redraw(post, case) == 0


@pytest.mark.parametrize("trouble", [LOST, BROKEN, limited(1)])
async def test_after_a_call_without_a_certain_outcome_it_is_sent_again(post: Post, case: str, trouble: Reply) -> None:
    post.slack.script[UPDATE].append(trouble)
    await post.office.click(OWNER, case)
    before = len(post.slack.of(UPDATE))
    await post.messenger.drain()
    tried = post.slack.of(UPDATE)[before].args["ts"]
    post.office.sleep(timedelta(seconds=5))
    await post.messenger.drain()
    assert [call.args["ts"] for call in post.slack.of(UPDATE)[before:]].count(tried) == 2
    assert post.waiting() == []


async def test_another_process_sends_everything_again(post: Post, case: str) -> None:
    """After a restart, a change of leader or a restored database."""
    post.messenger = parts.sender(post.office, post.slack.client(), Growing())
    assert await redraw(post, case) == await messages(post, case)


async def test_after_ten_minutes_it_is_sent_again(post: Post, case: str) -> None:
    """Somebody else with our token may have edited it."""
    post.office.sleep(timedelta(seconds=LASTS - 1))
    assert await redraw(post, case) == 0
    post.office.sleep(timedelta(seconds=2))
    assert await redraw(post, case) == await messages(post, case)


async def test_an_answer_never_replaces_the_message_that_was_clicked(post: Post, case: str) -> None:
    """Else a `response_url` would change a message behind the memory."""
    hook = post.slack.hook("a")
    await post.office.together(Press(PE1, case, 1, "approve", ReplyAddress(PE1, hook, "DU0PE1")))
    await post.messenger.drain()
    assert [call.args["replace_original"] for call in post.slack.of("hook/a")] == [False]


SAID = message("R-00000001 · Emergency", [section("R-00000001 · Emergency")])
OFFERS = message("R-00000001 · Emergency", [actions("decide", button("Approve", "approve", "R-00000001:1"))])
PLACE = MessagePlace("D1", "1.0")
ROW = OutboxRow(
    1, Notification("card", Lane.EDIT, to=OWNER), 0, T0, MessageCopy(1, "R-00000001", "card", OWNER, "D1", "1.0", 1)
)


def edit(said: Message = SAID, decision: bool = False) -> MessageEdit:
    return MessageEdit("D1", "1.0", said, digest=digest(said, decision))


def test_until_the_answer_is_there_it_shows_nothing_known() -> None:
    shown = ShownMessages(HandClock())
    shown.sent(PLACE, edit(), None)
    assert shown.unchanged(edit(), False)
    assert not shown.unchanged(edit(OFFERS), False)
    assert not shown.unchanged(edit(), True)  # the checkpoint is missing
    shown.sending(edit(OFFERS))
    assert not shown.unchanged(edit(), False)
    assert not shown.unchanged(edit(OFFERS), False)


def test_what_was_said_without_a_checkpoint_is_not_known() -> None:
    """While the log is stopped; afterwards the message must lose the line that says so."""
    shown = ShownMessages(HandClock())
    shown.sent(PLACE, replace(edit(), digest=""), None)
    assert not shown.unchanged(edit(), False)


async def test_only_a_message_that_offers_nothing_of_a_case_that_is_over_may_wait(office: Office) -> None:
    shown, case = ShownMessages(HandClock()), await office.case(await office.file(PE1))

    def waits(said: Message, case: Case | None) -> bool:
        shown.sent(PLACE, edit(said), case)
        return shown.is_settled(ROW)

    over = case.with_ask(replace(case.approval, state=AskState.NO))
    assert waits(SAID, over)
    assert not waits(OFFERS, over)
    assert not waits(SAID, case)
    assert not waits(SAID, None)
    await office.click(OWNER, case.id)
    assert not waits(SAID, await office.case(case.id))  # access is open
    assert not shown.is_settled(replace(ROW, copy=None))
    shown.sending(edit())
    assert not shown.is_settled(ROW)
