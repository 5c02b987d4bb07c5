"""An office beside which somebody types commands on the host."""

from __future__ import annotations

import asyncio
from typing import Any

import typer
from typer.testing import CliRunner

from bot.cli.requests import app as requests
from bot.domain.policy.people import Person
from tests.bot.building import HOME
from tests.bot.office import Office

ASKER = Person(HOME, "U0PE1")
FORM = {"fields": {"ticket": "INC1001"}, "target": "dc-core-01", "reason": "sync stopped"}


class Host(Office):
    """An office of the example organisation, now, whose commits take the lock of a state directory."""

    async def ask(self, **how: Any) -> str:
        return await self.file(ASKER, "directory-admin-emergency", **(FORM | how))

    async def type(self, *words: str, app: typer.Typer = requests) -> tuple[int, str]:
        """What a shell sees: exit code and everything printed. In a thread, as another process is beside the bot."""
        done = await asyncio.to_thread(CliRunner().invoke, app, list(words))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, " ".join(done.output.replace("│", " ").split())
