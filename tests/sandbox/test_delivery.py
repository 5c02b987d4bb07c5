"""What reaches the app, how, and what people see when it does not answer."""

import asyncio
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.driver import Sandbox

Draw = Callable[..., list[dict[str, Any]]]


async def test_http_requests_carry_a_signature_that_slacks_own_verifier_accepts(sandbox: Sandbox, peer: Any) -> None:
    assert (await sandbox.command("U0OWNER", "/ask", "a&b=c é")).via == "http"
    await sandbox.message_bot("U0OWNER", "hi")
    verifier = SignatureVerifier(sandbox.signing_secret)
    assert [verifier.is_valid_request(body, headers) for headers, body in peer.requests] == [True, True]
    assert verifier.is_valid_request(peer.requests[0][1] + "x", peer.requests[0][0]) is False
    command, event = peer.requests
    assert command[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(urllib.parse.parse_qsl(command[1]))["text"] == "a&amp;b=c é"
    assert event[0]["Content-Type"] == "application/json"
    assert json.loads(event[1])["event"]["channel_type"] == "im"


async def test_the_url_verification_handshake_succeeds_and_fails(sandbox: Sandbox, peer: Any) -> None:
    assert await sandbox.verify_url() is True
    peer.status = 500
    status, _ = await sandbox.post_raw("interactive", {"type": "block_actions"})
    assert status == 500


async def test_the_whole_way_works_over_signed_http(sandbox: Sandbox, bolt_over_http: AsyncApp) -> None:
    assert (await sandbox.command("U0DEP1", "/ask")).via == "http"
    await sandbox.wait_for(lambda: sandbox.modal("U0DEP1"))
    assert (await sandbox.submit("U0DEP1", {"Reason": "wrong"})).errors == {"reason": "That is no reason"}
    assert (await sandbox.submit("U0DEP1", {"Reason": "right"})).ok
    await sandbox.wait_for(lambda: sandbox.find("U0OWNER", "Approve"))
    assert (await sandbox.press("U0OWNER", "Approve")).ok
    await sandbox.wait_for(lambda: sandbox.find("U0OWNER", "Approved by"))


async def test_a_late_command_shows_slacks_timeout_to_its_author_only(sandbox: Sandbox, peer: Any) -> None:
    sandbox.world.workspace.settings.ack_seconds = 0.2
    peer.gate.clear()
    outcome = await sandbox.command("U0OWNER", "/ask", channel="C0GENERAL")
    assert (outcome.acked, outcome.error) == (False, "operation_timeout")
    assert outcome.seconds >= 0.2
    words = "/ask failed with the error “operation_timeout”"
    assert [m.text for m in sandbox.messages("C0GENERAL", as_user="U0OWNER")] == [words]
    assert sandbox.messages("C0GENERAL", as_user="U0DEP1") == []


async def test_an_app_that_is_away_fails_at_once_in_slacks_words(sandbox: Sandbox) -> None:
    assert (await sandbox.command("U0OWNER", "/ask")).error == "dispatch_failed"
    assert sandbox.messages("U0OWNER")[-1].text == "/ask failed with the error “dispatch_failed”"


async def test_a_lost_click_leaves_a_warning_until_one_is_answered(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, draw: Draw
) -> None:
    await client.chat_postMessage(channel="U0OWNER", text="x", blocks=draw("x", "Approve"))
    peer.status = 500
    assert (await sandbox.press("U0OWNER", "Approve")).error == "dispatch_failed"
    assert sandbox.messages("U0OWNER")[0].raw.warnings == ["U0OWNER"]
    peer.status = 200
    assert (await sandbox.press("U0OWNER", "Approve")).ok
    assert sandbox.messages("U0OWNER")[0].raw.warnings == []


async def test_a_form_whose_app_is_late_stays_open_and_says_so(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any]
) -> None:
    trigger = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=form)
    sandbox.world.workspace.settings.ack_seconds = 0.2
    peer.gate.clear()
    outcome = await sandbox.submit("U0OWNER", {"Reason": "right"})
    assert outcome.error == "operation_timeout"
    assert sandbox.modal("U0OWNER").notice == "We had some trouble connecting. Try again?"
    assert sandbox.modal("U0OWNER").value("Reason") == "right"


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {
            "response_action": "update",
            "view": {"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": []},
        },
        {"response_action": "dance"},
    ],
)
async def test_an_answer_that_slack_cannot_show_is_trouble_in_the_form(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, form: dict[str, Any], answer: dict[str, Any]
) -> None:
    trigger = (await sandbox.command("U0OWNER", "/ask")).payload["trigger_id"]
    await client.views_open(trigger_id=trigger, view=form)
    peer.body = json.dumps(answer)
    assert (await sandbox.submit("U0OWNER", {"Reason": "right"})).error
    assert "trouble connecting" in sandbox.modal("U0OWNER").notice


