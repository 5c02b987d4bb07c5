"""A direct message that Slack took and whose answer never came is found again: not posted twice, and redrawn like any other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.case.transition import Lane, Notification, Transition
from bot.domain.policy.people import Person
from bot.ports.records import OutboxRow
from handlers.outbound.lost_posts import marked
from handlers.outbound.outbox_sender import OutboxSender
from tests.bot import parts
from tests.bot.building import DEP1, OWNER, PE1, PE2
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import BROKEN, LOST, FakeSlack, Reply, limited, refusal

POST, UPDATE, READ, REPLIES = "chat.postMessage", "chat.update", "conversations.history", "conversations.replies"
SECOND = timedelta(seconds=1)


class Posts:
    """The real sender between a real store and a fake Slack; the owner's conversation is known from an earlier card."""

    def __init__(self, office: Office, slack: FakeSlack) -> None:
        self.office, self.slack = office, slack
        self.sender = self.restarted()

    def restarted(self) -> OutboxSender:
        return parts.sender(self.office, self.slack.client(), covered)

    def to(self, person: Person) -> list[Any]:
        return [call for call in self.slack.of(POST) if call.args["channel"] == person.user]

    def found(self, *calls: Any) -> None:
        """Slack shows the messages of these calls."""
        shown = [{"ts": f"9{n}.0", "user": "U0BOT", "metadata": call.args["metadata"]} for n, call in enumerate(calls)]
        self.slack.script[READ].append(Reply(200, {"ok": True, "messages": shown}))

    async def copies(self, case_id: str, purpose: str) -> list[tuple[str, str]]:
        kept = await self.office.store.outbox.copies(case_id)
        return [(c.channel, c.ts) for c in kept if c.purpose == purpose]

    async def on(self, seconds: int = 1) -> None:
        self.office.sleep(timedelta(seconds=seconds))
        await self.sender.drain()


@pytest.fixture
async def posts(office: Office) -> AsyncIterator[Posts]:
    async with FakeSlack() as slack:
        made = Posts(office, slack)
        await office.file(PE1, target="first")
        await made.sender.drain()
        slack.calls.clear()
        yield made


async def leased(posts: Posts) -> tuple[str, OutboxRow]:
    """A new request, and its card as a process that died since had it in hand."""
    case_id = await posts.office.file(PE1, target="second")
    now = posts.office.clock.now()
    taken = await posts.office.store.outbox.lease(now, now + timedelta(seconds=120), 100)
    (card,) = [row for row in taken if row.say.purpose == "card"]
    await posts.office.store.free_leases()
    return case_id, card


