"""Writes `installation.tar.xz` beside it with the program of commit 90f2304: see README.md. It runs in a checkout of that commit.

A morning at the example organisation, Tuesday 2026-11-03, one hour long: what is asked, given, owed and reviewed, until the
process is killed with Slack half dead, started without the signer's memory (so that its log is stopped), and killed again.
"""

import asyncio
import io
import json
import lzma
import os
import shutil
import signal
import sqlite3
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.acts import Away, Beside, Decide, File, Post, Reach, Read, Reply, Seal, Tell
from bot.clock import SystemClock
from bot.demo_workspace import workspace
from bot.domain.people import Person
from runbooks.loader import load
from sandbox.driver import Sandbox
from sandbox.seen import Seen
from sandbox.world import World
from storage.store import SqliteStore

HERE = Path(__file__).parent
CHECKOUT = Path.cwd()
DAYS = (0, 1, 8, 40)
ASKS = ("Approve", "Accept", "Ratify", "Restore", "Confirm", "Keep")
BEGIN = datetime(2026, 11, 3, 9, tzinfo=UTC)
KEPT = (
    "account-unlock", "clinical-signin-outage", "clinician-mfa-reset", "directory-admin-emergency", "identity-containment",
    "rotation-date-exception", "vault-admin-emergency",
)  # fmt: skip
PAVEL, PRIYA, NADIA = "U0PE1", "U0PE2", "U0SOC1"
OLGA, DEV, SAMIRA, JONAS, MEI, INGRID, ELENA = "U0OWNER", "U0DEP1", "U0CLIN", "U0VAULT", "U0NHI", "U0CLDEP2", "U0VDEP2"
ALERT = {"Link to the alert": "https://siem.example/1", "How sure are you": "Likely"}
TICKET = {"Incident ticket": "INC1001"}
MAIN = "directory-admin-emergency"


class Old:
    """The old bot as a process, `later` seconds into the morning, against a sandbox in ours."""

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        self.home, self.sandbox = home, sandbox
        self.started = time.time()
        self.later = 0.0
        self.process: asyncio.subprocess.Process | None = None
        self.cases: dict[str, str] = {}

    @property
    def wall(self) -> float:
        return BEGIN.timestamp() - self.started + self.later

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.wall)

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
        return {
            **kept, **self.sandbox.environment, "PYTHONPATH": str(CHECKOUT),
            "COUNTERSIGN_DATABASE_URL": f"sqlite:///{self.home / 'bot.db'}",
            "COUNTERSIGN_RUNBOOKS_DIR": str(self.home / "runbooks"),
            "COUNTERSIGN_STATE_DIR": str(self.home / "state"),
            "COUNTERSIGN_LOG_ORIGIN": "trust.example/log",
            "COUNTERSIGN_OPS_LISTEN": "127.0.0.1:0",
        }  # fmt: skip

    async def start(self) -> None:
        with (self.home / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, str(HERE.parent / "moved_clock.py"), "the old machine", str(self.wall), str(self.later), "run",
                cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        await self.until(lambda: self.sandbox.sockets > 0, 60)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self.until(lambda: self.sandbox.sockets == 0)

    async def move_to(self, minutes: float) -> None:
        """The same bot, stopped and started again that many minutes into the morning."""
        assert self.process is not None
        self.process.terminate()
        await self.process.wait()
        self.later = max(self.later, minutes * 60 - (time.time() - self.started))
        await self.start()

    async def until(self, found: Callable[[], Any], timeout: float = 30) -> Any:
        end = time.monotonic() + timeout
        while not (result := found()):
            assert time.monotonic() < end, (self.home / "bot.log").read_text()[-3000:]
            await asyncio.sleep(0.05)
        return result

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'bot.db'}?mode=ro", uri=True)) as raw:
            return raw.execute(sql, values).fetchall()

    async def quiet(self) -> None:
        """All is carried out and said, but for what waits for a time to come."""
        sql = "SELECT 1 FROM inbox WHERE done_ms IS NULL UNION ALL SELECT 1 FROM outbox WHERE done_ms IS NULL AND not_before_ms < ?"
        await self.until(lambda: not self.rows(sql, round(self.now().timestamp() * 1000)))

    # Gestures.

    async def file(self, name: str, who: str, command: str, runbook: str, values: dict[str, Any]) -> str:
        """Files a request as a person does; its id, kept under `name`."""
        known = {row[0] for row in self.rows("SELECT id FROM request")}
        await self.sandbox.command(who, command, f"{runbook} {name} of the morning")
        await self.until(lambda: self.sandbox.modal(who))
        outcome = await self.sandbox.submit(who, values)
        assert outcome.ok, (name, outcome.errors, outcome.error)
        fresh = "SELECT id FROM request WHERE provider <> ''"
        await self.until(lambda: {row[0] for row in self.rows(fresh)} - known)
        [case] = {row[0] for row in self.rows(fresh)} - known
        await self.sandbox.close(who, everything=True)
        self.cases[name] = case
        return case

    async def press(self, who: str, button: str, case: str, values: dict[str, Any] | None = None) -> None:
        """Presses a button of the newest message about a case, and fills in the form behind it."""

        def carrier() -> Any:
            return next(
                (m for m in reversed(self.sandbox.messages(who)) if button in m.buttons and case in json.dumps(m.blocks)),
                None,
            )

        message = await self.until(carrier)
        await self.sandbox.press(who, button, message=message)
        if values is not None:
            await self.until(lambda: self.sandbox.modal(who))
            outcome = await self.sandbox.submit(who, values)
            assert outcome.ok, (case, button, outcome.errors, outcome.error)

    def state(self, case: str) -> str:
        return str(self.rows("SELECT state FROM request WHERE id = ?", case)[0][0])

    async def approve(self, who: str, case: str) -> None:
        await self.press(who, "Approve", case)
        await self.until(lambda: self.rows("SELECT 1 FROM vote WHERE case_id = ?", case) or self.state(case) != "pending")


