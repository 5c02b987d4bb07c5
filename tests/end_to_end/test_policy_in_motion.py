"""Policy files that change under a running bot: taken at once, given later and announced, never lost."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.demo.workspace import APPROVER

DEPUTY = "U0DEP1"


def matrix(bot: Any) -> Path:
    return bot.home / "runbooks" / "responsibility.yaml"  # type: ignore[no-any-return]


def swap_owner(bot: Any) -> None:
    """Dev becomes the owner of the directory; Olga leaves it."""
    text = matrix(bot).read_text()
    assert "owner: olga" in text
    assert "deputies: [dev, maeve]" in text
    matrix(bot).write_text(text.replace("owner: olga", "owner: dev").replace("deputies: [dev, maeve]", "deputies: [maeve]"))


async def loaded(bot: Any, times: int) -> None:
    await bot.sandbox.wait_for(lambda: bot.types().count("policy.loaded") == times, 15)


async def test_who_loses_authority_loses_it_at_once_and_who_gains_it_waits(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    swap_owner(bot)
    await loaded(bot, 2)
    told = await sandbox.wait_for(lambda: [m for m in sandbox.messages("C0DIRECTORY") if "has changed" in m.shown])
    assert f"<@{DEPUTY}>" in told[0].shown
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "has changed"))
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: sandbox.find(APPROVER, "not yours to decide"))
    await sandbox.press(DEPUTY, "Approve", message=card)
    await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Your authority over this is new"))
    assert "request.approved" not in bot.types()


async def test_what_a_change_gives_waits_across_a_restart_too(start: Callable[..., Any], file: Any) -> None:
    bot = await start()
    sandbox = bot.sandbox
    card = await file(sandbox)
    assert await bot.stop() == 0
    swap_owner(bot)
    await bot.start()
    await sandbox.wait_for(lambda: [m for m in sandbox.messages("C0DIRECTORY") if "has changed" in m.shown])
    await sandbox.press(DEPUTY, "Approve", message=card)
    await sandbox.wait_for(lambda: sandbox.find(DEPUTY, "Your authority over this is new"))
    assert "request.approved" not in bot.types()


async def test_after_the_delay_a_new_request_needs_the_new_policy_only(start: Callable[..., Any], file: Any) -> None:
    bot = await start(900)  # policy_delay of 15 minutes is one second
    sandbox = bot.sandbox
    swap_owner(bot)
    await loaded(bot, 2)
    [(accepted,)] = bot.rows("SELECT max(accepted_ms) FROM policy_set")
    await sandbox.wait_for(lambda: time.time() * 1000 > accepted + 1100)
    card = await file(sandbox, owner=DEPUTY)
    await sandbox.press(DEPUTY, "Approve", message=card)
    assert await sandbox.wait_for(lambda: "grant.opened" in bot.types())


async def test_a_bad_set_is_reported_and_the_last_good_one_stays_also_at_a_start(
    start: Callable[..., Any], file: Any
) -> None:
    bot = await start()
    sandbox = bot.sandbox
    good = matrix(bot).read_text()
    matrix(bot).write_text(good.replace("owner: olga", "owner: nobody_here"))
    await sandbox.wait_for(lambda: "policy.rejected" in bot.types(), 15)
    assert "nobody_here" in bot.log()
    assert await bot.stop() == 0
    await bot.start()
    card = await file(sandbox)
    await sandbox.press(APPROVER, "Approve", message=card)
    await sandbox.wait_for(lambda: "grant.opened" in bot.types())
