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
from urllib.parse import urlsplit

import aiohttp
import psycopg
import pytest

from bot.decision_log.keys import make_keys
from bot.demo.workspace import APPROVER, ASKER
from bot.ports.database import PostgresServer
from tests.end_to_end.conftest import Bot
from tests.end_to_end.ground import Ground, free_port
from tests.postgres import PostgresForTests

Start = Callable[..., Awaitable[Bot]]
BOUND = 10.0  # seconds from the death of a leader to the answer to a press


@pytest.fixture
async def pair(postgres_database: PostgresServer, start: Start, tmp_path: Path) -> AsyncIterator[tuple[Bot, Bot]]:
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


async def test_a_command_on_any_host_is_carried_out_by_the_leader_and_without_one_a_no_waits_in_the_emergency_file(
    pair: tuple[Bot, Bot], file: Any
) -> None:
    first, second = pair
    await file(first.sandbox)
    await file(first.sandbox, target="dc-2")
    one, other = [str(row[0]) for row in first.rows("SELECT id FROM request WHERE target LIKE 'dc-%' ORDER BY filed_ms")]
    code, said = await second.command("status")
    assert ("Role       standby" in said, "Leader" in said) == (True, True), said
    code, said = await second.command("requests", "deny", one, "--reason", "Not today")
    assert code == 0, said
    assert first.rows("SELECT outcome FROM inbox WHERE key LIKE 'host:%'") == [("",)]
    code, said = await second.command("requests", "deny", one, "--reason", "Again")
    assert (code, "denied" in said) == (1, True), said
    await first.stop()
    await second.stop()
    await asyncio.sleep(6.5)  # nobody lives by the database's clock
    code, said = await second.command("log", "hold", "place", "T0HOME/U0OWNER", "--reason", "A dispute")
    assert (code, "No replica leads" in said) == (1, True), said
    code, said = await second.command("requests", "deny", other, "--reason", "Nobody is there")
    assert (code, "emergency file" in said) == (0, True), said
    assert first.types().count("request.denied") == 1
    code, said = await second.command("requests", "show", other)
    assert "denied" in said  # it counts already for who looks from here
    await first.launch()  # the other host's replica leads, and the file is handed in to it
    await first.sandbox.wait_for(lambda: first.rows("SELECT 1 FROM leadership WHERE beat_ms > 0 AND token > 1") != [], 30)
    await second.launch()
    await first.sandbox.wait_for(lambda: first.types().count("request.denied") == 2, 40)
    await first.sandbox.wait_for(lambda: not (second.home / "state" / "emergency.jsonl").read_text().strip(), 10)
    code, said = await second.command("log", "verify")
    assert code == 0, said


async def test_while_the_database_is_lost_a_no_counts_at_every_replica_and_is_entered_when_it_is_back(
    pair: tuple[Bot, Bot], file: Any, postgres: PostgresForTests
) -> None:
    first, second = pair
    sandbox, ground = first.sandbox, Ground(first)
    await sandbox.press(APPROVER, "Approve", message=await file(sandbox))
    await file(sandbox, target="dc-2")
    await sandbox.wait_for(lambda: "grant.opened" in first.types())
    opened, pending, other = (
        str(first.rows(f"SELECT id FROM request WHERE target LIKE 'dc-%' AND state = '{state}'")[0][0])
        for state in ("approved", "pending", "pending")
    )
    await asyncio.sleep(2.5)  # both have seen them
    server = first.server
    assert server is not None
    allow(postgres, server, allowed=False)
    try:
        for _ in range(2):  # the envelopes go to both replicas in turn
            outcome = await ground.click(APPROVER, "revoke", f"{opened}:1")
            assert outcome.ok, outcome.error
        outcome = await ground.form(APPROVER, "deny", {"reason": "Not now"}, metadata=ground.about(pending))
        assert outcome.ok, outcome.error
        outcome = await ground.click(APPROVER, "approve", f"{other}:1")
        assert outcome.ok, outcome.error
        await sandbox.wait_for(lambda: waits(first, opened) + waits(second, opened) >= 1, 30)
        await sandbox.wait_for(lambda: waits(first, pending) + waits(second, pending) >= 1, 30)
    finally:
        allow(postgres, server, allowed=True)
    await sandbox.wait_for(lambda: {"grant.revoked", "request.denied"} <= set(first.types()), 60)
    await sandbox.wait_for(lambda: not (waits(first, "") or waits(second, "")), 30)
    told = [json.loads(row[0]) for row in first.rows("SELECT data FROM log_entry ORDER BY idx")]
    for kind in ("grant.revoked", "request.denied"):
        (entry,) = [e for e in told if e["type"] == kind]
        assert "taken_at" in entry["data"], entry
    assert first.types().count("request.approved") == 1
    await sandbox.wait_for(
        lambda: not first.rows("SELECT 1 FROM inbox WHERE done_ms IS NULL"), 60
    )  # what was held is handed in
    code, said = await second.command("log", "verify")
    assert code == 0, said


