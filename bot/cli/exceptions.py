"""`countersign exceptions`: the register of policy exceptions on the host. Exit codes: 0 printed, 2 wrong use."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli import exception_register
from bot.cli.errors import misused
from bot.cli.host_store import accepted_policy, opened_store
from bot.cli.printing.requests import COLOURS
from bot.clock import SystemClock
from bot.terminal import say, say_json, say_table

LIMIT = 10_000


def exceptions(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV; no cell can start a formula.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Those that ended, too.")] = False,
) -> None:
    """Print the register of policy exceptions, the next to end first."""
    if as_json and as_csv:
        misused("Choose one of --json and --csv.")

    async def work() -> None:
        async with opened_store(read_only=True) as store:
            found, policy = await store.cases.exceptions(LIMIT), await accepted_policy(store)
        now = SystemClock().now()
        cases = [case for case in found if everything or exception_register.is_open(case, now)]
        rows = [exception_register.row(policy, case, now) for case in cases]
        if as_json:
            say_json(rows)
        elif as_csv:
            say(exception_register.sheet(rows), end="")
        else:
            plain = "\n".join(exception_register.lines(policy, cases, now))
            say_table(
                exception_register.HEADS, [exception_register.cells(policy, one, now) for one in cases], plain, COLOURS
            )

    asyncio.run(work())
