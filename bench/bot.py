"""The bot as a user runs it, in a process of its own, against the sandbox in ours."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runbooks
from bot.demo.workspace import APPROVER, ASKER, workspace
from bot.domain.policy.model import Policy
from runbooks.loader import load
from sandbox.delivery import Outcome
from sandbox.driver import Sandbox
from sandbox.seen import Seen

EXAMPLE = Path(runbooks.__file__).parent
REPOSITORY = EXAMPLE.parent
RUNBOOK = "directory-admin-emergency"
_WAIT = 30.0  # seconds


class BenchError(Exception):
    """What was to be measured did not work."""


def example() -> Policy:
    """The example organisation's policy."""
    policy = load(EXAMPLE).policy
    if policy is None:
        raise BenchError("The example organisation does not load.")
    return policy


def environment(**more: str) -> dict[str, str]:
    """Ours, without settings of a bot."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    return {**kept, **more}


@dataclass
class Running:
    """A connected bot; everything that one sees of it from outside."""

    sandbox: Sandbox
    process: asyncio.subprocess.Process
    database: Path

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Reads the database beside the bot."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    async def file(self, number: int) -> tuple[Seen, Outcome]:
        """Files a request as a person does; the owner's card, and what became of the form."""
        sandbox = self.sandbox
        before = {m.ts for m in sandbox.messages(APPROVER)}
        await sandbox.command(ASKER, "/breakglass", f"{RUNBOOK} Sync stopped, nobody can sign in")
        await sandbox.wait_for(lambda: sandbox.modal(ASKER), _WAIT)
        sent = await sandbox.submit(ASKER, {"Target": f"dc-core-{number}", "Incident ticket": f"INC{number}"})
        if not sent.ok:
            raise BenchError(f"The form was refused: {sent.errors or sent.error}")

        def fresh() -> Seen | None:
            return next((m for m in sandbox.messages(APPROVER) if m.ts not in before and "Approve" in m.buttons), None)

        card = await sandbox.wait_for(fresh, _WAIT)
        assert card is not None
        await sandbox.close(ASKER, everything=True)
        return card, sent

    async def silent(self) -> None:
        """Until everything that was to be said is said."""
        for _ in range(int(_WAIT / 0.05)):
            if not self.rows(
                "SELECT 1 FROM outbox WHERE done_ms IS NULL UNION ALL SELECT 1 FROM inbox WHERE done_ms IS NULL"
            ):
                return
            await asyncio.sleep(0.05)
        raise BenchError("The bot does not come to rest.")


@asynccontextmanager
async def running(scratch: Path, policy: Policy, env: dict[str, str]) -> AsyncIterator[Running]:
    """A fresh bot on a fresh database in `scratch`, connected; stopped in the end, whatever happens."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    async with Sandbox(workspace(policy, 1)) as sandbox:
        settings = {
            **env, **sandbox.environment, "COUNTERSIGN_DATABASE_URL": f"sqlite:///{scratch / 'bot.db'}",
            "COUNTERSIGN_RUNBOOKS_DIR": str(EXAMPLE), "COUNTERSIGN_STATE_DIR": str(scratch / "state"),
        }  # fmt: skip
        with (scratch / "bot.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=REPOSITORY, env=settings, stdout=log, stderr=log
            )
        try:
            await sandbox.wait_for(lambda: sandbox.sockets > 0 or process.returncode is not None, _WAIT)
            if process.returncode is not None:
                raise BenchError(f"The bot ended:\n{(scratch / 'bot.log').read_text()[-2000:]}")
            yield Running(sandbox, process, scratch / "bot.db")
        finally:
            await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    """Ends a process: kindly, then not."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()
