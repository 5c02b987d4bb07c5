"""Really signed requests against the gate on a real port, with the real door and a real store behind it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import SettingsError
from handlers import ids
from handlers.transport import http as gates
from handlers.transport.app import SlackApp
from handlers.transport.http import PATH, RequestGate
from handlers.transport.signature import SIGNATURE, TIMESTAMP
from handlers.transport.socket_mode import quiet_logger
from sandbox.delivery import encoded, signature
from tests.bot import parts
from tests.bot.building import OWNER, PE1, policy
from tests.bot.office import HandClock, Office

SECRET = "0123456789abcdef0123456789abcdef"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
FORGED_MARK = "never-in-the-log-77"


@dataclass
class Post:
    """One request: signed for now with the right secret, unless told otherwise."""

    clock: HandClock
    body: bytes
    content_type: str = FORM
    secret: str = SECRET
    late: int = 0  # seconds
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def signed(self) -> dict[str, str]:
        at = str(int(self.clock.now().timestamp()) - self.late)
        text = self.body.decode("utf-8", "replace")
        plain = {
            "Content-Type": self.content_type, "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signature(self.secret, at, text),
        }  # fmt: skip
        return {name: value for name, value in {**plain, **self.headers}.items() if value != "-"}


class Client:
    """A Slack that posts to the gate, and an attacker that does."""

    def __init__(self, gate: RequestGate, clock: HandClock, session: aiohttp.ClientSession) -> None:
        self.gate, self.clock, self.session = gate, clock, session

    async def post(self, body: bytes, path: str = PATH, method: str = "POST", **how: Any) -> tuple[int, bytes]:
        sent = Post(self.clock, body, **how)
        url = f"http://127.0.0.1:{self.gate.port}{path}"
        async with self.session.request(
            method, url, data=body, headers=sent.signed, skip_auto_headers=("Content-Type",)
        ) as r:
            return r.status, await r.read()

    async def raw(self, text: bytes, wait: float = 5.0) -> bytes:
        """Bytes as they are, to the end of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gate.port)
        try:
            writer.write(text)
            await writer.drain()
            return await asyncio.wait_for(reader.read(), wait)
        finally:
            writer.close()


@asynccontextmanager
async def at_the_gate(app: AsyncApp, clock: HandClock, **how: Any) -> AsyncIterator[Client]:
    gate = RequestGate(app, SECRET, clock, listen="127.0.0.1:0", **how)
    await gate.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(gate, clock, session)
    finally:
        await gate.stop()


def door(office: Office) -> SlackApp:
    """The door as it is built, with a Slack that is not there."""
    client = AsyncWebClient("xoxb-test", base_url="http://127.0.0.1:9/api/", timeout=1)
    return parts.door(office, client, signing_secret=SECRET)


