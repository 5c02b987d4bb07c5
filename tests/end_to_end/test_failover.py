"""PostgreSQL fails over to a copy that lost its last second: what was signed is missing, so nothing is given and nothing is signed
again, while what takes away goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from bot.decision_log.signer_memory import recall
from bot.demo.workspace import APPROVER
from bot.ports.database import PostgresServer
from storage.postgres import schema
from storage.postgres.driver import PostgresSession
from tests.end_to_end.conftest import Bot
from tests.end_to_end.fleet import Fleet, with_keys
from tests.end_to_end.own_postgres import OwnPostgres

Start = Callable[..., Awaitable[Bot]]


async def said(bot: Bot) -> str:
    """What /readyz says; empty while nobody answers."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://{bot.ops_listen}/readyz") as answer:
            return f"{answer.status} {(await answer.text()).strip()}"
    except aiohttp.ClientError:
        return ""


async def until(found: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    async with asyncio.timeout(seconds):
        while not (result := await found()):
            await asyncio.sleep(0.2)
        return result


@pytest.mark.timeout(240)
async def test_after_a_failover_that_lost_what_was_signed_nothing_is_given_and_no_fork_is_signed(
    start: Start, file: Any, tmp_path: Path
) -> None:
    async with OwnPostgres() as database:
        session = PostgresSession(database.server.url)
        with session.raw:
            schema.migrate(session, 0)

        def place() -> tuple[PostgresServer, str]:
            return PostgresServer(database.server.url), database.line.url

        fleet = Fleet(await start(prepare=with_keys(*place())), place)
        try:
            await fleet.grow(tmp_path, 2)
            await assert_it_stops(fleet, database, file)
        finally:
            await fleet.stop()


async def assert_it_stops(fleet: Fleet, database: OwnPostgres, file: Any) -> None:
    sandbox, ground = fleet.sandbox, fleet.ground
    await file(sandbox, target="dc-1")
    ((pending,),) = fleet.rows("SELECT id FROM request WHERE state = 'pending'")
    copy = await database.standby()
    await asyncio.sleep(2)  # the copy has all of it, and both replicas remember the checkpoint
    switching = asyncio.ensure_future(database.fail_over(copy, lost=2.5))
    await asyncio.sleep(0.8)
    await file(sandbox, target="dc-2")  # signed, and lost with the last seconds
    await switching
    with contextlib.suppress(psycopg.OperationalError):
        fleet.rows("SELECT 1")  # its connection was to the server that is gone
    (head,) = fleet.rows("SELECT size FROM log_head")[0]
    for bot in fleet.bots:
        bot.server = PostgresServer(database.server.url)
        memory = recall(bot.home / "state")
        assert memory is not None
        assert memory.size > head, "the copy lost nothing that was signed"

    async def stopped() -> bool:
        return any(["log is stopped" in await said(bot) for bot in fleet.bots])

    await until(stopped, 60)
    await ground.click(APPROVER, "approve", f"{pending}:1")
    await ground.form(APPROVER, "deny", {"reason": "Not now"}, metadata=ground.about(pending))

    async def denied() -> bool:
        files = [bot.home / "state" / "emergency.jsonl" for bot in fleet.bots]
        return any(pending in path.read_text() for path in files if path.exists())

    await until(denied, 30)
    assert fleet.rows("SELECT 1 FROM log_entry WHERE type IN ('request.approved', 'grant.opened')") == []
    assert fleet.rows(f"SELECT 1 FROM log_checkpoint WHERE size > {head}") == []
    for bot in fleet.bots:
        memory = recall(bot.home / "state")
        assert memory is not None
        assert memory.size > head
