"""A runbook with an executor, in a process of its own that is killed at each step, and a permit beside it."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from storage.log.check import check_database
from tests.bot.receiving import SECRET, Receiver
from tests.end_to_end.conftest import REPOSITORY

pytestmark = pytest.mark.both

ASKER, APPROVER = "U0PE1", "U0OWNER"
RUNBOOK = "directory-admin-emergency"


def with_executor(bot: Any) -> None:
    path = bot.home / "runbooks" / f"{RUNBOOK}.md"
    keys = 'executor: {webhook: "env:PAM_URL", secret: "env:PAM_SECRET"}\n'
    path.write_text(path.read_text().replace("---\n", f"---\n{keys}", 1))


def command(bot: Any, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=REPOSITORY,
        env=bot.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.sqlite  # it reads the bytes of the database's file
async def test_an_end_is_announced_once_and_never_lost_however_often_the_bot_is_killed(
    start: Callable[..., Any], file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as system:
        monkeypatch.setenv("PAM_URL", system.url)
        monkeypatch.setenv("PAM_SECRET", SECRET)
        bot = await start(prepare=with_executor)  # before the first start: an executor added later waits for `policy_delay`
        sandbox = bot.sandbox
        system.answers = [None]  # the opening arrives, and its answer never does
        card = await file(sandbox)
        await sandbox.press(APPROVER, "Approve", message=card)
        await sandbox.wait_for(lambda: system.told, 30)
        await bot.kill()
        await bot.start()
        await sandbox.wait_for(lambda: "executor.opened" in bot.types(), 60)
        receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Permit"), 30)
        await sandbox.wait_for(lambda: "The system confirmed at" in sandbox.current(receipt).shown, 30)

        await sandbox.press(ASKER, "Permit", message=sandbox.current(receipt))
        page = await sandbox.wait_for(lambda: sandbox.modal(ASKER), 30)
        token = next(block["element"]["initial_value"] for block in page.blocks if block["type"] == "input")
        (bot.home / "permit").write_text(token)
        done = await asyncio.to_thread(
            command, bot, "permit", "verify", str(bot.home / "permit"), "--aud", "pam-prod", "--json"
        )
        assert done.returncode == 0, done.stderr
        jti = json.loads(done.stdout)["jti"]
        stored = b"".join(path.read_bytes() for path in bot.home.glob("bot.db*"))
        assert jti.encode() in stored
        assert all(part.encode() not in stored + (bot.home / "bot.log").read_bytes() for part in token.split("."))
        assert base64.urlsafe_b64decode(token.split(".")[0] + "==")

        system.answers = [503, None]  # the closing is refused, then arrives without an answer
        await sandbox.press(ASKER, "Finished", message=sandbox.current(receipt))
        await sandbox.wait_for(lambda: "grant.finished" in bot.types(), 30)
        await bot.kill()
        await bot.start()
        closes = lambda: [id_ for kind, id_ in system.told if kind == "grant.close"]  # noqa: E731
        await sandbox.wait_for(lambda: len(closes()) >= 2, 60)
        await bot.kill()
        await bot.start()
        await sandbox.wait_for(lambda: "executor.closed" in bot.types(), 60)
        await sandbox.wait_for(lambda: "The system confirmed at" in sandbox.current(receipt).shown, 30)
        assert "that access is closed" in sandbox.current(receipt).shown
        assert len(set(closes())) == 1
        assert [t for t in bot.types() if t.startswith(("executor.", "grant."))] == [
            "grant.opened", "executor.opened", "grant.finished", "executor.closed"
        ]  # fmt: skip
        assert check_database(bot.place).findings == ()
        assert os.environ["PAM_SECRET"] not in (bot.home / "bot.log").read_text()
