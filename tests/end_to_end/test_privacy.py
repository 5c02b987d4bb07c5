"""Erasure and a new epoch through real processes: the bot, the commands beside it, and the people who confirm in Slack."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from storage.log.check import check_database
from tests.end_to_end.test_drill import on_host, said

AUDITOR, RISK, OWNER, ASKER = "U0AUDIT", "U0RISK", "U0OWNER", "U0PE1"
TYPED = ("dc-unforgettable", "Forgetful reason")


def short_memory(bot: Any) -> None:
    """Evidence is kept for a minute of policy time."""
    file = bot.home / "runbooks" / "responsibility.yaml"
    file.write_text(file.read_text().replace("retention: 2555d", "retention: 60s"))


async def filed(bot: Any, *words: str) -> str:
    code, out, err = await said(await on_host(bot, "log", *words))
    assert code == 0, err
    return out.strip()


async def confirmed(bot: Any, act_id: str) -> None:
    """An auditor and a risk owner press Confirm, one after the other."""
    sandbox = bot.sandbox
    for person in (AUDITOR, RISK):
        card = await sandbox.wait_for(
            lambda p=person: [m for m in sandbox.messages(p) if act_id in m.shown and "Confirm" in m.buttons], 20
        )
        assert (await sandbox.press(person, "Confirm", message=card[0])).ok
    await sandbox.wait_for(lambda: bot.rows("SELECT 1 FROM operator_act WHERE id = ? AND state = 'done'", act_id), 40)


async def test_erased_text_is_nowhere(start: Callable[..., Any], file: Any) -> None:
    bot = await start(60, prepare=short_memory)
    sandbox = bot.sandbox
    card = await file(sandbox, target=TYPED[0], reason=TYPED[1])
    await sandbox.press(OWNER, "Deny", message=card)
    await sandbox.wait_for(lambda: sandbox.modal(OWNER))
    await sandbox.submit(OWNER, {"Reason": "Not today"})
    await sandbox.wait_for(lambda: bot.rows("SELECT 1 FROM request WHERE emptied = 1"), 20)

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in bot.home.glob("bot.*"))

    def shown() -> str:
        return str([(m.text, m.shown) for p in (OWNER, ASKER, "U0PLEAD") for m in sandbox.messages(p)])

    assert TYPED[0] in shown()
    await sandbox.wait_for(lambda: not any(text.encode() in files() for text in TYPED), 20)  # log_private holds base64 only
    act_id = await filed(bot, "erase", f"T0HOME/{ASKER}", "--reason", "they asked for it")
    await confirmed(bot, act_id)
    assert bot.rows("SELECT 1 FROM log_private WHERE subject = ?", f"T0HOME/{ASKER}") == []
    assert not [text for text in TYPED if text in shown() or text.encode() in files()]
    assert check_database(bot.place).findings == ()
    code, _, err = await said(await on_host(bot, "log", "verify"))
    assert code == 0, err


@pytest.mark.sqlite  # its database is put back to a copied file
async def test_a_restored_backup_waits_for_two_people_and_goes_on_as_a_new_epoch(
    start: Callable[..., Any], file: Any
) -> None:
    bot = await start(1)
    sandbox = bot.sandbox
    with closing(sqlite3.connect(bot.database)) as source, closing(sqlite3.connect(bot.home / "yesterday")) as copy:
        source.backup(copy)
    card = await file(sandbox)
    await sandbox.press(OWNER, "Approve", message=card)
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
    await said(await on_host(bot, "log", "checkpoint"))
    await bot.kill()
    for left in bot.home.glob("bot.db*"):
        left.unlink()
    shutil.copy(bot.home / "yesterday", bot.database)
    await bot.start()
    assert (await said(await on_host(bot, "log", "verify")))[0] == 1
    act_id = await filed(bot, "new-epoch", "--reason", "the disk died")
    await confirmed(bot, act_id)
    assert bot.types().count("log.epoch_started") == 1
    fresh = await file(sandbox, target="dc-after")
    await sandbox.press(OWNER, "Approve", message=fresh)
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
    code, out, err = await said(await on_host(bot, "log", "verify"))
    assert code == 0, out + err
