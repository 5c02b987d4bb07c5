"""A real bot on a log that its signer refuses: it serves, gives nothing, takes away, and says why; then the log is back."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.demo.workspace import APPROVER, ASKER
from bot.runtime.log_verification import TrustBase, verify
from tests.end_to_end.ground import free_port


@pytest.mark.sqlite  # on PostgreSQL a replica without its memory takes in and does not lead (replicas)
async def test_a_bot_whose_memory_is_gone_gives_nothing_and_takes_away(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    asked = await file(sandbox, target="dc-1")
    opened = await file(sandbox, target="dc-2")
    await sandbox.press(APPROVER, "Approve", message=opened)
    await sandbox.wait_for(lambda: "Revoke" in sandbox.current(opened).buttons)
    await sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"))
    await bot.stop()
    memory = bot.home / "state" / "log.memory"
    kept, entries = memory.read_bytes(), bot.types()
    memory.unlink()
    bot.ops_listen = f"127.0.0.1:{free_port()}"
    await bot.start()

    status, why = await looked(bot)
    assert (status, "nobody can say whether entries were lost" in why) == (503, True)
    await sandbox.press(APPROVER, "Approve", message=asked)
    await sandbox.wait_for(
        lambda: [m for m in sandbox.messages(APPROVER) if "decision log is stopped, so nothing" in m.shown]
    )
    await sandbox.press(APPROVER, "Revoke", message=sandbox.current(opened))
    await sandbox.wait_for(lambda: "Revoke" not in sandbox.current(opened).buttons)
    await sandbox.press(APPROVER, "Deny", message=sandbox.current(asked))
    await sandbox.wait_for(lambda: sandbox.modal(APPROVER))
    await sandbox.submit(APPROVER, {"Reason": "Not now"})
    await sandbox.wait_for(lambda: "Approve" not in sandbox.current(asked).buttons)
    assert bot.types() == entries

    await bot.stop()
    memory.write_bytes(kept)
    await bot.start()
    status, why = await looked(bot)
    assert (status, why) == (200, "ready\n")
    await bot.stop()
    fresh = [kind for kind in bot.types()[len(entries) :] if kind.startswith(("grant.", "request."))]
    assert fresh == ["grant.revoked", "request.denied"]
    assert bot.types()[len(entries)] == "grant.revoked"  # before anything else
    assert verify(bot.place, TrustBase(None, bot.home / "state")).findings == ()
    assert [m for m in sandbox.messages(ASKER) if "Denied" in m.shown or "denied" in m.shown]


async def looked(bot: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{bot.ops_listen}/readyz") as answer:
        return answer.status, await answer.text()