@pytest.fixture
async def slack(office: Office, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr("bot.http.server.LINGER", 0.1)
    door_ = door(office)
    async with at_the_gate(door_.app, office.clock) as client:
        yield client
    await door_.finish()


def command(text: str = "help", trigger: str = "1.a") -> bytes:
    return urlencode(
        {
            "token": "x", "team_id": "T0HOME", "user_id": OWNER.user, "channel_id": "D0CHAN", "command": "/countersign",
            "text": text, "trigger_id": trigger, "response_url": "https://hooks.example/commands/1",
        }
    ).encode()  # fmt: skip


def interaction(payload: Mapping[str, Any]) -> bytes:
    return encoded("interactive", dict(payload))[1].encode()


def click(case_id: str, trigger: str = "2.a", person: str = OWNER.user) -> dict[str, Any]:
    return {
        "type": "block_actions", "trigger_id": trigger, "team": {"id": "T0HOME"},
        "user": {"id": person, "team_id": "T0HOME"}, "channel": {"id": "D0CHAN"}, "container": {"channel_id": "D0CHAN"},
        "actions": [{"action_id": ids.APPROVE, "block_id": "decide", "value": f"{case_id}:1", "type": "button"}],
    }  # fmt: skip


def filing(trigger: str = "3.a", reason: str = "disk full") -> dict[str, Any]:
    entered = {
        ids.RUNBOOK: {"selected_option": {"value": "emergency"}}, ids.TARGET_TEXT: {"value": "srv-1"},
        ids.REASON: {"value": reason}, ids.DURATION: {"selected_option": {"value": "3600"}},
    }  # fmt: skip
    view = {
        "id": "V1", "hash": "h", "type": "modal", "callback_id": ids.FORM_ASK, "private_metadata": "",
        "blocks": [{"block_id": a, "element": {"action_id": a}} for a in entered],
        "state": {"values": {a: {a: value} for a, value in entered.items()}},
    }  # fmt: skip
    return {
        "type": "view_submission", "trigger_id": trigger, "team": {"id": "T0HOME"},
        "user": {"id": PE1.user, "team_id": "T0HOME"}, "view": view,
    }  # fmt: skip


def event(event_id: str = "Ev1", **event: Any) -> bytes:
    inner = {"type": "app_home_opened", "user": OWNER.user, "tab": "home"} | event
    return json.dumps({"type": "event_callback", "event_id": event_id, "team_id": "T0HOME", "event": inner}).encode()


def app_of(listener: Callable[..., Awaitable[None]]) -> AsyncApp:
    """A small app with one command, `/slow`, and one event."""

    async def authorize(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0HOME", bot_user_id="U0BOT", bot_token="xoxb-x")

    app = AsyncApp(
        signing_secret=SECRET, authorize=authorize, process_before_response=True, logger=quiet_logger("tests.bolt")
    )
    app.command("/countersign")(listener)
    app.event("app_home_opened")(listener)
    return app


def acts(office: Office) -> int:
    return int(office.rows("SELECT count(*) AS n FROM inbox")[0]["n"])


# What is refused. Each is named after the fault; none acts, each writes one line, and none of the body is in it.

SIGNED_WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "forged": ("forged", {"secret": "another"}),
    "forged by its own sender": ("forged", {"headers": {"X-Slack-Signature": "v0=" + "0" * 64}}),
    "stale": ("stale", {"late": 301}),
    "from the future": ("future", {"late": -301}),
    "without a signature": ("bad_signature", {"headers": {"X-Slack-Signature": "-"}}),
    "without a timestamp": ("bad_timestamp", {"headers": {"X-Slack-Request-Timestamp": "-"}}),
    "with a signature that is not ASCII": ("bad_signature", {"headers": {"X-Slack-Signature": "v0=é" + "0" * 63}}),
    "with an empty signature": ("bad_signature", {"headers": {"X-Slack-Signature": ""}}),
    "with a signature of another version": ("bad_signature", {"headers": {"X-Slack-Signature": "v1=" + "0" * 64}}),
    "with a timestamp that is a word": ("bad_timestamp", {"headers": {"X-Slack-Request-Timestamp": "yesterday"}}),
    "with a timestamp that int() would take": ("bad_timestamp", {"headers": {"X-Slack-Request-Timestamp": "1_0"}}),
    "with a timestamp in other digits": ("bad_timestamp", {"headers": {"X-Slack-Request-Timestamp": "١٧٧٢"}}),
    "with a negative timestamp": ("bad_timestamp", {"headers": {"X-Slack-Request-Timestamp": "-5"}}),
    "with a timestamp without end": ("bad_timestamp", {"headers": {"X-Slack-Request-Timestamp": "9" * 5000}}),
}
DEEP = b"[" * 70 + b"]" * 70
SHAPED_WRONG: dict[str, tuple[bytes, str]] = {
    "a form that is no form": (b"just words", FORM),
    "an empty body": (b"", FORM),
    "an empty JSON body": (b"", JSON),
    "JSON cut short": (b'{"type": "event_callback"', JSON),
    "a payload that is not JSON": (b"payload=%7Bnope", FORM),
    "a payload that is a list": (b"payload=%5B1%5D", FORM),
    "a payload that is a string": (b"payload=%22x%22", FORM),
    "a payload that is null": (b"payload=null", FORM),
    "a payload without a type": (b"payload=%7B%7D", FORM),
    "an event that is a list": (b"[]", JSON),
    "an event that is a number": (b"1e999", JSON),
    "an event that is NaN": (b'{"type": NaN}', JSON),
    "an event of no type": (b"{}", JSON),
    "an event without its inside": (b'{"type": "event_callback", "event_id": "E"}', JSON),
    "an event without an id": (b'{"type": "event_callback", "event": {"type": "x"}}', JSON),
    "an interaction sent as JSON": (json.dumps(click("R-00000001")).encode(), JSON),
    "bytes that are not UTF-8": (b"command=%2Fx&text=\xff\xfe", FORM),
    "percent signs that are not UTF-8": (b"command=%2Fx&text=%FF%FE", FORM),
    "half a character": (b'{"type": "event_callback", "event_id": "\\ud800", "event": {"type": "x"}}', JSON),
    "a field twice": (b"command=%2Fx&command=%2Fy", FORM),
    "ten thousand fields": ("&".join(f"a{n}=1" for n in range(10_000)).encode(), FORM),
    "lists as deep as Python goes": (b"[" * 100_000, JSON),
    "an event deeper than anybody needs": (event().replace(b'"home"', DEEP), JSON),
    "an interaction deeper than anybody needs": (interaction(click("R-1") | {"state": json.loads(DEEP)}), FORM),
    "a number of five thousand digits": (b'{"type": ' + b"9" * 5000 + b"}", JSON),
    "actions that are words": (interaction(click("R-1") | {"actions": ["approve"]}), FORM),
    "actions that are an object": (interaction(click("R-1") | {"actions": {"a": 1}}), FORM),
    "no actions": (interaction(click("R-1") | {"actions": []}), FORM),
    "a button without a name": (interaction(click("R-1") | {"actions": [{"value": "R-1:1"}]}), FORM),
    "a form without a name": (interaction(filing() | {"view": {"id": "V1", "type": "modal"}}), FORM),
    "a form of no type": (interaction(filing() | {"view": {"id": "V1", "callback_id": "ask"}}), FORM),
    "a shortcut without a name": (interaction(click("R-1") | {"type": "shortcut"}), FORM),
    "a user that is a number": (interaction(click("R-1") | {"user": 7}), FORM),
    "a team that is a list": (interaction(click("R-1") | {"team": ["T0HOME"]}), FORM),
    "a view that is a word": (interaction(filing() | {"view": "V1"}), FORM),
    "a state of lists": (interaction(filing() | {"view": filing()["view"] | {"state": {"values": [1]}}}), FORM),
    "authorizations that are numbers": (event().replace(b'"team_id"', b'"authorizations": [1], "team_id"'), JSON),
    "a challenge that is an object": (b'{"type": "url_verification", "challenge": {}}', JSON),
}


NAMES = {
    "deep": "too_deep", "UTF-8": "not_utf8", "not JSON": "not_json", "cut short": "not_json", "empty JSON": "not_json",
    "NaN": "not_json", "five thousand": "not_json", "no form": "not_a_form", "twice": "not_a_form", "fields": "not_a_form",
}  # fmt: skip


@pytest.mark.parametrize("fault", SIGNED_WRONG)
async def test_a_request_is_refused_that_is(slack: Client, office: Office, fault: str) -> None:
    name, how = SIGNED_WRONG[fault]
    with structlog.testing.capture_logs() as lines:
        status, body = await slack.post(command(FORGED_MARK), **how)
    assert status == 401
    assert FORGED_MARK.encode() not in body
    assert one_line(lines) == name
    assert acts(office) == 0


@pytest.mark.parametrize("fault", SHAPED_WRONG)
async def test_a_signed_request_is_refused_that_holds(slack: Client, office: Office, fault: str) -> None:
    body, content_type = SHAPED_WRONG[fault]
    with structlog.testing.capture_logs() as lines:
        status, _ = await slack.post(body, content_type=content_type)
    assert status == 400
    assert one_line(lines) == next((name for word, name in NAMES.items() if word in fault), "wrong_shape")
    assert acts(office) == 0


def one_line(lines: list[Any]) -> str:
    """Exactly one line, a refusal with its name, without a stack and without the body; the name."""
    assert [line["event"] for line in lines] in (["gate.refused"], ["http.refused"])
    assert lines[0]["fault"]
    assert FORGED_MARK not in str(lines)
    assert "exc_info" not in lines[0]
    return str(lines[0]["fault"])


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (404, {"path": "/"}),
        (404, {"path": "/slack/events/"}),
        (404, {"path": "/slack/../slack/install"}),
        (405, {"method": "GET"}),
        (405, {"method": "PUT"}),
        (415, {"content_type": "text/plain"}),
        (415, {"content_type": "-"}),
        (415, {"content_type": "application/json; charset=utf-16"}),
        (415, {"content_type": "multipart/form-data; boundary=x"}),
        (415, {"headers": {"Content-Encoding": "gzip"}}),
    ],
)
async def test_another_place_method_or_type_is_a_4xx(
    slack: Client, office: Office, status: int, how: dict[str, Any]
) -> None:
    with structlog.testing.capture_logs() as lines:
        got, _ = await slack.post(command(FORGED_MARK), **how)
    assert got == status
    one_line(lines)
    assert acts(office) == 0


