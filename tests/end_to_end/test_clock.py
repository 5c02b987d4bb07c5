"""A machine whose clock was set while the bot was down: it asks and denies, and gives nothing until an operator says so."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

from bot.demo.workspace import APPROVER
from storage.log.check import check_database
from tests.database import opened
from tests.end_to_end.conftest import REPOSITORY


async def test_a_clock_that_was_set_gives_nothing_until_doctor_accepts_it(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    await bot.stop()
    with closing(opened(bot.place, begins=True)) as raw:  # as if the machine had been two hours behind until now
        raw.execute("UPDATE time_mark SET offset_ms = offset_ms - 7200000")
        raw.commit()
    await bot.start()
    card = await file(bot.sandbox)
    await bot.sandbox.press(APPROVER, "Approve", message=card)
    await bot.sandbox.wait_for(lambda: [m for m in bot.sandbox.messages(APPROVER) if "clock" in m.shown])
    assert "grant.opened" not in bot.types()

    code, said = await countersign(bot, "doctor", "--accept-clock")
    assert (code, said[0].startswith("The clock jumped 2 h ahead"), said[1:]) == (
        0,
        True,
        ["Accepted. The bot opens access again."],
    )
    await bot.sandbox.press(APPROVER, "Approve", message=card)
    await bot.sandbox.wait_for(lambda: "grant.opened" in bot.types())
    assert bot.types().count("clock.anomaly") == 2
    assert check_database(bot.place).findings == ()


async def countersign(bot: Any, *words: str) -> tuple[int, list[str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, cwd=REPOSITORY, env=bot.environment, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode().splitlines()
