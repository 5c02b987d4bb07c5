"""Several replicas on one PostgreSQL, as processes of their own. Some hold a Socket Mode connection, some listen for signed HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bot.decision_log.keys import make_keys
from bot.ports.database import PostgresServer
from tests.end_to_end.conftest import REPOSITORY, Bot
from tests.end_to_end.ground import Ground, free_port
from tests.postgres import RawPostgres

FROZEN = 9.0  # seconds: longer than a lease
Place = Callable[[], tuple[PostgresServer, str]]  # the database, and the address at which bots reach it


class Replica(Bot):
    """A bot whose clock can be set, and that may listen for signed HTTP."""

    http = ""  # the address at which it listens; empty: Socket Mode

    @property
    def environment(self) -> dict[str, str]:
        found = super().environment | {"SKEW_FILE": str(self.home / "skew")}
        if self.http:
            found.pop("SLACK_APP_TOKEN")
            found["COUNTERSIGN_LISTEN"] = self.http
        return found

    async def launch(self) -> None:
        self.set_clock(0)
        with (self.home / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.end_to_end.skewed", "run", cwd=REPOSITORY, env=self.environment, stdout=log,
                stderr=log,
            )  # fmt: skip

    def set_clock(self, ahead: float) -> None:
        """From now on its wall clock is so many seconds ahead."""
        there = self.home / "skew.new"
        there.write_text(str(ahead))
        there.replace(self.home / "skew")

    def told(self) -> list[str]:
        """The lines of its log, and of what it holds while the database is lost."""
        files = [self.home / "bot.log", *(self.home / "state" / name for name in ("held.jsonl", "emergency.jsonl"))]
        return [line for file in files if file.exists() for line in file.read_text(errors="replace").splitlines()]

    def fill_disk(self, *, full: bool) -> None:
        """While it is full, no file of this process grows: EFBIG where a disk says ENOSPC."""
        assert self.process is not None
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))


class Fleet:
    """`bots` share the first one's sandbox, keys and database; each has a STATE_DIR of its own."""

    def __init__(self, first: Bot, place: Place) -> None:
        self.bots: list[Replica] = []
        self.sandbox, self.ground, self._place = first.sandbox, Ground(first), place
        self._first, self._raw, self._lock = first, list[RawPostgres](), threading.Lock()

    async def grow(self, folder: Path, replicas: int) -> None:
        """So many replicas in all, each vouched for; of four, two listen for HTTP. The one that began ends."""
        await self._first.stop()
        for number in range(replicas):
            bot = Replica(self.sandbox, folder / f"replica-{number}", self._first.scale)
            bot.home.mkdir()
            shutil.copytree(self._first.home / "runbooks", bot.home / "runbooks")
            if number == 0:
                shutil.copytree(self._first.home / "state", bot.home / "state")  # it has the memory
            else:
                (bot.home / "state").mkdir(mode=0o700)
                for key in ("log.key", "permit.key"):
                    shutil.copy(self._first.home / "state" / key, bot.home / "state" / key)
            bot.server, url = self._place()
            bot.changed["COUNTERSIGN_DATABASE_URL"] = url
            bot.ops_listen = f"127.0.0.1:{free_port()}"
            bot.http = f"127.0.0.1:{free_port()}" if number % 2 else ""
            await bot.launch()
            self.bots.append(bot)
        self.ground.bot = self.bots[0]
        await self.whole()

    async def whole(self, timeout: float = 90) -> None:
        """All of them live, are connected and have a memory, and one leads."""
        for bot in self.bots:
            assert bot.process is not None
            assert bot.process.returncode is None, bot.log()
        for found in (
            lambda: self.sandbox.sockets == sum(not bot.http for bot in self.bots),
            lambda: len(self.rows("SELECT 1 FROM replica WHERE size IS NOT NULL AND beat_ms > "
                                  "(extract(epoch FROM clock_timestamp()) * 1000)::bigint - 3000")) == len(self.bots),
            lambda: self.leader() is not None,
        ):  # fmt: skip
            await self.ground.until(found, timeout)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Looks past the bots, on a connection that stays; an OperationalError while the server is away.

        A connection that a restart of the server cut is replaced once: the server may be back since long.
        """
        server, _ = self._place()
        with self._lock:
            kept = bool(self._raw)
            while True:
                try:
                    if not self._raw:
                        self._raw[:] = [psycopg.connect(server.url, autocommit=True)]
                    return self._raw[0].execute(sql.encode()).fetchall()
                except psycopg.OperationalError:
                    for raw in self._raw:
                        raw.close()
                    self._raw.clear()
                    if not kept:
                        raise
                    kept = False

    def leader(self) -> Replica | None:
        """Whose STATE_DIR holds the lease now."""
        held = self.rows("SELECT replica FROM leadership WHERE beat_ms > 0")
        return next(
            (b for b in self.bots if held and (b.home / "state" / "replica.id").read_text().strip() == held[0][0]), None
        )

    async def kill(self, bot: Replica) -> None:
        assert bot.process is not None
        if bot.process.returncode is None:
            bot.process.kill()
            await bot.process.wait()

    async def freeze(self, bot: Replica, seconds: float = FROZEN) -> None:
        """SIGSTOP, and SIGCONT after a lease is over."""
        assert bot.process is not None
        bot.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        bot.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        for raw in self._raw:
            raw.close()
        for bot in self.bots:
            if bot.process is not None and bot.process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await bot.stop()
                await self.kill(bot)


def with_keys(server: PostgresServer, url: str = "") -> Callable[[Bot], None]:
    """How the first replica begins: on this database, with keys of its own."""

    def prepare(bot: Bot) -> None:
        bot.server, bot.ops_listen = server, f"127.0.0.1:{free_port()}"
        if url:
            bot.changed["COUNTERSIGN_DATABASE_URL"] = url
        (bot.home / "state").mkdir(mode=0o700)
        make_keys(bot.home / "state")

    return prepare
