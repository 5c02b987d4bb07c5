"""How others lost messages, and we do not. Each test is named after the fault that somebody shipped (field-lessons)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.case.lifecycle import RequestState
from tests.bot import parts
from tests.bot.building import DEP1, DEP2, HOUR, MINUTE, ONC1, ONC2, OWNER, PE1, PE2, RISK
from tests.bot.office import LEASE, Office, covered
from tests.handlers.fake_slack import BROKEN, FakeSlack, limited, refusal
from tests.handlers.outbound.test_outbox_sender import POST, Post

pytestmark = pytest.mark.both

EVERYBODY = {OWNER, DEP1, DEP2, ONC1, ONC2, RISK}


@pytest.fixture
async def post(office: Office) -> AsyncIterator[Post]:
    async with FakeSlack() as slack:
        yield Post(office, slack, parts.sender(office, slack.client(), covered))


async def test_a_message_to_a_deactivated_user_succeeded(post: Post) -> None:
    case_id = await post.office.file(PE1)
    post.office.directory.gone.add(OWNER)
    await post.messenger.drain()
    assert post.to(OWNER) == []
    await post.office.forward(46 * MINUTE)
    assert post.office.log(case_id)[-1]["data"]["delivered"] == 2  # the deputies', who were asked in the owner's place


async def test_channel_not_found_counted_as_sent(post: Post) -> None:
    post.slack.always["C0DIRECTORY"] = refusal("channel_not_found")
    case_id = await post.office.file(PE1)
    await post.office.click(OWNER, case_id)
    await post.messenger.drain()
    lost = {"purpose": "announce", "channel": "C0DIRECTORY", "error": "channel_not_found", "case": case_id}
    assert post.entries("delivery.failed") == [lost]
    assert "C0DIRECTORY" not in json.dumps(post.entries("delivery.sent"), default=str)


async def test_one_failure_was_never_retried(post: Post) -> None:
    post.slack.always["U0OWNER"] = BROKEN
    await post.office.file(PE1)
    await post.messenger.drain()
    del post.slack.always["U0OWNER"]
    post.office.sleep(timedelta(seconds=5))
    await post.messenger.drain()
    assert len(post.to(OWNER)) == 2


async def test_a_crash_between_commit_and_send_lost_the_message(post: Post) -> None:
    office = post.office
    await office.file(PE1)
    now = office.clock.now()
    assert await office.store.outbox.lease(now, now + LEASE, 50)  # taken to be said, by a process that died
    await office.restart()
    office.sleep(LEASE)
    await parts.sender(office, post.slack.client(), covered).drain()
    assert (len(post.to(OWNER)), len(post.to(PE1))) == (1, 1)


async def test_rate_limit_notices_were_themselves_rate_limited_and_delayed_every_team(post: Post) -> None:
    post.slack.always["U0OWNER"] = limited(30)
    await post.office.file(PE1)
    await post.messenger.drain()
    assert len(post.to(PE1)) == 1  # nobody else waits
    assert not post.slack.said("rate")  # and nobody reads of it in Slack


async def test_invalid_blocks_on_a_long_reason(post: Post) -> None:
    await post.office.file(PE1, reason="&<>" * 333)
    await post.messenger.drain()
    (card,) = post.to(OWNER)
    texts = [b["text"]["text"] for b in card.blocks if b["type"] == "section" and "text" in b]
    assert max(len(text) for text in texts) <= 3000
    assert len(card.args["text"]) <= 3900


async def test_an_approver_who_left_crashed_the_request(post: Post) -> None:
    office = post.office
    case_id = await office.file(PE1, "pair")
    await office.click(OWNER, case_id)
    office.directory.gone.add(OWNER)
    await office.forward(5 * MINUTE)
    await office.click(DEP1, case_id)
    await post.messenger.drain()
    assert await office.state(case_id) is RequestState.APPROVED


async def test_submitted_was_shown_although_nobody_could_approve(post: Post) -> None:
    post.office.directory.gone |= EVERYBODY
    await post.office.file(PE1)
    await post.messenger.drain()
    (receipt,) = post.to(PE1)
    assert "Nobody could be asked yet" in receipt.args["text"]
    assert all("could not be asked (deactivated)" in c.args["text"] for c in post.to("C0DIRECTORY"))
    assert len(post.to("C0DIRECTORY")) == 4


@pytest.mark.parametrize("how", ["approve", "deny", "expiry", "withdrawal"])
async def test_the_requester_never_learned_the_outcome(post: Post, how: str) -> None:
    office = post.office
    case_id = await office.file(PE2)
    await post.messenger.drain()
    before = len(post.slack.of(POST))
    if how == "expiry":
        await office.forward(HOUR)
    else:
        await office.click(PE2 if how == "withdrawal" else OWNER, case_id, "withdraw" if how == "withdrawal" else how)  # type: ignore[arg-type]
    await post.messenger.drain()
    word = {"approve": "Approved", "deny": "Denied", "expiry": "Expired", "withdrawal": "Withdrawn"}[how]
    told = [c for c in post.slack.of(POST)[before:] if c.args["channel"] in (PE2.user, f"D{PE2.user}")]
    assert any(word in c.args["text"] for c in told), [c.args["text"] for c in told]