async def test_a_body_over_one_megabyte_is_refused_announced_or_not(slack: Client, office: Office) -> None:
    large = b"command=%2Fx&text=" + b"a" * gates.BODY_MAX
    url, headers = f"http://127.0.0.1:{slack.gate.port}{PATH}", Post(slack.clock, large).signed

    async def unannounced() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    for data in (io.BytesIO(large), unannounced()):
        with structlog.testing.capture_logs() as lines:
            async with slack.session.post(url, data=data, headers=headers) as response:
                assert response.status == 413
        one_line(lines)
    assert acts(office) == 0


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03never-in-the-log-77",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: never-in-the-log-77\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nno colon never-in-the-log-77\r\n\r\n",
        b"POST /slack/events HTTP/9.7\r\nHost: never-in-the-log-77\r\n\r\n",
        b"POST " + b"/never-in-the-log-77" * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST http://[never-in-the-log-77/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nnever-in-the-log-77\r\n",
    ],
)  # fmt: skip
async def test_bytes_that_are_no_http_are_a_4xx_and_one_line(
    slack: Client, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.DEBUG):
        answer = await slack.raw(text)
    assert answer.split(b" ")[1].startswith(b"4")
    assert b"aiohttp" not in answer
    one_line(lines)
    assert FORGED_MARK not in caplog.text


