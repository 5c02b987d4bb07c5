"""Two replicas on one PostgreSQL, as processes of their own: one leads, the other takes in and takes over."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.decision_log.keys import make_keys
from bot.demo.workspace import APPROVER
from bot.ports.database import PostgresServer
from tests.end_to_end.conftest import Bot
from tests.end_to_end.ground import free_port

Start = Callable[..., Awaitable[Bot]]
BOUND = 10.0  # seconds from the death of a leader to the answer to a press


@pytest.fixture
async def pair(start: Start, postgres_database: PostgresServer, tmp_path: Path) -> AsyncIterator[tuple[Bot, Bot]]:
    """The leader, and a standby that the leader has vouched for."""

    def prepare(bot: Bot) -> None:
        bot.server, bot.ops_listen = postgres_database, f"127.0.0.1:{free_port()}"
        (bot.home / "state").mkdir(mode=0o700)
        make_keys(bot.home / "state")

    first = await start(prepare=prepare)
    second = Bot(first.sandbox, tmp_path / "second", first.scale)
    second.home.mkdir()
    shutil.copytree(first.home / "runbooks", second.home / "runbooks")
    (second.home / "state").mkdir(mode=0o700)
    for key in ("log.key", "permit.key"):
        shutil.copy(first.home / "state" / key, second.home / "state" / key)
    second.server, second.ops_listen = postgres_database, f"127.0.0.1:{free_port()}"
    await second.launch()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(second.stop)
        await first.sandbox.wait_for(lambda: first.sandbox.sockets == 2, 40)
        await first.sandbox.wait_for(lambda: first.rows("SELECT 1 FROM replica WHERE size IS NULL") == [], 20)
        yield first, second


async def ready(bot: Bot) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://{bot.ops_listen}/readyz") as answer:
        return f"{answer.status} {(await answer.text()).strip()}"


async def test_a_standby_takes_over_within_ten_seconds_of_kill_9_and_loses_no_press(
    pair: tuple[Bot, Bot], file: Any
) -> None:
    first, second = pair
    sandbox = first.sandbox
    assert (await ready(first), await ready(second)) == ("200 ready\nleader", "200 ready\nstandby")
    code, said = await second.command("replicas", "--json")
    told = {one["role"]: one for one in json.loads(said)}
    assert (code, set(told)) == (0, {"leader", "standby"})
    assert told["standby"]["checkpoint"] > 0
    cards = [await file(sandbox, target=f"dc-{number}") for number in range(3)]  # some of it comes in at the standby
    await sandbox.press(APPROVER, "Approve", message=cards[0])
    await sandbox.wait_for(lambda: first.types().count("grant.opened") == 1)
    assert first.process is not None
    first.process.kill()
    await first.process.wait()
    killed = time.monotonic()
    await sandbox.wait_for(lambda: sandbox.sockets == 1, 5)
    outcome = await sandbox.press(APPROVER, "Approve", message=cards[1])
    assert outcome.ok
    await sandbox.wait_for(lambda: "Approve" not in sandbox.current(cards[1]).buttons, 30)
    print(f"answered {time.monotonic() - killed:.1f} s after the kill")
    assert time.monotonic() - killed < BOUND
    await sandbox.wait_for(lambda: sandbox.sockets == 1, 20)
    assert await ready(second) == "200 ready\nleader"
    await first.launch()
    await sandbox.wait_for(lambda: sandbox.sockets == 2, 40)
    assert (await ready(first), await ready(second)) == ("200 ready\nstandby", "200 ready\nleader")
    assert second.types().count("request.approved") == 2
    code, said = await second.command("log", "verify")
    assert code == 0, said


async def test_a_leader_that_wakes_after_another_has_taken_over_does_no_harm(pair: tuple[Bot, Bot], file: Any) -> None:
    first, second = pair
    sandbox = first.sandbox
    card = await file(sandbox)
    await sandbox.wait_for(lambda: not first.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"))  # all is noted as said
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)
    await sandbox.wait_for(lambda: first.rows("SELECT 1 FROM leadership WHERE token = 2") != [], 20)
    first.process.send_signal(signal.SIGCONT)
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: "Approve" not in sandbox.current(card).buttons, 30)
    for _ in range(100):
        try:
            found = await ready(first)
        except aiohttp.ClientError:
            found = ""  # it changes its part
        if found == "200 ready\nstandby":
            break
        await asyncio.sleep(0.2)
    assert found == "200 ready\nstandby"
    assert second.types().count("request.approved") == 1
    assert len([m for m in sandbox.messages(APPROVER) if "Approve" in m.buttons]) == 0
    code, said = await second.command("log", "verify")
    assert code == 0, said
