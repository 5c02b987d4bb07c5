"""What goes wrong while people press: replicas killed, frozen, with another time or a full disk; the database restarted, cut off
or silent; Slack slow, refusing, losing answers, hanging up, delivering twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import psycopg

from tests.end_to_end.fleet import Fleet
from tests.end_to_end.own_postgres import OwnPostgres

Blow = Callable[[], Awaitable[None]]
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'countersign'"
)
_FIRST = ("restart the database", "freeze leader", "cut", "kill leader")  # the shortest session has these, from the end


class Storm:
    """`rage` strikes until it is told that it is over; what was struck is always put right again."""

    def __init__(self, fleet: Fleet, database: OwnPostgres | None, chance: random.Random, pause: float) -> None:
        """`pause`: seconds between two blows at most."""
        self._fleet, self._database, self._chance, self._pause = fleet, database, chance, pause
        self.done: Counter[str] = Counter()
        self.blows: dict[str, Blow] = {
            "kill": self._kill, "kill leader": self._kill_leader, "freeze": self._freeze, "freeze leader": self._freeze_leader,
            "cut": self._cut, "clock": self._clock, "disk": self._disk, "slow": self._slow, "429": self._limited,
            "5xx": self._broken, "lost answers": self._lost, "sockets": self._sockets, "twice": self._twice,
        }  # fmt: skip
        if database is not None:
            self.blows |= {
                "restart the database": self._restart, "crash the database": self._crash, "freeze the line": self._line,
                "cut the line": self._cut_line,
            }  # fmt: skip

    async def rage(self, over: asyncio.Event) -> None:
        first = [name for name in _FIRST if name in self.blows]
        while not over.is_set() or first:
            name = first.pop() if first else self._chance.choice(sorted(self.blows))
            try:
                await self.blows[name]()
                self.done[name] += 1
            except (psycopg.OperationalError, LookupError):  # nobody leads at this moment
                first += [name] if not self.done[name] and over.is_set() else []
                await asyncio.sleep(0.2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._chance.uniform(1, self._pause))
        self._fleet.sandbox.faults.clear()

    # Replicas.

    async def _kill(self) -> None:
        bot = self._chance.choice(self._fleet.bots)
        await self._fleet.kill(bot)
        await asyncio.sleep(self._chance.uniform(0, 4))
        await bot.launch()

    async def _kill_leader(self) -> None:
        bot = await asyncio.to_thread(self._fleet.leader)
        if bot is None:
            raise LookupError
        await self._fleet.kill(bot)
        await asyncio.sleep(self._chance.uniform(0, 4))
        await bot.launch()

    async def _freeze(self) -> None:
        await self._fleet.freeze(self._chance.choice(self._fleet.bots))

    async def _freeze_leader(self) -> None:
        bot = await asyncio.to_thread(self._fleet.leader)
        if bot is None:
            raise LookupError
        await self._fleet.freeze(bot)

    async def _clock(self) -> None:
        """The wall clock of one is wrong by up to half a minute; then it is set right."""
        bot = self._chance.choice(self._fleet.bots)
        bot.set_clock(self._chance.choice((-1, 1)) * self._chance.uniform(3, 30))
        await asyncio.sleep(self._chance.uniform(2, 8))
        bot.set_clock(0)

    async def _disk(self) -> None:
        bot = self._chance.choice(self._fleet.bots)
        assert bot.process is not None
        if bot.process.returncode is not None:
            raise LookupError
        bot.fill_disk(full=True)
        await asyncio.sleep(self._chance.uniform(1, 5))
        with contextlib.suppress(ProcessLookupError):
            bot.fill_disk(full=False)

    # The database.

    async def _cut(self) -> None:
        await asyncio.to_thread(self._fleet.rows, CUT)

    async def _restart(self) -> None:
        assert self._database is not None
        await self._database.restart("fast", self._chance.uniform(0, 3))

    async def _crash(self) -> None:
        assert self._database is not None
        await self._database.restart("immediate", self._chance.uniform(0, 3))

    async def _line(self) -> None:
        assert self._database is not None
        await self._database.line.freeze(self._chance.uniform(1, 12))

    async def _cut_line(self) -> None:
        assert self._database is not None
        self._database.line.cut()

    # Slack.

    async def _slow(self) -> None:
        faults = self._fleet.sandbox.faults
        faults.slow["*"] = self._chance.uniform(0.2, 2)
        await asyncio.sleep(self._chance.uniform(1, 4))
        faults.slow.clear()

    async def _limited(self) -> None:
        self._fleet.sandbox.faults.rate_limit("chat.postMessage", self._chance.randrange(1, 6), 1)

    async def _broken(self) -> None:
        self._fleet.sandbox.faults.fail("*", self._chance.randrange(1, 8))

    async def _lost(self) -> None:
        self._fleet.sandbox.faults.lose_answer("chat.postMessage", self._chance.randrange(1, 4))

    async def _sockets(self) -> None:
        self._fleet.sandbox.cut_sockets(self._chance.uniform(0, 2))

    async def _twice(self) -> None:
        faults = self._fleet.sandbox.faults
        faults.double_deliveries = True
        await asyncio.sleep(self._chance.uniform(1, 4))
        faults.double_deliveries = False
