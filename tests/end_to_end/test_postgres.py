"""`countersign run` on PostgreSQL, end to end: file, approve, revoke, verify, export; kill -9 and restart; what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.decision_log.keys import make_keys
from bot.demo.workspace import APPROVER, ASKER
from bot.ports.database import PostgresServer
from tests.end_to_end.conftest import Bot
from tests.postgres import PostgresForTests

Start = Callable[..., Awaitable[Bot]]


@pytest.fixture
def on_postgres(postgres_database: PostgresServer) -> Callable[[Bot], None]:
    def prepare(bot: Bot) -> None:
        bot.server = postgres_database
        (bot.home / "state").mkdir(mode=0o700)
        make_keys(bot.home / "state")

    return prepare


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_request_is_filed_approved_revoked_verified_and_exported(
    on_postgres: Callable[[Bot], None], start: Start, file: Any, transport: str, tmp_path: Path
) -> None:
    bot = await start(transport=transport, prepare=on_postgres, anew=True)
    sandbox = bot.sandbox
    card = await file(sandbox)
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: [m for m in sandbox.messages(ASKER) if "Before you start" in m.shown])
    ((case_id,),) = bot.rows("SELECT id FROM request WHERE state = 'approved'")
    assert (await bot.command("requests", "list"))[1].splitlines()[1].startswith(str(case_id))
    code, said = await bot.command("requests", "revoke", str(case_id), "--reason", "The laptop is lost")
    assert code == 0, said
    await sandbox.wait_for(lambda: "grant.revoked" in bot.types())
    code, said = await bot.command("log", "verify")
    assert (code, said.splitlines()[-1][-17:]) == (0, "no problems found"), said
    code, said = await bot.command("log", "export", "--out", str(tmp_path / "evidence"))
    assert code == 0, said
    code, said = await bot.command("log", "verify", "--export", str(tmp_path / "evidence"))
    assert code == 0, said


async def test_a_kill_between_click_and_message_loses_no_act(
    on_postgres: Callable[[Bot], None], start: Start, file: Any
) -> None:
    bot = await start(prepare=on_postgres)
    for number in range(3):
        card = await file(bot.sandbox, target=f"dc-{number}")
        # The card is noted as sent: a kill before that leaves two copies of it (design, section 9), and only one is brought up to date.
        await bot.sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"))
        outcome = await bot.sandbox.press(APPROVER, "Approve", message=card)
        await bot.kill()
        assert outcome.ok
        await bot.start()
        await bot.sandbox.wait_for(lambda n=number: bot.types().count("grant.opened") == n + 1, 15)
        await bot.sandbox.wait_for(lambda c=card: "Approve" not in bot.sandbox.current(c).buttons, 15)
    assert bot.types().count("request.approved") == 3
    assert (await bot.command("log", "verify"))[0] == 0


async def test_run_refuses_missing_keys_an_old_schema_and_a_newer_one_with_a_sentence_and_exit_2(
    on_postgres: Callable[[Bot], None], start: Start
) -> None:
    bot = await start(prepare=on_postgres)
    await bot.stop()
    shutil.move(bot.home / "state" / "log.key", bot.home / "kept.key")
    code, said = await bot.command("run")
    assert (code, "countersign keys init" in said) == (2, True), said
    shutil.move(bot.home / "kept.key", bot.home / "state" / "log.key")
    newest = max(row[0] for row in bot.rows("SELECT version FROM schema_version"))
    bot.write(f"UPDATE schema_version SET version = 999 WHERE version = {newest}")
    code, said = await bot.command("run")
    assert (code, f"version 999, this program knows {newest}" in said) == (2, True), said
    bot.write("DELETE FROM schema_version WHERE version = 999")
    code, said = await bot.command("run")
    assert (code, f"version {newest - 1}, this program needs {newest}" in said) == (2, True), said
    bot.write(f"INSERT INTO schema_version VALUES ({newest}, 'again', 0)")
    assert await bot.command("migrate") == (0, "The database is up to date.\n")
    await bot.start()


@pytest.mark.sqlite  # it moves from a file of SQLite
async def test_a_live_installation_moves_and_goes_on_where_it_was(
    start: Start, file: Any, postgres: PostgresForTests
) -> None:
    bot = await start()
    card = await file(bot.sandbox)
    server = postgres.empty()
    source = f"sqlite:///{bot.database}"
    assert (await bot.command("move", source, server.url))[0] == 2  # the bot runs
    await bot.stop()
    code, said = await bot.command("move", source, server.url)
    assert code == 0, said
    bot.server = server
    await bot.start()
    await bot.sandbox.press(APPROVER, "Approve", message=card)
    await bot.sandbox.wait_for(lambda: "grant.opened" in bot.types())
    code, said = await bot.command("log", "verify")
    assert code == 0, said


async def test_doctor_sees_the_server(on_postgres: Callable[[Bot], None], start: Start) -> None:
    bot = await start(prepare=on_postgres)
    _, said = await bot.command("doctor")
    assert "database:" not in said, said
    assert "error: log" not in said, said