async def test_a_card_whose_answer_was_lost_is_not_posted_twice_and_loses_its_buttons(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = LOST
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    (card,) = posts.to(OWNER)
    posts.found(card)
    await posts.on()
    assert len(posts.to(OWNER)) == 1
    assert posts.slack.of(READ)[0].args["channel"] == "DU0OWNER"
    assert await posts.copies(case_id, "card") == [("DU0OWNER", "90.0")]
    await posts.office.click(OWNER, case_id)
    await posts.sender.drain()
    redrawn = [c for c in posts.slack.of(UPDATE) if c.args["ts"] == "90.0"]
    assert "Approve" not in redrawn[-1].buttons


async def test_what_a_killed_process_had_in_hand_is_looked_for_before_it_is_posted(posts: Posts) -> None:
    case_id, card = await leased(posts)
    posts.slack.script[READ] += [Reply(200, {"ok": True, "messages": [
        {"ts": "70.0", "user": "U0BOT", "metadata": {"event_type": "countersign_message", "event_payload": {"mark": card.mark}}}
    ]})] * 9  # fmt: skip
    posts.sender = posts.restarted()
    await posts.sender.drain()
    assert posts.to(OWNER) == []
    assert await posts.copies(case_id, "card") == [("DU0OWNER", "70.0")]
    assert len(posts.to(PE1)) == 1  # the receipt was not there


async def test_where_the_conversation_was_unknown_both_messages_are_kept_and_redrawn(posts: Posts) -> None:
    posts.slack.always["U0PE2"] = LOST
    case_id = await posts.office.file(PE2, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    posts.found(*posts.to(PE2))
    await posts.on()
    assert len(posts.to(PE2)) == 2
    kept = await posts.copies(case_id, "receipt")
    assert len(kept) == 2
    assert ("DU0PE2", "90.0") in kept
    await posts.office.click(OWNER, case_id)
    await posts.sender.drain()
    assert "90.0" in {c.args["ts"] for c in posts.slack.of(UPDATE)}


async def test_a_card_that_is_pointless_before_it_is_sent_again_is_found_and_loses_its_buttons(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = LOST
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    posts.found(*posts.to(OWNER))
    await posts.office.click(OWNER, case_id)
    await posts.on()
    assert len(posts.to(OWNER)) == 1
    assert await posts.copies(case_id, "card") == [("DU0OWNER", "90.0")]
    (redrawn,) = [c for c in posts.slack.of(UPDATE) if c.args["ts"] == "90.0"]
    assert "Approve" not in redrawn.buttons


async def test_one_that_is_nowhere_to_be_found_is_dropped(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = BROKEN
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    await posts.office.click(OWNER, case_id)
    await posts.on()
    assert len(posts.to(OWNER)) == 1
    assert await posts.copies(case_id, "card") == []


async def test_the_first_card_of_all_to_somebody_is_found_once_their_conversation_is_known(posts: Posts) -> None:
    posts.slack.always["U0DEP1"] = LOST
    case_id = await posts.office.file(PE1, target="second")
    await posts.office.click(OWNER, case_id, "pass")
    await posts.sender.drain()
    lost = [call for call in posts.to(DEP1) if "second" in json.dumps(call.blocks)]
    posts.slack.always.clear()
    for _ in range(4):
        posts.found(*lost)
    await posts.office.click(OWNER, case_id)
    await posts.on()
    kept = await posts.copies(case_id, "card")
    assert ("DU0DEP1", "90.0") in kept
    again = [call for call in posts.to(DEP1) if "second" in json.dumps(call.blocks)][len(lost) :]
    assert all("Approve" not in call.buttons for call in again)
    assert any(c.args["ts"] == "90.0" and "Approve" not in c.buttons for c in posts.slack.of(UPDATE))


async def test_a_message_that_was_lost_twice_is_kept_twice(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = LOST
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.script[READ].append(Reply(200, {"ok": True, "messages": []}))  # Slack shows it a moment later
    await posts.on()
    posts.slack.always.clear()
    posts.found(*posts.to(OWNER))
    await posts.on(2)
    assert len(posts.to(OWNER)) == 2
    assert sorted(await posts.copies(case_id, "card")) == [("DU0OWNER", "90.0"), ("DU0OWNER", "91.0")]


async def test_a_reply_is_looked_for_in_its_thread(posts: Posts) -> None:
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    (card,) = await posts.copies(case_id, "card")
    posts.slack.script[POST].append(LOST)
    says = (Notification("reminder", Lane.REMINDER, case_id, to=OWNER),)
    await posts.office.store.commit(Transition(None, None, says=says))
    await posts.sender.drain()
    await posts.on()
    assert [(c.args["channel"], c.args["ts"]) for c in posts.slack.of(REPLIES)][:1] == [card]


@pytest.mark.parametrize("trouble", [refusal("missing_scope"), refusal("unknown_method"), limited(30), Reply(404, "no")])
async def test_a_look_that_fails_is_no_reason_not_to_send(posts: Posts, trouble: Reply) -> None:
    posts.slack.always["U0OWNER"] = LOST
    await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    posts.slack.script[READ].append(trouble)
    await posts.on()
    assert len(posts.to(OWNER)) == 2


@pytest.mark.parametrize("trouble", [BROKEN, LOST, limited(1)])
async def test_a_look_without_an_answer_is_made_again_before_anything_is_posted(posts: Posts, trouble: Reply) -> None:
    posts.slack.always["U0OWNER"] = LOST
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    posts.slack.script[READ].append(trouble)
    posts.found(*posts.to(OWNER))
    await posts.on()
    assert len(posts.to(OWNER)) == 1
    await posts.on(2)
    assert len(posts.to(OWNER)) == 1
    assert await posts.copies(case_id, "card") == [("DU0OWNER", "90.0")]


async def test_a_message_waits_for_no_look_that_never_succeeds(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = LOST
    await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    posts.slack.script[READ].extend([BROKEN] * 20)
    for _ in range(8):
        await posts.on()
    assert len(posts.to(OWNER)) == 2


async def test_a_limit_on_reading_is_waited_out(posts: Posts) -> None:
    for target in ("second", "third"):
        posts.slack.always["U0OWNER"] = LOST
        await posts.office.file(PE1, target=target)
        await posts.sender.drain()
        posts.slack.always.clear()
        posts.slack.script[READ].append(limited(30))
        await posts.on()
    assert len(posts.slack.of(READ)) == 1


async def test_a_row_in_doubt_stays_so_while_it_only_waits(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = LOST
    await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always["U0OWNER"] = limited(1)
    await posts.on()
    posts.slack.always.clear()
    await posts.on(2)
    assert len(posts.slack.of(READ)) == 2


async def test_nothing_is_read_where_nothing_is_in_doubt(posts: Posts) -> None:
    posts.slack.always["U0OWNER"] = limited(1)
    await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    posts.slack.always.clear()
    await posts.on(2)
    assert len(posts.to(OWNER)) == 2
    assert posts.slack.of(READ) == []


def test_a_reader_cannot_make_a_message_of_theirs_pass_for_ours() -> None:
    def one(user: str, mark: object) -> dict[str, Any]:
        return {"ts": "1.0", "user": user, "metadata": {"event_type": "x", "event_payload": {"mark": mark}}}

    assert list(marked([one("U0BOT", "7-1")], "7-1", OWNER)) == ["1.0"]
    assert list(marked([one(OWNER.user, "7-1"), one("U0BOT", "7-2"), {"ts": "1.0"}], "7-1", OWNER)) == []


async def test_whose_lease_ran_out_while_it_was_about_to_send_leaves_it_to_the_leader(posts: Posts) -> None:
    leads = [False]
    posts.sender = parts.sender(posts.office, posts.slack.client(), covered, may_call=lambda: leads[0])
    case_id = await posts.office.file(PE1, target="second")
    await posts.sender.drain()
    assert posts.slack.calls == []
    leads[0] = True
    await posts.on()
    assert len(posts.to(OWNER)) == 1
    assert len(await posts.copies(case_id, "card")) == 1


async def test_what_was_said_by_a_replica_that_led_before_is_kept_and_redrawn(posts: Posts) -> None:
    case_id, card = await leased(posts)
    await posts.sender.drain()
    await posts.office.click(OWNER, case_id)
    await posts.sender.drain()
    await posts.office.store.outbox.said_late(card, "DU0OWNER", "70.0", False)  # it drew the card before the yes
    own, late = await posts.office.store.outbox.copies(case_id), len(posts.slack.of(UPDATE))
    await posts.on()
    assert "70.0" in {c.args["ts"] for c in posts.slack.of(UPDATE)[late:]}
    late = len(posts.slack.of(UPDATE))
    (redrawn,) = [copy for copy in own if copy.purpose == "card" and copy.ts != "70.0"]
    await posts.office.store.outbox.said_late(replace(card, copy=redrawn), redrawn.channel, redrawn.ts, False)
    await posts.on()
    assert {c.args["ts"] for c in posts.slack.of(UPDATE)[late:]} == {redrawn.ts}
