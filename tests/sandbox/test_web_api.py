"""The Web API answers, and refuses, as Slack does."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox


def client_of(sandbox: Sandbox, token: str = "") -> AsyncWebClient:
    """The official client, pointed at the sandbox."""
    return AsyncWebClient(token=token or sandbox.bot_token, base_url=sandbox.api_url)


async def refusal(call: Any) -> dict[str, Any]:
    """The body of a refused call."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return dict(refused.value.response.data)


BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]


async def test_all_four_request_encodings_mean_the_same(sandbox: Sandbox) -> None:
    url = f"{sandbox.api_url}chat.postMessage"
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    flat = {"channel": "C0GENERAL", "text": "x", "blocks": json.dumps(BLOCKS)}
    async with aiohttp.ClientSession() as session:
        answers = [
            await (await session.get(url, params=flat, headers=headers)).json(),
            await (await session.post(url, params=flat, headers=headers)).json(),
            await (await session.post(url, json={**flat, "blocks": BLOCKS}, headers=headers)).json(),
            await (await session.post(url, data={**flat, "token": sandbox.bot_token})).json(),
        ]
    assert [a["ok"] for a in answers] == [True] * 4
    seen = sandbox.messages("C0GENERAL")
    assert [m.shown for m in seen] == ["hello"] * 4
    assert [m.ts for m in seen] == [a["ts"] for a in answers]
    assert sandbox.timeline.of("call", "chat.postMessage")[3].sent.get("token") is None


@pytest.mark.parametrize(
    ("token", "method", "word"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-wrong", "auth.test", "invalid_auth"),
        ("app", "users.info", "not_allowed_token_type"),
        ("bot", "apps.connections.open", "not_allowed_token_type"),
        ("bot", "no.such", "unknown_method"),
        ("bot", "reactions.add", "missing_scope"),
    ],
)
async def test_a_wrong_token_method_or_scope_is_refused_by_name(
    sandbox: Sandbox, token: str, method: str, word: str
) -> None:
    real = {"app": sandbox.app_token, "bot": sandbox.bot_token}.get(token, token)
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {real}"} if real else {}
        answer = await session.post(f"{sandbox.api_url}{method}", headers=headers)
        body = await answer.json()
        assert (body["ok"], body["error"]) == (False, word)
        assert "chat:write" in answer.headers["x-oauth-scopes"]
    if word == "missing_scope":
        assert body["needed"] == "reactions:write"