async def test_a_no_that_comes_late_ends_what_was_approved_meanwhile_and_everybody_is_told(
    pair: tuple[Bot, Bot], file: Any
) -> None:
    """It was said on a host whose replica was away, so that the leader could not know of it."""
    first, second = pair
    sandbox = first.sandbox
    card = await file(sandbox)
    (case,) = [str(row[0]) for row in first.rows("SELECT id FROM request WHERE target LIKE 'dc-%'")]
    await first.stop()
    await second.stop()
    await asyncio.sleep(6.5)  # nobody lives by the database's clock
    code, said = await second.command("requests", "deny", case, "--reason", "The laptop is stolen")
    assert (code, "emergency file" in said) == (0, True), said
    await first.launch()
    await sandbox.wait_for(lambda: sandbox.sockets == 1, 40)
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: first.types().count("grant.opened") == 1, 30)
    await second.launch()
    await sandbox.wait_for(lambda: first.types().count("grant.revoked") == 1, 60)
    await sandbox.wait_for(lambda: not waits(second, ""), 30)
    told = [json.loads(row[0]) for row in first.rows("SELECT data FROM log_entry ORDER BY idx")]
    (revoked,) = [entry for entry in told if entry["type"] == "grant.revoked"]
    assert (revoked["actor"], "taken_at" in revoked["data"]) == ({"kind": "operator"}, True)
    for person in (ASKER, APPROVER):
        await sandbox.wait_for(
            lambda who=person: any("said no at" in m.text and "has ended" in m.text for m in sandbox.messages(who)), 30
        )
    await sandbox.wait_for(lambda: "REVOKED" in sandbox.current(card).text, 30)
    assert "request.denied" not in first.types()
    code, said = await second.command("log", "verify")
    assert code == 0, said


async def test_a_yes_outlasts_the_loss_of_the_leaders_connection_that_nobody_noticed(
    pair: tuple[Bot, Bot], file: Any, postgres: PostgresForTests
) -> None:
    first, _second = pair
    sandbox = first.sandbox
    cards = [await file(sandbox, target=f"dc-{number}") for number in range(2)]
    server = first.server
    assert server is not None
    for number, card in enumerate(cards, 1):
        with psycopg.connect(server.url, autocommit=True) as raw:
            raw.execute("SELECT pg_terminate_backend(pid::int4) FROM leadership")
        await sandbox.press(APPROVER, "Approve", message=card)
        await sandbox.wait_for(lambda count=number: first.types().count("grant.opened") == count, 30)
    assert first.rows("SELECT token FROM leadership") == [(1,)]  # the same one leads
    code, said = await first.command("log", "verify")
    assert code == 0, said


def allow(postgres: PostgresForTests, server: PostgresServer, *, allowed: bool) -> None:
    """Whether anybody may connect to the database; if not, every session ends."""
    name = urlsplit(server.url).path[1:]
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {str(allowed).lower()}'.encode())
        if not allowed:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


def waits(bot: Bot, case: str) -> int:
    """How many lines about a request wait in a replica's emergency file."""
    path = bot.home / "state" / "emergency.jsonl"
    return sum(case in line for line in path.read_text().splitlines() if line.strip()) if path.exists() else 0


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
