"""kill -9 amid a signature and amid an enrolment: the page finds what it came to, exactly once, and nothing of an enrolment stays."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from bot.evidence.stored_policy import policy_check
from storage.log.check import check_database
from tests.end_to_end.conftest import REPOSITORY
from tests.end_to_end.ground import free_port
from tests.end_to_end.keyring import SETTING, Keyring, authenticator
from tests.end_to_end.test_signing import link_of, printed

APPROVE = "Approve with passkey"


@pytest.mark.timeout(150)
async def test_killed_while_a_signature_arrives_the_same_signature_is_sent_again_and_counts_once(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page
) -> None:
    keys, lost = Keyring(free_port()), 0
    bot = await start(1, "socket", lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    for number, delay in enumerate((0.0, 0.004, 0.012, 0.03)):
        link = link_of(await file(bot.sandbox, target=f"dc-{number}"), bot.sandbox)
        await keys.hold(phone, "olga", count=1 + 10 * number)
        await phone.goto("about:blank")
        await phone.goto(link)
        await expect(phone.get_by_role("button", name=APPROVE)).to_be_enabled()

        async def kill(route: Route, *, delay: float = delay) -> None:
            """The call goes through; a moment later the process is gone, and with it the answer."""
            await route.continue_()
            await asyncio.sleep(delay)
            await bot.kill()

        await phone.route("**/api/sign", kill, times=1)
        await phone.get_by_role("button", name=APPROVE).click()
        await bot.sandbox.wait_for(lambda: bot.process.returncode is not None, 20)
        await bot.start()
        await keys.served(bot.sandbox)
        again = phone.get_by_role("button", name="Send again")
        signed = phone.get_by_text("Signed, and written")  # it was answered before the kill
        await expect(again.or_(signed).or_(phone.get_by_text("cannot reach Countersign"))).to_be_visible(timeout=20_000)
        lost += await again.count()
        if await again.count():
            await again.click()
            await expect(phone.get_by_role("status")).to_contain_text("Signed, and written", timeout=20_000)
        [(case,)] = bot.rows("SELECT id FROM request WHERE target = ?", f"dc-{number}")
        await bot.sandbox.wait_for(
            lambda case=case: bot.rows("SELECT 1 FROM log_entry WHERE type = 'grant.opened' AND case_id = ?", case), 20
        )
        entries = [json.loads(row[0])["type"] for row in bot.rows("SELECT data FROM log_entry WHERE case_id = ?", case)]
        assert [entries.count(one) for one in ("request.approved", "grant.opened")] == [1, 1]
    assert lost > 0, "no answer was lost by a kill"
    assert await bot.stop() == 0
    assert check_database(bot.place).findings == ()
    assert policy_check(bot.place, None).findings == ()


async def test_killed_amid_an_enrolment_nothing_stays_that_could_be_used(start: Callable[..., Any], phone: Page) -> None:
    keys = Keyring(free_port())
    bot = await start(1, "socket", lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    cdp = await phone.context.new_cdp_session(phone)
    await cdp.send("WebAuthn.enable")
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator()})
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "passkey", "enrol", "samira",
        cwd=REPOSITORY, env=bot.environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, address, code = await printed(command, 3)
    await phone.goto(address)
    await phone.get_by_label("Code from the host").fill(code.removeprefix("Code: "))
    await phone.get_by_role("button", name="Continue").click()
    await expect(phone.get_by_role("button", name="Make passkey")).to_be_visible()
    await bot.kill()
    await phone.get_by_role("button", name="Make passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("The answer was lost. Run the command again.")
    command.kill()
    await command.wait()
    await bot.start()
    await keys.served(bot.sandbox)
    await phone.goto("about:blank")
    await phone.goto(address)
    await phone.get_by_label("Code from the host").fill("000000")
    for _ in range(6):  # the sixth wrong code finds the address dead
        async with phone.expect_response("**/api/enrol/begin"):
            await phone.get_by_role("button", name="Continue").click()
    await expect(phone.get_by_role("status")).to_contain_text("not open any more")
    assert "request.approved" not in bot.types()
    assert await bot.stop() == 0
