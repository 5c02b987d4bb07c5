"""Socket Mode against the look-alike: hello, answers, reconnects, and a stop that answers what has arrived."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from handlers.edge import web_client
from handlers.register import Identity, SlackDoor
from handlers.socket_mode import quiet_logger
from sandbox.driver import Sandbox
from tests.bot.office import Office

WORKSPACE = {
    "teams": [{"id": "T0HOME", "name": "Home"}],
    "users": [{"id": u, "name": u.lower(), "real_name": u, "team_id": "T0HOME"} for u in ("U0OWNER", "U0PE1")],
    "app": {"commands": [{"command": "/countersign", "description": "x", "should_escape": True},
                         {"command": "/breakglass", "description": "x", "should_escape": True}]},
}  # fmt: skip


@asynccontextmanager
async def served(office: Office, sandbox: Sandbox) -> AsyncIterator[tuple[asyncio.Event, list[str]]]:
    door = SlackDoor(office.desk, web_client(sandbox.bot_token, sandbox.api_url), Identity("T0HOME", "U0BOT", "B0BOT"))
    stop, hellos = asyncio.Event(), []
    task = asyncio.create_task(door.socket_mode(sandbox.app_token, stop, lambda: hellos.append("hello")))
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
        assert [row.act.kind for row in await office.store.inbox(9)] == ["read"]
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


async def test_a_stop_answers_what_has_arrived(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, reached, go = office.desk.take_in, asyncio.Event(), asyncio.Event()

    async def slow(*args: object) -> object:
        reached.set()
        await go.wait()
        return await whole(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(office.desk, "take_in", slow)
    async with Sandbox(WORKSPACE) as sandbox, served(office, sandbox) as (stop, _):
        pressed = asyncio.create_task(sandbox.command("U0OWNER", "/countersign", "help"))
        await reached.wait()
        stop.set()
        go.set()
        assert (await pressed).ok
    assert len(await office.store.inbox(9)) == 1


async def test_a_stop_is_heard_while_slack_cannot_be_reached(office: Office) -> None:
    door = SlackDoor(office.desk, web_client("xoxb-x", "http://127.0.0.1:9/api/"), Identity("T0HOME", "U0BOT", "B0BOT"))
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
