"""P9: what the idle bot holds in memory, against a process that imports the same packages and does nothing.

The floor imports exactly the modules of others (and of Python) that the bot's own imports bring in; none of our own.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from bench.bot import REPOSITORY, BenchError, ended, running
from bench.rounds import Goal, Result, Size, in_turns
from bot.domain.policy.model import Policy

_FLOOR = "importing the same packages"
_LISTED = """
import bot.cli.main, bot.app, sys
own = {"bot", "handlers", "storage", "runbooks", "sandbox", "__main__"}
print(*(name for name in sys.modules if name.split(".")[0] not in own), sep="\\n")
"""
_IDLE = """
import importlib, sys
for name in open(sys.argv[1]).read().split():
    try:
        importlib.import_module(name)
    except ImportError:
        pass
print("ready", flush=True)
sys.stdin.read()
"""


async def measure(size: Size, policy: Policy, scratch: Path, env: dict[str, str]) -> list[Result]:
    names = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _LISTED], cwd=REPOSITORY, env=env, capture_output=True, text=True, check=True
    )
    listed = scratch / "modules.txt"
    listed.write_text(names.stdout)

    async def ours() -> float:
        async with running(scratch / "idle", policy, env) as bot:
            await asyncio.sleep(size.idle)
            return resident(bot.process.pid)

    async def floor() -> float:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _IDLE, str(listed), cwd=REPOSITORY, env=env,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            if await asyncio.wait_for(process.stdout.readline(), 30) != b"ready\n":
                raise BenchError("The floor did not import.")
            await asyncio.sleep(size.idle)
            return resident(process.pid)
        finally:
            await ended(process)

    found = await in_turns(size.starts, {"ours": ours, _FLOOR: floor}, warm_up=0)
    return [Result(Goal("P9", "idle memory against the floor", 1.3), "MiB", found["ours"], _FLOOR, found[_FLOOR])]


def resident(pid: int) -> float:
    """The resident set of a process in MiB."""
    told = Path(f"/proc/{pid}/status")
    if told.exists():
        line = next(line for line in told.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