async def test_an_event_that_nobody_acknowledges_is_retried_with_the_same_id(sandbox: Sandbox, peer: Any) -> None:
    peer.status = 500
    await sandbox.message_bot("U0OWNER", "hi")
    await sandbox.wait_for(lambda: len(peer.requests) == 4)
    assert [h.get("X-Slack-Retry-Num") for h, _ in peer.requests] == [None, "1", "2", "3"]
    assert len({json.loads(body)["event_id"] for _, body in peer.requests}) == 1


async def test_a_replay_is_byte_for_byte_the_same_payload(sandbox: Sandbox, peer: Any) -> None:
    first = await sandbox.command("U0OWNER", "/ask", "x")
    again = await sandbox.redeliver(first)
    assert again.payload == first.payload
    assert peer.requests[0][1] == peer.requests[1][1]


async def test_every_delivery_comes_twice_under_that_fault(sandbox: Sandbox, peer: Any) -> None:
    sandbox.faults.double_deliveries = True
    await sandbox.command("U0OWNER", "/ask", "x")
    assert len(peer.requests) == 2
    assert peer.requests[0][1] == peer.requests[1][1]


async def test_a_socket_that_is_cut_comes_back_and_meanwhile_clicks_fail(
    sandbox: Sandbox, bolt: AsyncApp, connect: Callable[[AsyncApp], Any]
) -> None:
    ever = sandbox.server.delivery.sockets.ever
    sandbox.cut_sockets()
    assert (await sandbox.command("U0OWNER", "/ask")).error == "dispatch_failed"
    await sandbox.wait_for(lambda: sandbox.sockets > 0, timeout=20)
    assert sandbox.server.delivery.sockets.ever > ever
    assert (await sandbox.command("U0OWNER", "/who", "x")).ok


async def test_a_disconnect_envelope_makes_the_app_reconnect(sandbox: Sandbox, bolt: AsyncApp) -> None:
    ever = sandbox.server.delivery.sockets.ever
    await sandbox.ask_to_reconnect()
    await sandbox.wait_for(lambda: sandbox.server.delivery.sockets.ever > ever, timeout=20)
    await sandbox.wait_for(lambda: sandbox.sockets > 0)
    assert (await sandbox.command("U0OWNER", "/who", "x")).via == "socket"


async def test_the_hello_counts_connections_that_are_not_ours(sandbox: Sandbox) -> None:
    sandbox.faults.extra_connections = 1
    client = AsyncWebClient(token=sandbox.app_token, base_url=sandbox.api_url)
    url = (await client.apps_connections_open(app_token=sandbox.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
        hello = await ws.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 2)
        assert hello["connection_info"] == {"app_id": "A0SANDBOX"}
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_envelope_that_is_not_acknowledged_in_time_is_a_timeout_and_its_ack_is_noted_as_late(
    sandbox: Sandbox, connect: Callable[[AsyncApp], Any], new_app: Callable[[], AsyncApp]
) -> None:
    app = new_app()
    gate = asyncio.Event()

    @app.shortcut("late")
    async def late(ack: AsyncAck) -> None:
        await gate.wait()
        await ack()

    await connect(app)
    sandbox.world.workspace.settings.ack_seconds = 0.2
    payload = {"type": "shortcut", "callback_id": "late", "team": {"id": "T0HOME"}, "user": {"id": "U0OWNER"}}
    assert (await sandbox.deliver("interactive", payload)).error == "operation_timeout"
    gate.set()
    await sandbox.wait_for(lambda: sandbox.timeline.of("socket", "late ack"))


async def test_a_response_url_answers_replaces_and_is_spent_after_five_uses(
    sandbox: Sandbox, peer: Any, client: AsyncWebClient, draw: Draw
) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=draw("x", "Approve"))
    url = (await sandbox.press("U0OWNER", "Approve", where="C0GENERAL")).payload["response_url"]
    async with aiohttp.ClientSession() as session:

        async def respond(**body: Any) -> int:
            async with session.post(url, json=body) as answer:
                return answer.status

        assert await respond(text="only you") == 200
        assert await respond(text="all", response_type="in_channel") == 200
        assert await respond(text="new", replace_original=True) == 200
        assert [m.text for m in sandbox.messages("C0GENERAL", as_user="U0DEP1")] == ["new", "all"]
        assert [m.text for m in sandbox.messages("C0GENERAL", as_user="U0OWNER")] == ["new", "only you", "all"]
        assert await respond(delete_original=True) == 200
        assert [m.text for m in sandbox.messages("C0GENERAL", as_user="U0DEP1")] == ["all"]
        assert await respond(text="fifth") == 200
        assert await respond(text="sixth") == 404