async def test_a_person_is_described_as_slack_does(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    guest = (await client.users_info(user="U0GUEST"))["user"]
    assert (guest["is_restricted"], guest["is_bot"], guest["deleted"], guest["team_id"]) == (True, False, False, "T0HOME")
    noor = (await client.users_info(user="U0PE3"))["user"]
    assert (noor["team_id"], noor["is_stranger"]) == ("T0PROV", False)
    assert (await client.users_info(user="U0FAR"))["user"]["is_stranger"] is True
    sandbox.person("U0PE3").is_stranger = True  # as when the shared channel was left
    assert (await client.users_info(user="U0PE3"))["user"]["is_stranger"] is True
    assert (await client.users_info(user="U0DEP1"))["user"]["tz_offset"] == 19800
    assert (await client.users_info(user="U0LEFT"))["user"]["deleted"] is True
    assert (await refusal(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


@pytest.mark.parametrize(
    ("channel", "word"),
    [
        ("C0NOWHERE", "channel_not_found"),
        ("C0OTHER", "not_in_channel"),
        ("C0OLD", "is_archived"),
        ("U0FAR", "channel_not_found"),
    ],
)
async def test_a_post_to_a_place_that_is_closed_is_refused(sandbox: Sandbox, channel: str, word: str) -> None:
    assert (await refusal(client_of(sandbox).chat_postMessage(channel=channel, text="x")))["error"] == word


async def test_a_post_to_a_deactivated_person_succeeds_as_in_slack(sandbox: Sandbox) -> None:
    answer = await client_of(sandbox).chat_postMessage(channel="U0LEFT", text="x")
    assert answer["channel"].startswith("D")


def button(**more: Any) -> dict[str, Any]:
    """A button with one thing changed."""
    return {"type": "button", "text": {"type": "plain_text", "text": "ok"}, **more}


def section(text: str) -> dict[str, Any]:
    """A section with this text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def select(**more: Any) -> dict[str, Any]:
    """A menu with one thing changed."""
    one = {"text": {"type": "plain_text", "text": "one"}, "value": "1"}
    return {"type": "static_select", "options": [one], **more}


@pytest.mark.parametrize(
    ("blocks", "place"),
    [
        ([section("x" * 3001)], "/blocks/0/text/text"),
        ([section("")], "/blocks/0/text/text"),
        ([section("x")] * 51, "/blocks"),
        ([section("x" * 2900)] * 5, "/blocks"),
        ([{"type": "section"}], "/blocks/0"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text/type"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "/blocks/0/text/text"),
        ([{"type": "divider", "colour": "red"}], "/blocks/0"),
        ([{"type": "carousel"}], "/blocks/0/type"),
        ([{"type": "alert", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/type"),
        ([{"type": "actions", "elements": []}], "/blocks/0/elements"),
        ([{"type": "actions", "elements": [button(action_id=str(i)) for i in range(26)]}], "/blocks/0/elements"),
        ([{"type": "actions", "elements": [button(action_id="a"), button(action_id="a")]}], "/blocks/0"),
        ([{"type": "actions", "elements": [button(value="x" * 2001)]}], "/blocks/0/elements/0/value"),
        (
            [{"type": "actions", "elements": [button(text={"type": "plain_text", "text": "x" * 76})]}],
            "/blocks/0/elements/0/text/text",
        ),
        ([{"type": "actions", "elements": [button(style="blue")]}], "/blocks/0/elements/0/style"),
        ([{"type": "actions", "elements": [select(options=[])]}], "/blocks/0/elements/0/options"),
        (
            [
                {
                    "type": "actions",
                    "elements": [select(initial_option={"text": {"type": "plain_text", "text": "2"}, "value": "2"})],
                }
            ],
            "/blocks/0/elements/0/initial_option",
        ),
        ([{**section("x"), "block_id": "a"}, {**section("y"), "block_id": "a"}], "/blocks/1/block_id"),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], "/blocks/0/elements"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}], "/blocks/0/fields/0/text"),
    ],
)
async def test_blocks_beyond_slacks_limits_are_refused_with_their_place(
    sandbox: Sandbox, blocks: list[dict[str, Any]], place: str
) -> None:
    body = await refusal(client_of(sandbox).chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks))
    assert body["error"] == "invalid_blocks"
    assert any(f"[json-pointer:{place}]" in m for m in body["response_metadata"]["messages"]), body
    assert sandbox.messages("C0GENERAL") == []


async def test_blocks_at_the_limits_are_accepted(sandbox: Sandbox) -> None:
    row = {"type": "actions", "elements": [button(action_id=str(i), value="v" * 2000) for i in range(25)]}
    blocks = [section("x" * 3000), row, *[{"type": "divider"}] * 48]
    assert (await client_of(sandbox).chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks))["ok"]


async def test_too_long_or_missing_text_is_refused(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    empty = client.api_call("chat.postMessage", json={"channel": "C0GENERAL"})
    assert (await refusal(empty))["error"] == "no_text"
    long = "x" * 40_001
    assert (await refusal(client.chat_postMessage(channel="C0GENERAL", text=long)))["error"] == "msg_too_long"


async def test_an_update_keeps_blocks_that_it_does_not_name_and_only_own_messages_change(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    posted = await client.chat_postMessage(channel="U0OWNER", text="one", blocks=BLOCKS)
    place, ts = posted["channel"], posted["ts"]
    await client.chat_update(channel=place, ts=ts, text="two")
    now = sandbox.find("U0OWNER", "hello")
    assert (now.text, now.shown, now.edited) == ("two", "hello", True)
    await client.chat_update(channel=place, ts=ts, text="three", blocks=[])
    assert sandbox.find("U0OWNER", "three").blocks == []
    await sandbox.say("U0OWNER", "mine", "C0GENERAL")
    own = sandbox.messages("C0GENERAL")[0].ts
    assert (await refusal(client.chat_update(channel="C0GENERAL", ts=own, text="x")))["error"] == "cant_update_message"
    assert (await refusal(client.chat_update(channel=place, ts="1.1", text="x")))["error"] == "message_not_found"


async def test_conversations_are_listed_with_cursors_and_members(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    first = await client.users_conversations(types="public_channel", limit=2)
    assert [c["id"] for c in first["channels"]] == ["C0GENERAL", "C0EXT"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = await client.users_conversations(types="public_channel", limit=2, cursor=cursor)
    assert [c["id"] for c in rest["channels"]] == ["C0OLD"]
    assert (await client.conversations_info(channel="C0EXT"))["channel"]["is_ext_shared"] is True
    assert (await client.conversations_members(channel="C0EXT"))["members"] == ["U0OWNER", "U0PE3", "U0BOT"]


async def test_a_thread_is_read_apart_from_the_history(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    parent = await client.chat_postMessage(channel="C0GENERAL", text="parent")
    await client.chat_postMessage(channel="C0GENERAL", text="reply", thread_ts=parent["ts"])
    history = (await client.conversations_history(channel="C0GENERAL"))["messages"]
    assert [(m["text"], m["reply_count"]) for m in history] == [("parent", 1)]
    thread = (await client.conversations_replies(channel="C0GENERAL", ts=parent["ts"]))["messages"]
    assert [m["text"] for m in thread] == ["parent", "reply"]


async def test_a_person_asleep_is_snoozed_in_dnd_info(sandbox: Sandbox) -> None:
    sandbox.person("U0OWNER").dnd = True
    asleep = await client_of(sandbox).dnd_info(user="U0OWNER")
    assert asleep["dnd_enabled"] is True
    assert asleep["next_dnd_start_ts"] < asleep["next_dnd_end_ts"]


async def test_a_rate_limit_answers_429_with_retry_after_for_exactly_so_many_calls(sandbox: Sandbox) -> None:
    sandbox.faults.rate_limit("chat.postMessage", calls=1, retry_after=7)
    client = client_of(sandbox)
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel="C0GENERAL", text="x")
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "7")
    assert (await client.chat_postMessage(channel="C0GENERAL", text="x"))["ok"]


async def test_a_lost_answer_is_a_performed_call(sandbox: Sandbox) -> None:
    sandbox.faults.lose_answer("chat.postMessage")
    client = client_of(sandbox)
    client.retry_handlers.clear()  # by default the official client sends once more, and the message is there twice
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C0GENERAL", text="performed")
    assert [m.text for m in sandbox.messages("C0GENERAL")] == ["performed"]


async def test_a_5xx_performs_nothing_and_a_slow_method_waits(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    sandbox.faults.fail("chat.postMessage", status=503)
    with pytest.raises(SlackApiError) as failed:
        await client.chat_postMessage(channel="C0GENERAL", text="x")
    assert failed.value.response.status_code == 503
    assert sandbox.messages("C0GENERAL") == []
    sandbox.faults.slow["auth.test"] = 0.3
    began = asyncio.get_running_loop().time()
    await client.auth_test()
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_only_this_machines_own_names_are_answered(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(sandbox.page_url, headers={"Host": "evil.example"}) as rebound:
            assert rebound.status == 403
        origin = {"Origin": "http://evil.example"}
        async with session.post(f"{sandbox.page_url}sandbox/do/say", json={}, headers=origin) as foreign:
            assert foreign.status == 403
