"""Keys that change hands in a real browser: a new phone, a key that became synced, and a signature of an older version."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bot.evidence.stored_policy import policy_check
from storage.log.check import check_database
from tests.end_to_end.conftest import REPOSITORY
from tests.end_to_end.ground import Ground, free_port
from tests.end_to_end.keyring import SETTING, Keyring, authenticator
from tests.end_to_end.test_signing import REQUESTER, link_of, printed
from tests.end_to_end.test_signing_answers import SIGNED, Signers

APPROVE = "Approve with passkey"


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_where_no_key_may_be_synced_one_that_is_signs_nothing(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page, transport: str
) -> None:
    keys = Keyring(free_port())

    def write(folder: Path) -> None:
        keys.write(folder, signature="device_bound")
        keys.name(folder / "responsibility.yaml", "dev", keys.line("dev", synced=True))

    bot = await start(60, transport, lambda one: one.changed.update({SETTING: keys.listen}), write)
    card = await file(bot.sandbox)
    await keys.hold(phone, "olga", eligible=True)
    await phone.goto(link_of(card, bot.sandbox))
    await phone.get_by_role("button", name=APPROVE).click()
    await expect(phone.get_by_role("status")).to_contain_text("needs a key that cannot be synced")
    assert bot.types().count("decision.refused") == 1
    deputys = await bot.sandbox.wait_for(lambda: bot.sandbox.find("U0DEP1", "Deny"), 30)
    assert "Approve" not in deputys.buttons
    assert "needs a passkey" in deputys.text
    await keys.hold(phone, "olga", count=9)
    await phone.reload()
    await phone.get_by_role("button", name=APPROVE).click()
    await expect(phone.get_by_role("status")).to_contain_text(SIGNED)
    assert policy_check(bot.place, None).findings == ()


async def test_what_was_signed_for_an_older_version_is_refused_for_the_next(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page, browser: Browser
) -> None:
    keys = Keyring(free_port())
    bot = await start(1, "socket", lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    link = link_of(await file(bot.sandbox), bot.sandbox)
    [(case,)] = bot.rows("SELECT id FROM request WHERE runbook = 'directory-admin-emergency'")
    left = await (await browser.new_context()).new_page()
    for page, count in ((left, 20), (phone, 1)):
        await keys.hold(page, "olga", count=count)
        await page.goto(link)
        await expect(page.get_by_role("button", name=APPROVE)).to_be_enabled()
    await phone.get_by_role("button", name=APPROVE).click()
    await expect(phone.get_by_role("status")).to_contain_text(SIGNED)
    ground, sandbox = Ground(bot), bot.sandbox
    await ground.click(REQUESTER, "extend", f"{case}:1")
    await sandbox.wait_for(lambda: sandbox.modal(REQUESTER))
    assert (await sandbox.submit(REQUESTER, {"Duration": "30 minutes"})).ok
    await sandbox.wait_for(lambda: "extension.asked" in bot.types())
    await sandbox.wait_for(lambda: bot.rows("SELECT 1 FROM sign_link WHERE version = 2 AND user_id = 'U0OWNER'"))
    [(newer,)] = bot.rows("SELECT token FROM sign_link WHERE version = 2 AND user_id = 'U0OWNER'")
    sent: list[str] = []

    async def to_the_newer(route: Any) -> None:
        sent.append(str(route.request.post_data))
        await route.continue_(post_data=str(route.request.post_data).replace(link.partition("#")[2], newer))

    await left.route("**/api/sign", to_the_newer)
    await left.get_by_role("button", name=APPROVE).click()
    await expect(left.get_by_role("status")).to_contain_text("does not know the statement")
    await left.unroute_all()
    await left.reload()
    await expect(left.get_by_role("status")).to_have_text("This question is closed.")
    assert len(sent) == 1
    assert "grant.extended" not in bot.types()
    assert bot.types().count("request.approved") == 1
    await left.context.close()


async def enrolled(bot: Any, page: Page, label: str) -> str:
    """Somebody makes a passkey on this page; its line."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "passkey", "enrol", label, cwd=REPOSITORY, env=bot.environment,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, address, code = await printed(running, 3)
    await page.goto(address)
    await page.get_by_label("Code from the host").fill(code.removeprefix("Code: "))
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Make passkey").click()
    await expect(page.get_by_role("status")).to_contain_text("Made.")
    out = (await asyncio.wait_for(running.stdout.read(), 30)).decode()  # type: ignore[union-attr]
    assert await running.wait() == 0
    return next(one.strip().removeprefix("- ") for one in out.splitlines() if one.strip().startswith("- {id:"))


async def counting(bot: Any, keys: int) -> None:
    """Returns once so many keys of the owner count."""
    async with asyncio.timeout(60):
        while (await bot.command("passkey", "show", "olga"))[1].count("counts since") < keys:
            await asyncio.sleep(0.5)


async def signs(page: Page, keys: Keyring, case: str) -> None:
    """The owner signs in at the page's own address, and approves."""
    await page.goto(f"{keys.origin}/")
    sign_in = page.get_by_role("button", name="Sign in with passkey")
    await expect(page.get_by_role("status")).not_to_contain_text("Loading")
    if await sign_in.count():
        await sign_in.click()
    await page.get_by_role("link", name=case).click()
    await page.get_by_role("button", name=APPROVE).click()
    await expect(page.get_by_role("status")).to_contain_text(SIGNED)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_new_phone_signs_once_its_key_is_endorsed_and_the_old_one_no_more_once_it_is_removed(
    start: Callable[..., Any], phone: Page, browser: Browser, transport: str
) -> None:
    keys = Keyring(free_port())
    bot = await start(
        60,
        transport,
        lambda one: one.changed.update({SETTING: keys.listen}),
        lambda folder: keys.write(folder, ("olga", "ruth")),
    )
    matrix, ground, people = bot.home / "runbooks" / "responsibility.yaml", Ground(bot), Signers(browser, keys, bot)
    cdp = await phone.context.new_cdp_session(phone)
    await cdp.send("WebAuthn.enable")
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator()})
    line = await enrolled(bot, phone, "olga")
    keys.name(matrix, "olga", keys.line("olga"), line)
    await ground.until(lambda: bot.types().count("policy.loaded") == 2, timeout=20)
    await people.sign("ruth", "A change of the signing keys", "Endorse")
    code, said = await bot.command("passkey", "show", "olga")
    assert (code, said.count("counts from"), said.count("counts since")) == (0, 1, 1), said
    await counting(bot, 2)
    case = await ground.filed()
    await signs(phone, keys, case)
    keys.name(matrix, "olga", line)
    await ground.until(lambda: bot.types().count("policy.loaded") == 3, timeout=20)
    old = await (await browser.new_context()).new_page()
    await keys.hold(old, "olga", count=99)
    await old.goto(f"{keys.origin}/")
    await old.get_by_role("button", name="Sign in with passkey").click()
    await expect(old.get_by_role("status")).to_contain_text("does not count here")
    await signs(phone, keys, await ground.filed(target="dc-core-02"))
    await old.context.close()
    await people.close()
    assert check_database(bot.place).findings == ()
    assert policy_check(bot.place, None).findings == ()
