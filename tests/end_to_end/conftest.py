"""The whole bot in a process of its own, as a user runs it, against the sandbox in ours."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

import runbooks
from bot.decision_log.keys import make_keys
from bot.demo.workspace import APPROVER, ASKER, workspace
from bot.ports.database import Location, PostgresServer
from runbooks.loader import load
from sandbox.driver import Sandbox, Seen
from tests.database import RawPostgres, place
from tests.end_to_end import forked
from tests.end_to_end.ground import free_port
from tests.end_to_end.screen import Screen
from tests.postgres import session
from tests.slack.watching import complaints

EXAMPLE = Path(runbooks.__file__).parent
REPOSITORY = EXAMPLE.parent


class Bot:
    """`countersign run` as a subprocess on one database; it can be killed and started again."""

    def __init__(self, sandbox: Sandbox, home: Path, scale: float) -> None:
        self.sandbox, self.home, self.scale = sandbox, home, scale
        self.process: asyncio.subprocess.Process | forked.Forked | None = None
        self.ops_listen = "127.0.0.1:0"
        self.changed: dict[str, str] = {}  # settings that a test changes
        self.server: PostgresServer | None = None  # where its database is, if it is not a file
        self.anew = False  # each start is one of the interpreter, as a user's is, and no fork (forked.py)

    @property
    def database(self) -> Path:
        return self.home / "bot.db"

    @property
    def place(self) -> Location:
        """Where its database is."""
        return self.server or self.database

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
        return {
            **kept, **self.sandbox.environment,
            "COUNTERSIGN_DATABASE_URL": self.server.url if self.server else f"sqlite:///{self.database}",
            "COUNTERSIGN_RUNBOOKS_DIR": str(self.home / "runbooks"),
            "COUNTERSIGN_STATE_DIR": str(self.home / "state"),
            "COUNTERSIGN_OPS_LISTEN": self.ops_listen,
            "COUNTERSIGN_TIME_SCALE": str(self.scale),
            **self.changed,
        }  # fmt: skip

    async def launch(self) -> None:
        """Starts it, and waits for nothing."""
        with (self.home / "bot.log").open("ab") as log:
            if forked.is_as_started(self.environment) and not self.anew:
                self.process = await forked.run(self.environment, log)
                return
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log, umask=0
            )

    async def start(self) -> None:
        await self.launch()
        try:
            await self.sandbox.wait_for(self._connected, 30)
        except TimeoutError:
            raise AssertionError(f"the bot did not connect:\n{self.log()}") from None

    def _connected(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log()
        return self.sandbox.sockets > 0

    async def kill(self) -> None:
        """kill -9, as an operator or a kernel does."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        await self.sandbox.wait_for(lambda: self.sandbox.sockets == 0, 10)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)

    def log(self) -> str:
        return (self.home / "bot.log").read_text(errors="replace")[-6000:]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Reads the database beside the bot."""
        if self.server is not None:
            with closing(RawPostgres(self.server, begins=False)) as raw:
                found: list[tuple[Any, ...]] = raw.execute(sql, values).fetchall()
                return found
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def write(self, sql: str) -> None:
        """Changes the PostgreSQL database beside the bot."""
        assert self.server is not None
        with session(self.server) as raw:
            raw.execute(sql.encode())

    async def command(self, *words: str) -> tuple[int, str]:
        """Runs `countersign …` with the bot's settings; its exit code, and what it printed."""
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, cwd=REPOSITORY, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(running.communicate(), 60)
        assert running.returncode is not None
        return running.returncode, out.decode()

    def open_to_others(self) -> list[Path]:
        """What it keeps that others can read or change; its umask forbids nothing."""
        kept = [self.home / "state", *(self.home / "state").rglob("*"), *self.home.glob(f"{self.database.name}*")]
        return [path for path in kept if path.stat().st_mode & 0o077]

    def types(self) -> list[str]:
        """The types of all log entries, in order."""
        return [row[0] for row in self.rows("SELECT type FROM log_entry ORDER BY idx")]


