"""Twenty-five real kill -9 while decisions are written and announced: no checkpoint that anybody saw is ever ahead of the log that
survived, or inconsistent with it."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from bot.decision_log.keys import verify, vkeys
from bot.domain.decision_log.merkle_tree import append, root
from bot.domain.decision_log.signed_note import Checkpoint, open_checkpoint
from bot.runtime.log_verification import TrustBase
from bot.runtime.log_verification import verify as verified
from tests.database import opened
from tests.end_to_end.test_kill_storm import filed, started

KILLS, EACH = 25, 25


@pytest.mark.timeout(180)
async def test_over_25_kills_no_published_checkpoint_is_ahead_of_the_log_or_at_odds_with_it(
    start: Callable[..., Any],
) -> None:
    bot = await start()
    await bot.stop()
    await filed(bot.database, bot.home / "runbooks", bot.home / "state")
    seen: set[str] = set()
    sizes = []
    for number in range(KILLS):
        expire(bot)
        before = len(published(bot))
        process = await started(bot)
        with suppress(TimeoutError):
            await asyncio.wait_for(more_published(bot, before), 10)
        await asyncio.sleep(number * 0.008)  # each time a little later: between signing, saying and noting
        process.send_signal(signal.SIGKILL)
        await process.wait()
        fresh, seen = published(bot) - seen, published(bot)
        sizes.append(len(fresh))
        agree(bot, fresh)
    print(f"notes published in each round: {sizes}")
    assert sum(1 for size in sizes if size) > KILLS // 2, "too few kills came after a word about the log"
    agree(bot, seen)
    await bot.start()
    await bot.sandbox.wait_for(lambda: "log.verified" in bot.types()[-400:], 20)
    assert await bot.stop() == 0
    assert verified(bot.place, TrustBase(None, bot.home / "state")).findings == ()
    agree(bot, published(bot))


def expire(bot: Any) -> None:
    """So many more requests are past their deadline now: the next start decides them, and announces it."""
    with closing(opened(bot.place, begins=True)) as raw:
        now = round(time.time() * 1000)
        found = raw.execute("SELECT id FROM request WHERE state = 'pending' AND expires_ms > ? LIMIT ?", (now, EACH))
        for (case_id,) in found.fetchall():
            raw.execute("UPDATE request SET expires_ms = ? WHERE id = ?", (now, case_id))
            raw.execute("UPDATE ask SET expires_ms = ? WHERE case_id = ?", (now, case_id))
            raw.execute("UPDATE deadline SET due_ms = ? WHERE case_id = ?", (now, case_id))
        raw.commit()


def published(bot: Any) -> set[str]:
    """Every signed note that is in Slack."""
    messages = [m for channel in bot.sandbox.world.messages.values() for m in channel]
    return {m.metadata["event_payload"]["note"] for m in messages if m.metadata}


async def more_published(bot: Any, before: int) -> None:
    while len(published(bot)) <= before:
        await asyncio.sleep(0.002)


def agree(bot: Any, notes: set[str]) -> None:
    """Each note is signed by the log's key, and its root is that of the first so many entries that are there."""
    checkpoints = [open_checkpoint(note, keys(bot), verify) for note in notes]
    roots, wanted, edge = {}, {c.size for c in checkpoints}, list[bytes]()
    for index, (leaf,) in enumerate(bot.rows("SELECT leaf FROM log_entry ORDER BY idx")):
        edge = append(index, edge, leaf)
        if index + 1 in wanted:
            roots[index + 1] = root(edge)
    assert [c for c in checkpoints if roots.get(c.size) != c.root] == list[Checkpoint]()


def keys(bot: Any) -> Any:
    (origin,) = bot.rows("SELECT origin FROM log_head")[0]
    return vkeys(bot.home / "state", origin)