async def nine(old: Old) -> None:
    """09:00: what needs half an hour until it counts, and what goes on for long."""
    reset = await old.file("reset", PAVEL, "/reset", "clinician-mfa-reset", {
        "Target": "i.solberg", "Subject": INGRID, "What was lost": "New phone", "Service ticket": "INC77",
        "Address that is told of the reset": "ward@trust.example",
    })  # fmt: skip
    for method in ("manager callback", "id document"):
        await old.press(PAVEL, "Attest", reset, {"How the person was verified": method, "Reference": "Call 4711, R. Ellis"})
        await old.quiet()
    await old.approve(SAMIRA, reset)
    due = {"Date it was due": "2026-10-30", "Date it will be rotated": "2026-11-12", "What stands in the way": "A frozen system",
           "Compensating controls": "Watched by Watchfield", "Residual risk": "One stale secret"}  # fmt: skip
    dated = await old.file("exception", PAVEL, "/exception", "rotation-date-exception", {"Target": "svc-ward-7", **due})
    await old.approve(MEI, dated)
    await old.file("dated_pending", PAVEL, "/exception", "rotation-date-exception", {"Target": "svc-ward-8", **due})
    glass = {
        "Target": "clinical-sso-prod",
        "Site": "All sites",
        "Staff who cannot sign in": "900",
        "Incident reference": "INC77",
    }
    await old.file("break_glass", PRIYA, "/breakglass", "clinical-signin-outage", glass)
    done = await old.file("reviewed", PAVEL, "/breakglass", MAIN, {"Target": "dc-done", **TICKET})
    await old.approve(OLGA, done)
    await old.press(PAVEL, "Finished", done, {"What it is": "https://recordings.example/7"})
    denied = await old.file("denied", PAVEL, "/breakglass", MAIN, {"Target": "dc-denied", **TICKET})
    await old.press(OLGA, "Deny", denied, {"Reason": "Not in a freeze"})
    await old.quiet()
    await old.sandbox.command(DEV, "/countersign", "away 2d")
    await old.sandbox.command(OLGA, "/countersign", "sealed-use")
    await old.until(lambda: old.sandbox.modal(OLGA))
    used = {"When": "2026-11-03T03:00", "Who used it": OLGA, "What was done": "Envelope 7 opened", "Reference": "INC7"}
    outcome = await old.sandbox.submit(OLGA, used)
    assert outcome.ok, (outcome.errors, outcome.error)
    await old.until(lambda: old.sandbox.find(OLGA, "is recorded as"))
    await old.sandbox.close(OLGA, everything=True)
    await old.sandbox.command(OLGA, "/countersign", "post")
    for person in (PAVEL, OLGA, SAMIRA, "U0PLEAD"):
        await old.sandbox.open_home(person)
    await old.quiet()


