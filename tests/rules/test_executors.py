"""Whatever people, time, kills and the system itself do: what the system holds open is what is granted, and nothing else."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.background.executor_webhooks import ExecutorWebhooks
from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Call, Case
from bot.domain.workflow.executor import Heard
from bot.ports.commands import Press, ReplyAddress
from bot.ports.records import ExecutorCall
from tests.bot import parts
from tests.bot.building import DEP1, HOUR, MINUTE, OWNER, PE1, policy
from tests.bot.office import Killed
from tests.bot.permitting import SignedOffice

ACTS = (
    "approve",
    "revoke",
    "finish",
    "extend",
    "kill before",
    "kill after",
    "down",
    "up",
    "minute",
    "half an hour",
    "restart",
)


@dataclass
class System:
    """Doing a thing twice is as good as once; whatever was closed stays closed. `told_late` must stay empty."""

    up: bool = True
    fails: bool = False  # it cannot close
    dies: str = ""
    open_until: dict[str, datetime] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    told_late: list[str] = field(default_factory=list)

    def hear(self, case: Case, call: Call, now: datetime) -> Heard | str:
        if not self.up:
            return "http_503"
        if self.dies == "kill before":
            self.dies = ""
            raise Killed
        if call.kind == "close" and self.fails:
            return Heard("failed", "busy")
        if call.kind == "close":
            self.closed.add(case.id)
            self.open_until.pop(case.id, None)
        else:
            self.told_late += [case.id] if case.id in self.closed or now >= call.not_after else []
            self.open_until[case.id] = call.not_after
        if self.dies == "kill after":
            self.dies = ""
            raise Killed
        return Heard("closed" if call.kind == "close" else "opened")


class Told(ExecutorWebhooks):
    """The real executors; only the network is missing."""

    system: System

    async def _post(
        self, url: str, secret: str, case: Case, call: Call, out: ExecutorCall, permit: str | None
    ) -> Heard | str:
        assert (permit is None) == (call.kind == "close")
        return self.system.hear(case, call, self._clock.now())


class World:
    def __init__(self, office: SignedOffice) -> None:
        self.office, self.system = office, System()
        self.begin()

    def begin(self) -> None:
        self.office.service.permits = self.office.issuer
        self.executors = parts.executors(
            self.office, {"URL": "https://x", "SECRET": "whsec_eA=="}, self.office.signer.cover, Told
        )
        self.executors.system = self.system

    async def restart(self) -> None:
        await self.executors.close()
        await self.office.restart()
        await self.office.store.free_leases()
        self.begin()

    async def go_on(self) -> None:
        """A turn of everything; whoever dies in it comes back as a new process."""
        await self.office.sweeper.sweep()
        try:
            await self.executors.drain()
        except Killed:
            await self.restart()

    async def act(self, act: str, case_id: str) -> None:
        office = self.office
        if act in ("approve", "revoke"):
            await office.click(OWNER if act == "approve" else DEP1, case_id, act)  # type: ignore[arg-type]
        elif act == "finish":
            await office.click(PE1, case_id, "finish")
        elif act == "extend":
            await office.take_in(Press(PE1, case_id, 1, "extend", ReplyAddress(PE1, channel="D0"), "more", seconds=3600))
            await office.worker.drain()
            for ask in (await office.case(case_id)).later:
                await office.click(OWNER, case_id, "approve", ask.version)
        elif act in ("up", "down", "fails"):
            self.system.up, self.system.fails = act != "down", act == "fails"
        elif act == "restart":
            await self.restart()
        elif act.startswith("kill"):
            self.system.dies = act
        else:
            office.clock.at += MINUTE if act == "minute" else HOUR / 2
        await self.go_on()

    async def settle(self) -> None:
        """The system is up, and the slowest repeat has come."""
        self.system.up, self.system.fails, self.system.dies = True, False, ""
        for _ in range(3):
            await self.go_on()
            self.office.clock.at += timedelta(minutes=10)
        await self.go_on()


async def played(folder: Path, acts: list[tuple[str, int]]) -> None:
    async with SignedOffice(folder / "countersign.db", policy()) as office:
        world = World(office)
        ids = [await office.file(PE1, "executed", target=f"srv-{n}") for n in range(2)]
        for act, which in acts:
            await world.act(act, ids[which])
        await world.settle()
        granted: dict[str, Any] = {}
        for case_id in ids:
            grant = (await office.case(case_id)).grant
            if grant is not None and grant.state is GrantState.OPEN:
                granted[case_id] = grant.not_after
        assert world.system.open_until == granted
        assert world.system.told_late == []
        await world.executors.close()


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1)), max_size=10))
def test_what_is_open_is_what_is_granted(acts: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(played(Path(folder), [("approve", 0), *acts]))
