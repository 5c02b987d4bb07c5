"""P12, first half: from the owner's click to the moment when every copy of the request shows the outcome.

The bot runs in a process of its own over Socket Mode; the sandbox, in ours, answers at once. The clock starts with the
press and ends when the last message of the request has been changed.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

from bench.bot import BenchError, Running, running
from bench.rounds import Goal, Result, Size, in_turns
from bot.demo.workspace import APPROVER
from bot.domain.policy.model import Policy

_WAIT = 20.0  # seconds


async def measure(size: Size, policy: Policy, scratch: Path, env: dict[str, str]) -> list[Result]:
    numbers = iter(range(1, 10_000))
    async with running(scratch / "clicking", policy, env) as bot:

        async def clicks() -> float:
            return median([await _click(bot, next(numbers)) for _ in range(size.clicks)])

        found = await in_turns(size.rounds, {"ours": clicks})
    goal = Goal("P12", "click to every copy updated, Slack answering at once, p50", 20.0)
    return [Result(goal, "ms", found["ours"])]


async def _click(bot: Running, number: int) -> float:
    """Milliseconds."""
    world = bot.sandbox.world
    card, _ = await bot.file(number)
    await bot.silent()
    (newest,) = bot.rows("SELECT id FROM request ORDER BY filed_ms DESC LIMIT 1")
    copies = bot.rows("SELECT channel, ts FROM copy WHERE case_id = ?", newest[0])

    def shown() -> list[object]:
        return [(m := world.find(channel, ts)) and (m.text, m.blocks) for channel, ts in copies]

    before = [repr(one) for one in shown()]
    if len(before) < 2 or "None" in before:
        raise BenchError("A copy is missing before the click.")
    begun = perf_counter()
    pressed = await bot.sandbox.press(APPROVER, "Approve", message=card)
    if not pressed.ok:
        raise BenchError(f"The click was not taken: {pressed.error}")
    await bot.sandbox.wait_for(lambda: all(repr(now) != was for now, was in zip(shown(), before, strict=True)), _WAIT)
    took = (perf_counter() - begun) * 1000
    await bot.silent()
    return took