async def half_past(old: Old) -> None:
    """09:31: the reset has opened, and suspended Ingrid. What is pending and open when the program is replaced."""
    await old.until(lambda: old.rows("SELECT 1 FROM request WHERE matter = 'suspension'"))
    old.cases["suspension"] = old.rows("SELECT id FROM request WHERE matter = 'suspension'")[0][0]
    await old.file("escalated", PAVEL, "/breakglass", MAIN, {"Target": "dc-escalated", **TICKET})
    vault = {"Target": "vault-portal-prod", "What is failing": "Portal", "Failing since": "2026-11-03T08:55", **TICKET}
    half = await old.file("half", PRIYA, "/breakglass", "vault-admin-emergency", vault)
    await old.approve(JONAS, half)
    await old.file("contained", NADIA, "/breakglass", "identity-containment", {"Target": "j.doe", **ALERT})
    unlock = {"Target": "a.nurse", "Service ticket": "REQ5", "Device that caused the lockout": "WARD-7"}
    await old.file("autonomous", PAVEL, "/reset", "account-unlock", unlock)
    for name in ("open", "to_revoke"):
        await old.approve(
            OLGA, await old.file(name, PAVEL, "/breakglass", MAIN, {"Target": f"dc-{name}", "Duration": "1 hour", **TICKET})
        )
    await old.quiet()


async def to_forty(old: Old) -> None:
    """09:37: the escalated request has reached the deputies; the others are fresh."""
    await old.until(
        lambda: old.rows(
            "SELECT count(*) FROM step WHERE case_id = ? AND state = 'fired' AND n >= 2", old.cases["escalated"]
        )[0][0]
    )
    for name, who in (("asked", PRIYA), ("questioned", PRIYA), ("to_deny", PRIYA), ("to_withdraw", PAVEL)):
        await old.file(name, who, "/breakglass", MAIN, {"Target": f"dc-{name}", **TICKET})
    await old.file("in_inbox", NADIA, "/breakglass", "identity-containment", {"Target": "j.roe", **ALERT})
    await old.press(OLGA, "Question", old.cases["questioned"], {"Question": "Which forest?"})
    await old.quiet()
    placed = await on_host(old, "log", "hold", "place", f"T0HOME/{PAVEL}", "--reason", "Case 12 at the employment tribunal")
    hold = next(word.strip(".,:") for word in placed.split() if word.startswith("H-"))
    await on_host(old, "log", "hold", "release", hold, "--reason", "Settled")
    await old.quiet()


async def on_host(old: Old, *words: str) -> str:
    running = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE.parent / "moved_clock.py"), "the old machine", str(old.wall), str(old.later), *words,
        cwd=CHECKOUT, env=old.environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await running.communicate()
    assert running.returncode == 0, (words, out.decode())
    return out.decode()


async def half_dead(old: Old) -> None:
    """Slack takes no message any more: a filing and a yes are committed and announced to nobody. Then the process dies."""
    for method in ("chat.postMessage", "chat.update", "chat.postEphemeral", "views.update", "views.publish"):
        old.sandbox.faults.fail(method, calls=1_000_000)
    await old.file("unsaid", NADIA, "/breakglass", "identity-containment", {"Target": "j.poe", **ALERT})
    await old.approve(OLGA, old.cases["asked"])
    old.cases["yes_unsaid"] = old.cases.pop("asked")
    await old.until(lambda: old.state(old.cases["yes_unsaid"]) == "approved")
    await old.kill()


async def stopped(old: Old) -> None:
    """Its memory gone, the log is stopped: what takes access away is kept in the emergency file, and the process dies again."""
    memory = old.home / "state" / "log.memory"
    memory.rename(old.home / "log.memory")
    await old.start()
    await old.press(OLGA, "Deny", old.cases["to_deny"], {"Reason": "Not while the log is stopped"})
    await lines(old, 1)
    await old.press(OLGA, "Revoke", old.cases["to_revoke"])
    await lines(old, 2)
    await old.press(PAVEL, "Withdraw", old.cases["to_withdraw"])
    await lines(old, 3)
    await old.kill()


async def lines(old: Old, count: int) -> None:
    path = old.home / "state" / "emergency.jsonl"
    await old.until(lambda: len([line for line in path.read_text().splitlines() if line.strip()]) == count)


async def taken_in(old: Old) -> None:
    """Acknowledged, and not carried out: an inbox row of each kind, written by the old store."""
    clock = SystemClock()
    clock.now = lambda: old.now().replace(microsecond=0)  # type: ignore[method-assign]
    store = await SqliteStore.open(old.home / "bot.db", clock, origin="trust.example/log", state_dir=old.home / "state")
    olga, priya, elena = Person("T0HOME", OLGA), Person("T0HOME", PRIYA), Person("T0HOME", ELENA)
    reply = Reply(olga, "", old.sandbox.world.im(OLGA).id)
    asked, alert = old.cases["in_inbox"], {"alert": "https://siem.example/2", "confidence": "Likely"}
    filed = old.cases["filed_in_inbox"] = "R-1NB0XED1"
    sealed = old.cases["sealed_in_inbox"] = "R-1NB0XED2"
    acts = (
        File(filed, Person("T0HOME", "U0SOC2"), "identity-containment", "j.moe", "Filed in the last second", 3600, alert),
        Decide(olga, asked, 1, "approve", reply),
        Beside(priya, old.cases["half"], 1, "push", Reply(priya), text="Nobody looks"),
        Beside(olga, old.cases["questioned"], 1, "hold", reply),
        Reach(priya, old.cases["half"], 1, Reply(priya)),
        Read(olga, "queue", "", reply),
        Tell(priya, "no_sealed_use", "", Reply(priya)),
        Away(elena, Reply(elena), seconds=86400),
        Post(olga, "C0DIRECTORY", reply),
        Seal(sealed, olga, "directory", round(old.now().timestamp()) - 7200, None, "Envelope 8", "INC8", reply),
    )  # fmt: skip
    for number, act in enumerate(acts):
        await store.take_in(f"kept-{number}", act, {})
    await store.close()


