"""Socket Mode against the look-alike: hello, answers, reconnects, and a stop that answers what has arrived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
from slack_sdk.errors import SlackApiError
from structlog.testing import capture_logs

from bot.domain.errors import StorageError
from handlers.inbound.listener import web_client
from handlers.transport.socket_mode import SocketMode, quiet_logger
from sandbox.driver import Sandbox
from tests.bot import parts
from tests.bot.building import OWNER
from tests.bot.office import Office
from tests.handlers.shapes import click, shortcut, slash

WORKSPACE = {
    "teams": [{"id": "T0HOME", "name": "Home"}],
    "users": [{"id": u, "name": u.lower(), "real_name": u, "team_id": "T0HOME"} for u in ("U0OWNER", "U0PE1")],
    "app": {"commands": [{"command": "/countersign", "description": "x", "should_escape": True},
                         {"command": "/breakglass", "description": "x", "should_escape": True}]},
}  # fmt: skip


@asynccontextmanager
async def served(
    office: Office, sandbox: Sandbox, told: list[str] | None = None, reported: list[tuple[str, str, float]] | None = None
) -> AsyncIterator[tuple[asyncio.Event, list[str]]]:
    """`told` gets hellos and losses, `reported` every answer."""
    door = parts.door(office, web_client(sandbox.bot_token, sandbox.api_url))
    stop, hellos, told = asyncio.Event(), [], [] if told is None else told

    def hello() -> None:
        hellos.append("hello")
        told.append("hello")

    def report(*what: Any) -> None:
        if reported is not None:
            reported.append(what)

    task = asyncio.create_task(door.socket_mode(sandbox.app_token, stop, hello, lambda: told.append("lost"), report))
    try:
        await sandbox.wait_for(lambda: hellos)
        yield stop, hellos
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def test_a_command_over_the_socket_is_taken_in_and_acknowledged(office: Office) -> None:
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox):
        outcome = await sandbox.command("U0OWNER", "/countersign", "help")
        assert outcome.ok
        assert [row.act.kind for row in await office.store.inbox.unfinished(9)] == ["read"]
        outcome = await sandbox.command("U0PE1", "/breakglass", "emergency disk full")
        assert outcome.ok
        form = await sandbox.wait_for(lambda: sandbox.modal("U0PE1"))
        assert form is not None
    assert sandbox.sockets == 0


async def test_a_cut_connection_is_made_again(office: Office) -> None:
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox) as (_, hellos):
        await sandbox.server.delivery.sockets.ask_to_leave()
        await sandbox.wait_for(lambda: len(hellos) > 1)
        await sandbox.wait_for(lambda: sandbox.sockets == 1)
        assert (await sandbox.command("U0OWNER", "/countersign", "help")).ok


async def test_a_lost_connection_is_reported_once_and_the_next_hello_after_it(office: Office) -> None:
    told: list[str] = []
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox, told) as (_, hellos):
        sandbox.cut_sockets(2)
        await sandbox.wait_for(lambda: told == ["hello", "lost"])
        await sandbox.wait_for(lambda: len(hellos) > 1, 20)
    assert told == ["hello", "lost", "hello"]


async def test_acknowledgements_are_counted_by_kind_and_timed(office: Office) -> None:
    reported: list[tuple[str, str, float]] = []
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox, reported=reported):
        outcome = await sandbox.command("U0OWNER", "/countersign", "help")
        assert outcome.ok
    ((kind, word, seconds),) = reported
    assert (kind, word) == ("command", "ok")
    assert 0 < seconds <= outcome.seconds


MALFORMED: tuple[tuple[str, Any, str], ...] = (
    ("interactive", [], "wrong_shape"), ("interactive", "x", "wrong_shape"), ("interactive", None, "wrong_shape"),
    ("interactive", {"type": "block_actions", "user": 7, "actions": [{"action_id": "approve"}]}, "wrong_shape"),
    ("interactive", click(OWNER, "approve", actions=[None]), "wrong_shape"),
    ("interactive", click(OWNER, "approve", actions=[]), "wrong_shape"),
    ("interactive", click(OWNER, "approve", x=[float("nan")]), "not_json"),
    ("interactive", {"type": "view_submission", "user": {"id": "U0OWNER"}, "view": None}, "wrong_shape"),
    ("events_api", {"type": "event_callback", "event": {"type": 7}, "event_id": "Ev1"}, "wrong_shape"),
    ("slash_commands", {"text": "help"}, "wrong_shape"),
    ("slash_commands", slash(OWNER, "/countersign", user_id=7), "wrong_shape"),
    ("workflow_step", {"type": "x"}, "wrong_shape"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "payload", "fault"), MALFORMED)
async def test_a_malformed_payload_is_acknowledged_and_is_one_line(
    office: Office, kind: str, payload: Any, fault: str
) -> None:
    reported: list[tuple[str, str, float]] = []
    with capture_logs() as lines:
        async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox, reported=reported):
            answer = await sandbox.server.delivery.sockets.send(kind, payload, None)
            assert answer is not None
            assert "payload" not in answer
            assert (await sandbox.command("U0OWNER", "/countersign", "help")).ok
    assert [line for line in lines if line["log_level"] != "info"] == [
        {"event": "socket_mode.refused", "fault": fault, "log_level": "warning"}
    ]
    assert [r[:2] for r in reported] == [("refused", fault), ("command", "ok")]


@pytest.mark.parametrize("payload", [shortcut(OWNER, "none"), click(OWNER, "approve", team=None, user={"id": "U0OWNER"})])
async def test_what_nobody_here_answers_is_acknowledged_all_the_same(office: Office, payload: Any) -> None:
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox):
        assert (await sandbox.deliver("interactive", payload)).acked
    assert await office.store.inbox.unfinished(9) == []


async def test_what_failed_here_is_not_acknowledged(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(office.service, "take_in", broken)
    reported: list[tuple[str, str, float]] = []
    async with (
        Sandbox({**WORKSPACE, "settings": {"ack_seconds": 0.5}}) as sandbox,
        served(office, sandbox, reported=reported),
    ):
        outcome = await sandbox.command("U0OWNER", "/countersign", "help")
    assert (outcome.acked, outcome.error) == (False, "operation_timeout")
    assert [r[:2] for r in reported] == [("command", "failed")]


async def test_a_token_that_slack_refuses_ends_the_connecting(office: Office) -> None:
    async with Sandbox(WORKSPACE) as sandbox:
        door = parts.door(office, web_client(sandbox.bot_token, sandbox.api_url))
        with pytest.raises(SlackApiError, match="invalid_auth"):
            await asyncio.wait_for(door.socket_mode("xapp-wrong", asyncio.Event()), 5)


async def test_a_stop_answers_what_has_arrived(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, reached, go = office.service.take_in, asyncio.Event(), asyncio.Event()

    async def slow(*args: object) -> object:
        reached.set()
        await go.wait()
        return await whole(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(office.service, "take_in", slow)
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox) as (stop, _):
        pressed = asyncio.create_task(sandbox.command("U0OWNER", "/countersign", "help"))
        await reached.wait()
        stop.set()
        go.set()
        assert (await pressed).ok
    assert len(await office.store.inbox.unfinished(9)) == 1


async def test_a_stop_works_while_slack_cannot_be_reached(office: Office) -> None:
    door = parts.door(office, web_client("xoxb-x", "http://127.0.0.1:9/api/"))
    stop = asyncio.Event()
    task = asyncio.create_task(door.socket_mode("xapp-x", stop))
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.2)
    stop.set()
    await asyncio.wait_for(task, 5)


def test_what_a_library_logs_holds_no_address_and_no_token(caplog: pytest.LogCaptureFixture) -> None:
    logger = quiet_logger("tests.quiet")
    try:
        raise OSError("wss://wss.slack.example/link?ticket=secret-1")
    except OSError:
        logger.exception(
            "Failed to connect to %s with xapp-1-secret-2 (https://hooks.example/secret-3)", "wss://x/secret-4"
        )
    logger.warning("secret-5")
    assert [r.getMessage() for r in caplog.records] == ["Failed to connect to [hidden] with [hidden] ([hidden]"]
    assert "secret" not in caplog.text
    assert logger.level == logging.ERROR


@pytest.mark.parametrize(("found", "ours", "events"), [
    (2, 2, []), (3, 2, ["socket_mode.foreign_connection"]), (2, 1, ["socket_mode.foreign_connection"]),
    (11, 11, ["socket_mode.too_many"]),
])  # fmt: skip
def test_connections_with_our_token_are_compared_with_the_replicas_that_live(
    found: int, ours: int, events: list[str]
) -> None:
    with capture_logs() as told:
        SocketMode(cast(Any, None), "xapp-x", ours=lambda: ours)._compare(found)
    assert [line["event"] for line in told] == events
