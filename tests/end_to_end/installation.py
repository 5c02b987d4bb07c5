"""An installation as commit 90f2304 left it, opened by the program of today: see installation_90f2304/README.md."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.demo.workspace import workspace
from runbooks.loader import load
from sandbox.driver import Sandbox, Seen
from sandbox.world import Message
from tests.end_to_end.conftest import REPOSITORY, Bot
from tests.end_to_end.ground import free_port

HERE = Path(__file__).parent
ARCHIVE = HERE / "installation_90f2304" / "installation.tar.xz"
ORIGIN = "trust.example/log"


def unpacked(home: Path) -> dict[str, Any]:
    """Lays the installation out in `home`; what Slack had, and what the old program's cases are called."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(home, filter="data")
    kept: dict[str, Any] = json.loads((home / "slack.json").read_text())
    return kept


def old_slack(home: Path, kept: dict[str, Any]) -> Sandbox:
    """Slack as the old bot left it: the same people, and every message that it had posted."""
    policy = load(home / "runbooks").policy
    assert policy is not None
    people = workspace(policy, 1)
    people["users"] = [person | {"tz": "Europe/London"} for person in people["users"]]
    sandbox = Sandbox(people)
    for person in kept["people"]:
        sandbox.world.im(person["id"])
    for message in kept["messages"]:
        sandbox.world.add(Message(**message))
    return sandbox


class Upgraded(Bot):
    """Today's bot on the old installation, at a moment of its own: `at` is how long after the old one was killed."""

    def __init__(self, sandbox: Sandbox, home: Path, kept: dict[str, Any]) -> None:
        super().__init__(sandbox, home, 1.0)
        self.kept, self.at = kept, timedelta()
        self.cases: dict[str, str] = kept["cases"]
        self.names = {case: name for name, case in self.cases.items()}
        self.left = datetime.fromisoformat(kept["moment"])
        self.begun = time.time()
        self.changed = {"COUNTERSIGN_LOG_ORIGIN": ORIGIN}
        self.ops_listen = f"127.0.0.1:{free_port()}"

    @property
    def clocks(self) -> tuple[str, str]:
        """By how many seconds the wall and the monotonic clock are moved."""
        return str(self.left.timestamp() - self.begun + self.at.total_seconds()), str(self.at.total_seconds())

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.clocks[0]))

    async def launch(self) -> None:
        with (self.home / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, str(HERE / "moved_clock.py"), "a new machine", *self.clocks, "run",
                cwd=REPOSITORY, env=self.environment | {"PYTHONPATH": str(REPOSITORY)}, stdout=log, stderr=log,
            )  # fmt: skip

    async def command(self, *words: str) -> tuple[int, str]:
        running = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "moved_clock.py"), "a new machine", *self.clocks, *words, cwd=REPOSITORY,
            env=self.environment | {"PYTHONPATH": str(REPOSITORY)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(running.communicate(), 60)
        assert running.returncode is not None
        return running.returncode, out.decode()

    async def move_to(self, at: timedelta) -> None:
        """Stopped, and started again that much later."""
        assert await self.stop() == 0
        await self.sandbox.wait_for(lambda: self.sandbox.sockets == 0)
        self.at = max(self.at, at - timedelta(seconds=time.time() - self.begun))
        await self.start()

    async def until(self, found: Callable[[], Any], timeout: float = 30) -> Any:
        """What `found` returns once it is true."""
        end = time.monotonic() + timeout
        while not (result := found()):
            assert time.monotonic() < end, self.log()
            await asyncio.sleep(0.05)
        return result

    async def quiet(self) -> None:
        """Everything is carried out and sent, except what is due at a later time."""
        sql = (
            "SELECT 1 FROM inbox WHERE done_ms IS NULL"
            " UNION ALL SELECT 1 FROM outbox WHERE done_ms IS NULL AND not_before_ms <= {now}"
            " UNION ALL SELECT 1 FROM deadline WHERE due_ms <= {now}"
        )
        await self.until(lambda: not self.rows(sql.format(now=round(self.now().timestamp() * 1000))))

    # What came of it.

    def entries(self) -> list[dict[str, Any]]:
        """All entries of the log but those of delivery, each with its case's name where the installation has one for it."""
        found = [json.loads(row[0]) for row in self.rows("SELECT data FROM log_entry ORDER BY idx")]
        named = [entry | {"case": self.names.get(entry.get("case", ""), entry.get("case", ""))} for entry in found]
        return [entry for entry in named if not entry["type"].startswith("delivery.")]

    def fresh(self) -> list[tuple[str, str]]:
        """Type and case of what was entered since the upgrade."""
        return [(entry["type"], entry["case"]) for entry in self.entries()[self.known :]]

    def remember(self) -> None:
        """Everything in the log until now is old."""
        self.known = len(self.entries())

    def state(self, name: str) -> tuple[str, str]:
        """State of a case and of its grant (empty without one)."""
        sql = "SELECT r.state, coalesce(g.state, '') FROM request r LEFT JOIN access_grant g ON g.case_id = r.id WHERE r.id = ?"
        [found] = self.rows(sql, self.cases[name])
        return found

    def old_message(self, who: str, button: str, name: str) -> Seen:
        """The message as the old bot posted it, with that button and about that case: pressing it sends the old payload."""
        case = self.cases[name]
        [*_, message] = [
            Seen(Message(**m)) for m in self.kept["messages"]
            if m["channel"] == self.sandbox.world.im(who).id and case in json.dumps(m["blocks"])
            and button in Seen(Message(**m)).buttons
        ]  # fmt: skip
        return message

    async def press(self, who: str, button: str, name: str, values: dict[str, Any] | None = None) -> None:
        """Presses a button of the old bot's message, and fills in the form behind it."""
        await self.sandbox.press(who, button, message=self.old_message(who, button, name))
        if values is not None:
            await self.until(lambda: self.sandbox.modal(who))
            outcome = await self.sandbox.submit(who, values)
            assert outcome.ok, (name, outcome.errors, outcome.error)
            await self.sandbox.close(who, everything=True) if self.sandbox.modal(who) else None

    def asked(self, button: str) -> Counter[tuple[str, str]]:
        """How many messages with that button each place has about each case."""
        found: Counter[tuple[str, str]] = Counter()
        for place, messages in self.sandbox.world.messages.items():
            for message in (m for m in messages if button in Seen(m).buttons):
                text = json.dumps(message.blocks)
                found.update((place, name) for case, name in self.names.items() if f'"{case}:' in text)
        return found

    def posted_since(self) -> list[Seen]:
        """What today's bot posted."""
        old = {(m["channel"], m["ts"]) for m in self.kept["messages"]}
        return [Seen(m) for ms in self.sandbox.world.messages.values() for m in ms if (m.channel, m.ts) not in old]


def prepared(home: Path) -> Upgraded:
    """The installation in `home`, its bot not running: the signer's memory is where the old bot's operator moved it."""
    kept = unpacked(home)
    bot = Upgraded(old_slack(home, kept), home, kept)
    bot.known = len([1 for row in bot.rows("SELECT type FROM log_entry") if not row[0].startswith("delivery.")])
    return bot


def give_memory_back(bot: Upgraded) -> None:
    shutil.copy(bot.home / "log.memory", bot.home / "state" / "log.memory")
