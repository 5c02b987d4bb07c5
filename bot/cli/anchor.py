"""`countersign log anchor`: publishes the newest checkpoint to every configured anchor now.

Exit codes: 0 all accepted it, 1 one did not or the signer refuses, 2 none is configured.
"""

from __future__ import annotations

import asyncio

import typer

from bot.cli.errors import misused, refused
from bot.cli.host_store import opened_store
from bot.clock import SystemClock
from bot.settings import load
from bot.terminal import say


def anchor() -> None:
    """Send the newest signed checkpoint to every anchor that is configured, now."""
    if not asyncio.run(_anchor()):
        raise typer.Exit(1)


async def _anchor() -> bool:
    from bot.decision_log.anchors import NotAnchored
    from bot.ports.records import SignedCheckpoint
    from bot.runtime.anchors import anchors
    from bot.runtime.open_log import cover

    settings = load()
    ways = anchors(settings)
    if not ways:
        misused(
            "No anchor is configured. Set COUNTERSIGN_WITNESS_URL, COUNTERSIGN_ANCHOR_MAIL or COUNTERSIGN_ANCHOR_WEBHOOK."
        )
    async with opened_store(read_only=False) as store:
        signed = await cover(settings)
        if not isinstance(signed, SignedCheckpoint):
            refused(f"{signed.code}: {signed.text}")
        well = True
        for way in ways:
            try:
                say(await way.anchor(store.anchors, signed, SystemClock().now()))
            except NotAnchored as why:
                say(f"{way.kind}: {why}", error=True)
                well = False
    return well
