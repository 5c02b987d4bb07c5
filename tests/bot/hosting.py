"""An office beside which somebody types commands on the host."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

import typer
from typer.testing import CliRunner, Result

from bot.cli.requests import app as requests
from bot.decision_log.emergency_file import EmergencyFile
from bot.decision_log.host_acts import HostActs
from bot.decision_log.keys import LogKey, make_keys
from bot.decision_log.late_lines import LateLines
from bot.domain.policy.people import Person
from bot.ports.commands import COMMAND
from bot.ports.host_commands import ActOnHost
from tests.bot.building import HOME
from tests.bot.office import Office

ASKER = Person(HOME, "U0PE1")
FORM = {"fields": {"ticket": "INC1001"}, "target": "dc-core-01", "reason": "sync stopped"}


class Host(Office):
    """An office of the example organisation, now, whose commits take the lock of a state directory."""

    async def ask(self, **how: Any) -> str:
        return await self.file(ASKER, "directory-admin-emergency", **(FORM | how))

    async def open(self) -> Self:
        if not isinstance(self.place, Path):  # there no command makes keys
            make_keys(self.state_dir)
        return await super().open()

    @property
    def state_dir(self) -> Path:
        return self.path.parent / "state"

    async def type(self, *words: str, app: typer.Typer = requests) -> tuple[int, str]:
        """What a shell sees: exit code and everything printed. In a thread, as another process is beside the bot."""
        done = await self._led(asyncio.ensure_future(asyncio.to_thread(CliRunner().invoke, app, list(words))))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, " ".join(done.output.replace("│", " ").split())

    async def _led(self, typed: asyncio.Future[Result]) -> Result:
        """On PostgreSQL the replica that leads carries out meanwhile what the command hands in."""
        if isinstance(self.place, Path):
            return await typed
        key = LogKey(self.state_dir)
        late = LateLines(self.store.cases, self.store.operator, self.clock)
        acts = HostActs(self.store, late, EmergencyFile(self.state_dir, key.sign, key.check), key.check)
        beat = {"id": "beside", "host": "here", "started_ms": 0, "size": 0, "emergency": 0}
        while not typed.done():
            await self.store.transactions.write(lambda tx: tx.session.run("beat_replica", **beat))
            for row in self.rows("SELECT id, act FROM inbox WHERE done_ms IS NULL AND key LIKE 'host:%' ORDER BY id"):
                act = COMMAND.validate_json(row["act"])
                assert isinstance(act, ActOnHost)
                await acts.carry_out(act, row["id"])
            await asyncio.wait([typed], timeout=0.02)
        return typed.result()
