"""`countersign reviews`: the state of the reviews, on the host, and the signed record of one.

Exit codes: 0 printed, 1 there is no such review, 2 wrong use.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.errors import misused, refused
from bot.cli.host_store import accepted_policy, opened_store
from bot.cli.reviews import printing
from bot.domain.case.campaign import PREFIX, Campaign
from bot.domain.policy.model import Policy
from bot.ports.records import LogRow
from bot.terminal import say, say_json

LIMIT = 10_000


def reviews(
    review: Annotated[str, typer.Argument(metavar="[ID]", help="One review, with its entries in the log.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line an item; no cell can start a formula.")] = False,
) -> None:
    """Print the reviews of what providers may do without asking, or the record of one."""
    if as_json and as_csv:
        misused("Choose one of --json and --csv.")
    found, policy, entries = asyncio.run(_read(_id(review)))
    if review and not found:
        refused(f"There is no review {review}. See: countersign reviews")
    if as_csv:
        say(printing.sheet(found), end="")
    elif as_json:
        say_json(printing.whole(found[0], entries) if review else [printing.status(one) for one in found])
    elif review:
        say("\n".join(printing.record(policy, found[0], entries)))
    else:
        printing.listed(policy, found)


async def _read(id_: str) -> tuple[Sequence[Campaign], Policy | None, Sequence[LogRow]]:
    async with opened_store(read_only=True) as store:
        policy = await accepted_policy(store)
        if not id_:
            return await store.reviews.campaigns(LIMIT, closed_too=True), policy, ()
        one = await store.reviews.campaign(id_)
        rows = [row for row in await store.reviews.entries() if _about(row, id_)]
        return ([] if one is None else [one]), policy, rows


def _about(row: LogRow, id_: str) -> bool:
    data = json.loads(row.data or b"{}").get("data")
    return isinstance(data, dict) and data.get("id") == id_


def _id(text: str) -> str:
    plain = text.strip().upper()
    return plain if not plain or plain.startswith(PREFIX) else PREFIX + plain.removeprefix("R-")