class HttpBot(Bot):
    """The same without an app-level token: signed HTTP."""

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in super().environment.items() if k != "SLACK_APP_TOKEN"}
        address = self.sandbox.world.workspace.app.request_url.split("/")[2]
        return {**kept, "COUNTERSIGN_LISTEN": address}

    async def start(self) -> None:
        self._seen = False
        await super().start()

    def _connected(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log()
        if not self._seen:
            self._seen = True
            self._try = asyncio.ensure_future(self.sandbox.verify_url())
        if self._try.done():
            self._seen = not self._try.exception()
            return self._seen and self._try.result()
        return False


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """`await start(scale)` gives a connected bot on a fresh database and its sandbox; `transport` is socket or http,
    `prepare` changes what it starts with, and `anew` starts it as a user does."""
    running: list[tuple[Bot, Sandbox]] = []

    async def begin(
        scale: float = 1.0,
        transport: str = "socket",
        prepare: Callable[[Bot], None] = lambda bot: None,
        rewrite: Callable[[Path], None] = lambda folder: None,
        anew: bool = False,
        **settings: Any,
    ) -> Bot:
        shutil.copytree(EXAMPLE, tmp_path / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__", "py.typed"))
        rewrite(tmp_path / "runbooks")
        policy = load(tmp_path / "runbooks").policy
        assert policy is not None
        people = {**workspace(policy, int(scale)), "settings": settings}
        if transport == "http":
            people["app"]["request_url"] = f"http://127.0.0.1:{free_port()}/slack/events"
        sandbox = Sandbox(people)
        await sandbox.__aenter__()
        bot = (HttpBot if transport == "http" else Bot)(sandbox, tmp_path, scale)
        bot.anew = anew
        running.append((bot, sandbox))
        prepare(bot)
        if bot.server is None and isinstance(where := place(bot.database), PostgresServer):
            bot.server = where
            (bot.home / "state").mkdir(mode=0o700, exist_ok=True)
            if not (bot.home / "state" / "log.key").exists():
                make_keys(bot.home / "state")
        await bot.start()
        return bot

    yield begin
    for bot, sandbox in running:
        code = await bot.stop()
        await sandbox.__aexit__(None, None, None)
        assert code in (0, -signal.SIGKILL), bot.log()
        assert bot.open_to_others() == []
        found = complaints(sandbox)
        assert not found, "\n".join(found)


@pytest.fixture
def file() -> Callable[..., Any]:
    """Files a request as a person does, and gives the owner's card."""

    async def filed(
        sandbox: Sandbox,
        who: str = "U0PE1",
        *,
        target: str = "dc-core-01",
        reason: str = "Sync stopped",
        runbook: str = "directory-admin-emergency",
        owner: str = "U0OWNER",
        command: str = "/breakglass",
        fields: dict[str, Any] | None = None,
    ) -> Seen:
        before = {m.ts for m in sandbox.messages(owner)}
        await sandbox.command(who, command, f"{runbook} {reason}")
        await sandbox.wait_for(lambda: sandbox.modal(who))
        outcome = await sandbox.submit(
            who, {"Target": target, **({"Incident ticket": "INC1001"} if fields is None else fields)}
        )
        assert outcome.ok, (outcome.errors, outcome.error)
        card = await sandbox.wait_for(
            lambda: next((m for m in sandbox.messages(owner) if m.ts not in before and "Approve" in m.buttons), None)
        )
        await sandbox.close(who, everything=True)
        return card

    return filed


@pytest.fixture
async def look(browser: Browser) -> AsyncIterator[Callable[..., Any]]:
    """`await look(url, left, right)` opens a page; whatever its console complains of fails the test."""
    pages: list[Page] = []
    wrong: list[str] = []

    async def opened(url: str, left: str = ASKER, right: str = APPROVER) -> Screen:
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        pages.append(page)
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        await page.goto(url if "?" in url else f"{url}?left={left}&right={right}&leftAt=app&rightAt=app")
        return Screen(page)

    yield opened
    for page in pages:
        await page.close()
    assert wrong == []


@pytest.fixture
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """A page at phone size; whatever its console complains of fails the test."""
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    await context.close()
    assert wrong == []