async def future(old: Old, home: Path) -> list[dict[str, Any]]:
    """How the same program goes on with a copy of it all when nobody does anything: what it enters, and whom it asks."""
    shutil.copytree(old.home, home)
    shutil.copy(home / "log.memory", home / "state" / "log.memory")
    old.home = home
    old.sandbox.faults.clear()
    left, known, found = old.later, len(entries(old)), []
    for days in DAYS:
        old.later = left + days * 86400
        await old.start()
        await old.quiet()
        await asyncio.sleep(3)  # for what is due and not yet looked at
        await old.quiet()
        fresh = entries(old)[known:]
        told = [entry for entry in fresh if not entry[0].startswith("delivery.")]
        found.append(
            {"days": days, "entries": told, "asks": [[button, *asked] for button in ASKS for asked in asks(old, button)]}
        )
        known += len(fresh)
        await old.kill()
    return found


def entries(old: Old) -> list[list[str]]:
    rows = old.rows("SELECT type, coalesce(case_id, '') FROM log_entry ORDER BY idx")
    return [[row[0], row[1]] for row in rows]


def asks(old: Old, button: str) -> list[list[str]]:
    """Each message with that button: its place and its case, once a message."""
    names = {case: name for name, case in old.cases.items()}
    found = []
    for place, messages in old.sandbox.world.messages.items():
        for message in (m for m in messages if button in Seen(m).buttons):
            text = json.dumps(message.blocks)
            found += [[place, name] for case, name in names.items() if f'"{case}:' in text]
    return found


def as_left(old: Old) -> dict[str, Any]:
    """Slack's side of it at this moment: what the bot posted, and who there is."""
    world = old.sandbox.world
    own = [asdict(m) for place in world.messages.values() for m in place if m.user == world.workspace.app.bot_user_id]
    return {"messages": own, "people": [asdict(u) for u in world.workspace.users if not u.is_bot]}


def packed(old: Old, slack: dict[str, Any]) -> None:
    """The installation as an archive: database, state, the memory aside, policy, Slack's messages as data, the future."""
    with closing(sqlite3.connect(old.home / "bot.db")) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("VACUUM")
    (old.home / "slack.json").write_text(json.dumps(slack))
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("bot.db", "log.memory", "runbooks", "slack.json", "state"):
            archive.add(old.home / name, name, filter=anonymous)
    (HERE / "installation.tar.xz").write_bytes(lzma.compress(made.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def policy_folder(home: Path) -> None:
    """The example policy of that commit, with the runbooks that the morning needs."""
    (home / "runbooks").mkdir(parents=True)
    for name in ("responsibility.yaml", "targets.csv", *(f"{runbook}.md" for runbook in KEPT)):
        shutil.copy(CHECKOUT / "runbooks" / name, home / "runbooks")
    vault = home / "runbooks" / "vault-admin-emergency.md"  # for a provider whose people type commands in this workspace
    vault.write_text(vault.read_text().replace("providers: [keyhold]", "providers: [keyhold, northgate]"))


async def morning(home: Path) -> None:
    policy_folder(home)
    policy = load(home / "runbooks").policy
    assert policy is not None
    people = workspace(policy, 1)
    people["users"] = [person | {"tz": "Europe/London"} for person in people["users"]]
    async with Sandbox(people) as sandbox:
        old = Old(home, sandbox)
        first = World.next_ts
        World.next_ts = lambda self: f"{float(first(self)) + old.wall:.6f}"  # type: ignore[method-assign]
        await old.start()
        await nine(old)
        await old.move_to(31)
        await half_past(old)
        await old.move_to(37)
        await to_forty(old)
        await half_dead(old)
        await stopped(old)
        await taken_in(old)
        left, moment, messages = old.home, old.now(), as_left(old)
        ahead = await future(old, home.with_name(home.name + "-future"))
        old.home = left
        packed(old, {"moment": moment.isoformat(), "cases": old.cases, "future": ahead, **messages})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    asyncio.run(morning(folder))
