"""Messages that were lost, or counted as sent, elsewhere. Each test is named after the fault that somebody shipped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.case.lifecycle import RequestState
from bot.domain.case.transition import Lane, Notification
from tests.bot import parts
from tests.bot.building import DEP1, DEP2, HOUR, MINUTE, ONC1, OWNER, PE1, RISK, STRANGER, with_domain
from tests.bot.office import Office, covered
from tests.handlers.fake_slack import BROKEN, LOST, FakeSlack, limited, refusal
from tests.handlers.outbound.test_outbox_sender import POST, Post


@pytest.fixture
async def post(office: Office) -> AsyncIterator[Post]:
    async with FakeSlack() as slack:
        yield Post(office, slack, parts.sender(office, slack.client(), covered))


def steps(office: Office, case_id: str) -> list[Any]:
    return [to for _, what, to in office.steps(case_id) if "notify" in what]


async def test_a_message_to_a_deactivated_user_succeeded(post: Post) -> None:
    case_id = await post.office.file(PE1)
    post.office.directory.gone.add(OWNER)  # Slack would take it without a word
    await post.messenger.drain()
    assert post.to(OWNER) == []
    assert steps(post.office, case_id) == [{OWNER}, {DEP1, DEP2}]


async def test_channel_not_found_counted_as_sent(post: Post) -> None:
    post.slack.always["C0DIRECTORY"] = refusal("channel_not_found")
    await post.say(Notification("watchdog", Lane.URGENT, channel="C0DIRECTORY", data={"since": 0, "troubles": ["late"]}))
    await post.messenger.drain()
    assert post.outbox() == [("watchdog", "channel_not_found", True)]


@pytest.mark.parametrize("failure", [BROKEN, LOST, refusal("internal_error")])
async def test_one_failure_was_never_retried(post: Post, failure: Any) -> None:
    post.slack.always["U0OWNER"] = failure
    await post.office.file(PE1)
    await post.messenger.drain()
    assert post.waiting() == ["card"]
    del post.slack.always["U0OWNER"]
    post.office.sleep(MINUTE)
    await post.messenger.drain()
    assert (post.waiting(), len(post.to(OWNER))) == ([], 2)


async def test_a_crash_between_commit_and_send_lost_the_message(post: Post) -> None:
    await post.office.take_in(post.office.form(PE1))
    (row,) = await post.office.store.inbox.unfinished(1)
    await post.office.service.carry_out(row)
    await post.office.restart()  # killed before anything was said
    again = parts.sender(post.office, post.slack.client(), covered)
    await again.drain()
    assert [len(post.to(person)) for person in (OWNER, PE1)] == [1, 1]


async def test_a_rate_limit_of_one_place_delayed_every_other_and_was_itself_announced(post: Post) -> None:
    post.slack.always["U0OWNER"] = limited(3600)
    await post.office.file(PE1)
    async with post.running():
        await post.slack.until(lambda: post.to(OWNER) and post.to(PE1))
        await post.say(Notification("watchdog", Lane.EDIT, channel="C0DIRECTORY", data={"since": 0, "troubles": ["late"]}))
        post.office.service.current.spoke.set()
        await post.slack.until(lambda: post.to("C0DIRECTORY"))
    assert len(post.to(OWNER)) == 1  # waits for the whole hour that Slack asks for, and nobody is written to about it
    assert sorted(c.args["channel"] for c in post.slack.of(POST)) == ["C0DIRECTORY", "U0OWNER", "U0PE1", "U0PLEAD"]


async def test_invalid_blocks_on_a_long_reason(post: Post) -> None:
    await post.office.file(PE1, reason="<!channel> *x* `y` &<>" * 45, target="t" * 200)
    await post.messenger.drain()
    for call in (*post.to(OWNER), *post.to(PE1)):
        sections = [b["text"]["text"] for b in call.blocks if b["type"] == "section" and "text" in b]
        assert all(0 < len(text) <= 3000 for text in sections)
        assert len(json.dumps(call.blocks)) < 13_000
        assert 0 < len(call.args["text"]) <= 3900
        assert "<!channel>" not in json.dumps(call.args)


async def test_a_card_that_slack_cannot_draw_reaches_the_next_people(post: Post) -> None:
    post.slack.always["U0OWNER"] = refusal("invalid_blocks")
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    assert steps(post.office, case_id) == [{OWNER}, {DEP1, DEP2}]


async def test_an_approver_who_left_crashed_the_request(post: Post) -> None:
    office = post.office
    case_id = await office.file(PE1)
    await post.messenger.drain()
    office.directory.gone.add(OWNER)
    await office.adopt(with_domain(office.policy, owner=STRANGER))  # and somebody else has taken over
    await office.click(OWNER, case_id)
    assert office.log(case_id)[-1]["data"]["why"] == "unauthorised"
    await office.forward(5 * MINUTE)
    await office.click(DEP1, case_id)
    assert await office.state(case_id) is RequestState.APPROVED
    await post.messenger.drain()
    assert post.waiting() == []


async def test_submitted_was_shown_although_nobody_could_approve(post: Post) -> None:
    office = post.office
    office.directory.gone = {OWNER, DEP1, DEP2, ONC1, RISK}
    await office.file(PE1)
    await post.messenger.drain()
    (receipt,) = post.to(PE1)
    assert "Nobody could be asked yet." in json.dumps(receipt.blocks)
    assert "Nobody could be asked yet." in receipt.args["text"]


@pytest.mark.parametrize("outcome", ["approved", "denied", "expired"])
async def test_the_requester_never_learned_the_outcome(post: Post, outcome: str) -> None:
    office = post.office
    case_id = await office.file(PE1)
    await post.messenger.drain()
    if outcome == "expired":
        await office.forward(HOUR)
    else:
        await office.click(OWNER, case_id, "approve" if outcome == "approved" else "deny")
    post.slack.calls.clear()
    await post.messenger.drain()
    assert [c for c in post.to(PE1) if "<@U0PE1>" in c.args["text"] and outcome in c.args["text"].lower()]


async def test_the_requester_never_learned_it_because_the_first_try_failed(post: Post) -> None:
    case_id = await post.office.file(PE1)
    await post.messenger.drain()
    await post.office.click(OWNER, case_id, "deny")
    post.slack.calls.clear()
    post.slack.always["DU0PE1"] = BROKEN
    await post.messenger.drain()
    del post.slack.always["DU0PE1"]
    for _ in range(3):
        post.office.sleep(MINUTE)
        await post.messenger.drain()
    assert [c for c in post.to(PE1) if "Denied" in c.args["text"] and c.method == POST]
    assert post.waiting() == []