@pytest.mark.parametrize("head", [b"Content-Length: 50\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
async def test_a_body_that_drips_is_given_up(slack: Client, office: Office, head: bytes) -> None:
    slack.gate.body_seconds = 0.05
    with structlog.testing.capture_logs() as lines:
        answer = await slack.raw(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + head)
    assert answer.startswith(b"HTTP/1.1 408")
    one_line(lines)
    assert acts(office) == 0


async def test_a_sender_that_hangs_up_amid_its_body_is_one_line(
    slack: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, waiting, told = gates._read, asyncio.Event(), asyncio.Event()

    async def noticed(*how: Any) -> Any:
        waiting.set()
        got = await read(*how)
        told.set()
        return got

    monkeypatch.setattr(gates, "_read", noticed)
    _, writer = await asyncio.open_connection("127.0.0.1", slack.gate.port)
    with structlog.testing.capture_logs() as lines:
        writer.write(
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        await asyncio.wait_for(waiting.wait(), 5)
        writer.close()
        await asyncio.wait_for(told.wait(), 5)
        await slack.gate.stop()
    one_line(lines)
    assert caplog.text == ""


async def test_a_body_that_is_announced_as_too_long_is_refused_before_it_comes(slack: Client) -> None:
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    assert (await slack.raw(head)).startswith(b"HTTP/1.1 413")


async def test_a_request_line_that_drips_is_hung_up_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.server.IDLE", 0.05)
    async with at_the_gate(door(office).app, office.clock) as slack:
        assert await slack.raw(b"POST /slack/ev") == b""


async def test_of_more_connections_than_the_most_the_oldest_is_hung_up_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.http.server.MOST", 2)
    async with at_the_gate(door(office).app, office.clock) as slack:
        held = [await asyncio.open_connection("127.0.0.1", slack.gate.port) for _ in range(2)]
        for _, writer in held:
            writer.write(b"POST /slack/ev")
            await writer.drain()
        assert (await slack.post(b"ssl_check=1&token=x"))[0] == 200
        assert await asyncio.wait_for(held[0][0].read(), 5) == b""
        for _, writer in held:
            writer.close()


# What gets through.


async def test_the_url_verification_is_answered_and_only_when_signed(slack: Client) -> None:
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "c-<b>1"}).encode()
    status, answer = await slack.post(body, content_type=JSON)
    assert (status, json.loads(answer)) == (200, {"challenge": "c-<b>1"})
    assert (await slack.post(body, content_type=JSON, secret="another"))[0] == 401


async def test_the_check_of_the_certificate_is_answered(slack: Client) -> None:
    assert (await slack.post(b"ssl_check=1&token=x"))[0] == 200


@pytest.mark.parametrize("late", [-300, 0, 300])
async def test_a_command_signed_within_five_minutes_is_written_down_and_acknowledged(
    slack: Client, office: Office, late: int
) -> None:
    assert await slack.post(command(), late=late) == (200, b"")
    assert acts(office) == 1


async def test_a_click_decides(slack: Client, office: Office) -> None:
    case_id = await office.file(PE1)
    assert await slack.post(interaction(click(case_id))) == (200, b"")
    await office.worker.drain()
    assert (await office.state(case_id)).value == "approved"


async def test_the_nulls_that_slack_sends_stop_nothing(slack: Client, office: Office) -> None:
    case_id = await office.file(PE1)
    pressed = click(case_id) | {"event": None, "team": None, "enterprise": None, "view": None, "message": None}
    assert await slack.post(interaction(pressed)) == (200, b"")
    await office.worker.drain()
    assert (await office.state(case_id)).value == "approved"


async def test_headers_that_the_signature_does_not_cover_steer_nothing(slack: Client, office: Office) -> None:
    """Bolt skips the acknowledging function for X-Slack-Bolt-Lazy-Only: whoever replays a body could add it."""
    headers = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "beside"}
    assert await slack.post(command(), headers=headers) == (200, b"")
    assert acts(office) == 1


# A byte-identical repeat.


async def test_the_same_signed_request_twice_acts_once_and_gets_equal_bytes(slack: Client, office: Office) -> None:
    body = interaction(filing())
    first = await slack.post(body)
    again = await slack.post(body, late=5, headers={"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"})
    assert first[0] == 200
    assert b"R-" in first[1]
    assert again == first
    assert acts(office) == 1


async def test_a_repeat_gets_the_first_complaints_whatever_has_changed_since(slack: Client, office: Office) -> None:
    body = interaction(filing(reason=""))
    first = await slack.post(body)
    assert b"errors" in first[1]
    office.service.filing.check = lambda _act: ()  # type: ignore[method-assign]
    assert await slack.post(body) == first
    assert acts(office) == 0


async def test_a_repeat_after_a_restart_gets_the_first_answer_and_does_not_act(office: Office) -> None:
    body, pressed = interaction(filing()), interaction(click("R-00000001"))
    async with at_the_gate(door(office).app, office.clock) as slack:
        first = [await slack.post(body), await slack.post(pressed)]
    await office.worker.drain()
    await office.restart()
    async with at_the_gate(door(office).app, office.clock) as slack:
        assert [await slack.post(body), await slack.post(pressed)] == first
    await office.worker.drain()
    assert acts(office) == 2
    assert len(office.rows("SELECT id FROM request")) == 1


async def test_ten_of_the_same_at_once_wait_for_the_first(office: Office) -> None:
    calls, go = [], asyncio.Event()

    async def slow(ack: Any) -> None:
        calls.append(1)
        await go.wait()
        await ack(f"the {len(calls)}. answer")

    async with at_the_gate(app_of(slow), office.clock) as slack:
        posts = [asyncio.ensure_future(slack.post(command(), late=n)) for n in range(10)]
        while not calls:
            await asyncio.sleep(0)
        go.set()
        answers = await asyncio.gather(*posts)
    assert set(answers) == {answers[0]}
    assert answers[0][1] == b"the 1. answer"
    assert calls == [1]


async def test_a_replay_of_what_was_signed_long_ago_is_refused_although_its_answer_was_known(
    slack: Client, office: Office
) -> None:
    sent = Post(slack.clock, command()).signed
    assert (await slack.post(command(), headers=sent))[0] == 200
    office.sleep(timedelta(seconds=301))
    assert (await slack.post(command(), headers=sent))[0] == 401


async def test_a_forged_repeat_learns_nothing_of_the_first_answer(slack: Client) -> None:
    body = interaction(filing())
    assert (await slack.post(body))[0] == 200
    status, answer = await slack.post(body, secret="another")
    assert status == 401
    assert b"R-" not in answer


# When something behind the gate fails.


async def test_a_listener_that_fails_is_no_5xx_and_the_event_may_come_again(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception straight after the acknowledgement's start dropped it, and Slack saw nothing or a 500."""
    calls: list[int] = []

    async def failing(ack: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError(FORGED_MARK)
        await ack()

    async with at_the_gate(app_of(failing), office.clock) as slack:
        with structlog.testing.capture_logs() as lines:
            first = await slack.post(event(), content_type=JSON)
            again = await slack.post(event(), content_type=JSON, headers={"X-Slack-Retry-Num": "1"})
    assert (first[0], again[0]) == (429, 200)
    assert lines == []
    assert len(caplog.records) == 1
    assert "Traceback" not in caplog.text


async def test_a_bolt_that_breaks_is_logged_once_by_type_and_place(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError(FORGED_MARK)

    app = app_of(broken)
    monkeypatch.setattr(app, "async_dispatch", broken)
    async with at_the_gate(app, office.clock) as slack:
        with structlog.testing.capture_logs() as lines:
            assert (await slack.post(command()))[0] == 429
    assert [(line["event"], line["error"]) for line in lines] == [("gate.failed", "RuntimeError")]
    assert FORGED_MARK not in str(lines)


async def test_an_act_that_takes_too_long_is_answered_and_still_finished_once(office: Office) -> None:
    calls, go = [], asyncio.Event()

    async def slow(ack: Any) -> None:
        calls.append(1)
        await go.wait()
        await ack("done")

    async with at_the_gate(app_of(slow), office.clock) as slack:
        slack.gate.answer_seconds = 0.05
        assert (await slack.post(command()))[0] == 429
        go.set()
        slack.gate.answer_seconds = 10.0
        assert await slack.post(command(), headers={"X-Slack-Retry-Num": "1"}) == (200, b"done")
    assert calls == [1]


async def test_who_hangs_up_stops_nothing(office: Office) -> None:
    calls, go, done = [], asyncio.Event(), asyncio.Event()

    async def slow(ack: Any) -> None:
        calls.append(1)
        await go.wait()
        await ack("done")
        done.set()

    async with at_the_gate(app_of(slow), office.clock) as slack:
        post = asyncio.ensure_future(slack.post(command()))
        while not calls:
            await asyncio.sleep(0)
        post.cancel()
        await asyncio.gather(post, return_exceptions=True)
        go.set()
        await asyncio.wait_for(done.wait(), 5)
        assert await slack.post(command()) == (200, b"done")
    assert calls == [1]


async def test_a_stop_waits_for_what_is_being_acted_on(office: Office) -> None:
    started, go, ended = asyncio.Event(), asyncio.Event(), []

    async def slow(ack: Any) -> None:
        started.set()
        await go.wait()
        ended.append(1)
        await ack()

    stop, gate = asyncio.Event(), RequestGate(app_of(slow), SECRET, office.clock, listen="127.0.0.1:0")
    listening = asyncio.Event()
    serving = asyncio.ensure_future(gate.serve(stop, listening.set))
    await listening.wait()
    async with aiohttp.ClientSession() as session:
        post = asyncio.ensure_future(Client(gate, office.clock, session).post(command()))
        await started.wait()
        stop.set()
        go.set()
        assert (await post)[0] == 200
        await serving
    assert ended == [1]


async def test_a_stop_waits_also_for_the_act_of_somebody_who_hung_up(office: Office) -> None:
    started, go, ended = asyncio.Event(), asyncio.Event(), []

    async def slow(ack: Any) -> None:
        started.set()
        await go.wait()
        await asyncio.sleep(0)
        ended.append(1)
        await ack()

    gate = RequestGate(app_of(slow), SECRET, office.clock, listen="127.0.0.1:0")
    gate.answer_seconds = 0.01  # the sender is asked to come again; the act goes on
    await gate.start()
    async with aiohttp.ClientSession() as session:
        assert (await Client(gate, office.clock, session).post(command()))[0] == 429
    stopping = asyncio.ensure_future(gate.stop())
    asyncio.get_running_loop().call_later(0.05, go.set)
    await stopping
    assert ended == [1]


async def test_every_answer_is_reported_without_ids(office: Office) -> None:
    told: list[tuple[str, str]] = []
    report = lambda kind, outcome, _seconds: told.append((kind, outcome))  # noqa: E731
    async with at_the_gate(door(office).app, office.clock, report=report) as slack:
        await slack.post(command())
        await slack.post(command())
        await slack.post(command(), secret="another")
        await slack.raw(b"nonsense\r\n\r\n")
    assert told == [("command", "ok"), ("repeat", "repeat"), ("refused", "forged"), ("refused", "not_http")]


async def test_an_address_that_is_taken_is_one_sentence(office: Office) -> None:
    async with at_the_gate(door(office).app, office.clock) as slack:
        second = RequestGate(door(office).app, SECRET, office.clock, listen=f"127.0.0.1:{slack.gate.port}")
        with pytest.raises(SettingsError, match=r"^COUNTERSIGN_LISTEN: 127\.0\.0\.1:\d+ cannot be used"):
            await second.start()


@pytest.mark.parametrize("text", ["3000", "localhost", "localhost:http", ":3000", "::1:3000", "h:99999", ""])
def test_a_malformed_address_names_its_setting(text: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERSIGN_LISTEN is an address"):
        RequestGate(app_of(_never), SECRET, HandClock(), listen=text)


async def _never(ack: Any) -> None:
    raise AssertionError


# Anything at all, signed or not: 2xx or 4xx, and no act that nobody could have meant.

_WORDS = st.sampled_from(["type", "event", "user", "id", "team", "actions", "view", "state", "values", "event_callback",
    "block_actions", "view_submission", "shortcut", "callback_id", "authorizations", "channel", "enterprise", "message",
    "action_id", "payload", "response_urls", "function_data", "item", "container", "is_ext_shared_channel"])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)
_TYPED = st.builds(
    lambda rest, kind: rest | kind,
    st.dictionaries(_WORDS, _VALUES, max_size=8),
    st.sampled_from(
        [
            {"type": "event_callback", "event_id": "E", "event": {"type": "app_home_opened"}},
            {"type": "event_callback", "event_id": "E", "event": {"type": "message"}, "is_ext_shared_channel": True},
            {"type": "block_actions", "user": {"id": "U"}, "actions": [{"action_id": "x"}]},
            {"type": "view_submission", "user": {"id": "U"}, "view": {"callback_id": "ask"}},
            {"type": "view_closed", "user": {}, "view": {}}, {"type": "shortcut", "user": {}}, {},
        ]
    ),
)  # fmt: skip
_BODIES = (
    st.binary(max_size=200)
    | _VALUES.map(lambda value: json.dumps(value).encode())
    | _TYPED.map(lambda value: json.dumps(value).encode())
    | _TYPED.map(lambda value: urlencode({"payload": json.dumps(value)}).encode())
    | st.dictionaries(_WORDS | st.just("command"), st.text(max_size=9), max_size=4).map(lambda v: urlencode(v).encode())
)
_HEADER_TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0", exclude_categories=["Cc"]), max_size=30)


_POST = st.tuples(
    _BODIES,
    st.sampled_from([JSON, FORM, FORM, "text/plain"]),
    st.sampled_from([SECRET, SECRET, "another"]),
    st.dictionaries(st.sampled_from(["X-Slack-Retry-Num", "X-Slack-Bolt-Lazy-Only", "Accept"]), _HEADER_TEXT, max_size=2),
    st.dictionaries(st.sampled_from([TIMESTAMP, SIGNATURE]), _HEADER_TEXT, max_size=1),
)


@pytest.fixture
def fuzzed(tmp_path: Path) -> Iterator[tuple[asyncio.Runner, Office, Client]]:
    """A gate with everything behind it, for many examples in one loop."""

    async def begin() -> tuple[Office, AsyncExitStack, Client]:
        office, stack = await Office(tmp_path / "countersign.db", policy()).open(), AsyncExitStack()
        door_ = door(office)
        stack.push_async_callback(office.close)
        stack.push_async_callback(door_.finish)
        return office, stack, await stack.enter_async_context(at_the_gate(door_.app, office.clock))

    with asyncio.Runner() as runner:
        office, stack, client = runner.run(begin())
        yield runner, office, client
        runner.run(stack.aclose())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(posts=st.lists(_POST, min_size=1, max_size=6))
def test_no_body_and_no_header_makes_a_5xx_or_an_act(
    fuzzed: tuple[asyncio.Runner, Office, Client], posts: list[tuple[bytes, str, str, dict[str, str], dict[str, str]]]
) -> None:
    """Bodies that are not JSON, odd signatures and odd timestamps gave 500 elsewhere."""
    runner, office, slack = fuzzed
    for body, content_type, secret, harmless, forged in posts:
        how = {"content_type": content_type, "secret": secret, "headers": harmless | forged}
        status, _ = runner.run(slack.post(body, **how))
        assert status // 100 in (2, 4)
        assert status != 429  # nothing behind the gate tripped over it
        assert secret == SECRET or status in (400, 401, 415)
    assert acts(office) == 0
