"""A bot that is forked from a loaded one is the bot that a user starts, and nothing outlives who asked for it."""

import asyncio
import functools
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import forked
from tests.end_to_end.conftest import REPOSITORY, Bot

LINE = """
import asyncio, os, signal, sys
from tests.end_to_end import forked

async def main():
    with open(os.devnull, "ab") as log:
        print((await forked.run(dict(os.environ), log)).pid, flush=True)
        sys.stdin.readline()
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def started(bot: Bot, *, anew: bool) -> tuple[int, str]:
    """The exit code of a bot that cannot run, and all that it said but the time."""
    bot.anew = anew
    (bot.home / "bot.log").write_bytes(b"")
    await bot.launch()
    assert isinstance(bot.process, forked.Forked) is not anew
    assert bot.process is not None
    return await asyncio.wait_for(bot.process.wait(), 30), re.sub(r'"timestamp": "[^"]*"', "", bot.log())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"SLACK_BOT_TOKEN": ""}, 2),
        ({"COUNTERSIGN_DATABASE_URL": "sqlite:///no/such/folder/bot.db"}, 2),
        ({"COUNTERSIGN_OPS_LISTEN": "nowhere"}, 2),
    ],
)
async def test_a_fork_reads_its_own_settings_and_ends_as_a_start_does(
    start: Callable[..., Any], changed: dict[str, str], code: int
) -> None:
    bot = await start()
    assert await bot.stop() == 0
    bot.changed = changed | {"COUNTERSIGN_MISTYPED": "is told"}
    as_a_user, as_a_test = await started(bot, anew=True), await started(bot, anew=False)
    assert as_a_test == as_a_user
    assert as_a_test[0] == code
    assert "COUNTERSIGN_MISTYPED" in as_a_test[1]
    bot.changed = {}
    await bot.start()


async def test_a_killed_fork_ends_with_that_signal_and_has_an_id_of_its_own(start: Callable[..., Any]) -> None:
    bot = await start()
    before = bot.process.pid
    await bot.kill()
    assert bot.process.returncode == -signal.SIGKILL
    await bot.start()
    assert isinstance(bot.process, forked.Forked)
    assert len({bot.process.pid, before, os.getpid()}) == 3


async def test_a_fork_holds_no_file_that_a_start_does_not_hold(start: Callable[..., Any]) -> None:
    first = await start()
    sandbox, held = first.sandbox, []
    for anew in (True, False):
        other = Bot(sandbox, first.home / str(anew), first.scale)
        other.home.mkdir()
        other.anew, other.changed = anew, {"COUNTERSIGN_RUNBOOKS_DIR": str(first.home / "runbooks")}
        await other.launch()
        await sandbox.wait_for(lambda: sandbox.sockets == 2, 30)
        assert other.process is not None
        held.append(len(list(Path(f"/proc/{other.process.pid}/fd").iterdir())))
        assert await other.stop() == 0
        await sandbox.wait_for(lambda: sandbox.sockets == 1, 30)
    assert held[0] == held[1]


async def test_a_fork_has_no_setting_of_whoever_forks_it(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forked, "loaded", functools.cache(forked.loaded.__wrapped__))
    monkeypatch.setenv("COUNTERSIGN_OF_THE_TESTS", "is given to no bot")
    bot = await start()
    assert "COUNTERSIGN_OF_THE_TESTS" not in bot.log()


async def test_no_fork_outlives_whoever_asked_for_it(start: Callable[..., Any]) -> None:
    bot = await start()
    assert await bot.stop() == 0
    pipe = subprocess.PIPE
    asking = subprocess.Popen(
        [sys.executable, "-c", LINE], cwd=REPOSITORY, env=bot.environment, stdin=pipe, stdout=pipe, text=True
    )
    with asking:
        assert asking.stdout is not None
        watched = os.pidfd_open(int(asking.stdout.readline()))
        await bot.sandbox.wait_for(lambda: bot.sandbox.sockets > 0, 30)
        asking.communicate("now\n")
    assert select.select([watched], [], [], 30)[0]
    os.close(watched)


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "TZ", "LD_PRELOAD"])
def test_what_an_interpreter_reads_when_it_begins_is_given_to_a_start_only(name: str) -> None:
    assert forked.is_as_started(dict(os.environ))
    assert not forked.is_as_started(os.environ | {name: "other"})
    assert not forked.is_as_started({key: value for key, value in os.environ.items() if key != "LANG"} | {"LANG": "other"})
