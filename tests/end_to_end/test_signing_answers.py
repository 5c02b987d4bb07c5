"""Every yes that can be signed, signed in a real Chromium at the page's own address, over both transports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bot.evidence.stored_policy import policy_check
from storage.log.check import check_database
from tests.end_to_end.ground import Ground, free_port
from tests.end_to_end.keyring import EMERGENCY, SETTING, Keyring
from tests.end_to_end.test_browser_after import day, patient_exception

ASKER, KOFI = "U0PE1", "U0CLDEP1"
SIGNED = "Signed, and written into the decision log."


class Signers:
    """People with a browser each, who sign in once and then answer what waits for them."""

    def __init__(self, browser: Browser, keys: Keyring, bot: Any) -> None:
        self._browser, self._keys, self._bot = browser, keys, bot
        self._pages: dict[str, Page] = {}

    async def sign(self, label: str, link: str, button: str) -> None:
        """Somebody opens what the list calls `link`, and signs with this button; the sooner their list has it the better."""
        page = await self._page(label)
        found = page.get_by_role("link", name=link)
        for _ in range(100):
            await page.goto(f"{self._keys.origin}/")
            sign_in = page.get_by_role("button", name="Sign in with passkey")
            await expect(page.get_by_role("status")).not_to_contain_text("Loading")
            if await sign_in.count():
                await sign_in.click()
                await expect(page.get_by_role("status")).to_contain_text("waits for you")
            if await found.count():
                break
            await page.wait_for_timeout(200)
        await found.last.click()
        await page.get_by_role("button", name=f"{button} with passkey").click()
        await expect(page.get_by_role("status")).to_contain_text(SIGNED, timeout=15_000)
        await expect(page.get_by_role("button", name=f"{button} with passkey")).to_have_count(0)

    async def _page(self, label: str) -> Page:
        if label not in self._pages:
            context = await self._browser.new_context(viewport={"width": 390, "height": 844})
            self._pages[label] = await context.new_page()
            await self._keys.hold(self._pages[label], label)
        return self._pages[label]

    async def close(self) -> None:
        for page in self._pages.values():
            await page.context.close()


async def entry(bot: Any, type_: str, **said: Any) -> dict[str, Any]:
    """The newest entry of a type, once it is there; it says that it is signed."""
    await bot.sandbox.wait_for(lambda: type_ in bot.types(), 20)
    [(data,)] = bot.rows("SELECT data FROM log_entry WHERE type = ? ORDER BY idx DESC LIMIT 1", type_)
    found: dict[str, Any] = json.loads(data)
    assert found["data"]["signed"] is True
    assert said.items() <= found["data"].items()
    return found


def demanding(keys: Keyring) -> Callable[[Path], None]:
    people = ("olga", "dev", "samira", "kofi", "ruth", "anselm")
    books = (EMERGENCY, "clinical-signin-outage", "clinician-mfa-reset")

    def write(folder: Path) -> None:
        keys.write(folder, people, books, more=", operator_acts: required")
        book = folder / f"{EMERGENCY}.md"
        book.write_text(book.read_text().replace("approvals: 1", "approvals: 2"))

    return write


async def break_glass(bot: Any) -> None:
    await bot.sandbox.command(ASKER, "/breakglass", "clinical-signin-outage All wards are out")
    await bot.sandbox.wait_for(lambda: bot.sandbox.modal(ASKER))
    filled = {
        "Target": "clinical-sso-prod", "Site": "All sites", "Staff who cannot sign in": "900", "Incident reference": "INC77"
    }  # fmt: skip
    assert (await bot.sandbox.submit(ASKER, filled)).ok
    await bot.sandbox.close(ASKER, everything=True)


async def reset(bot: Any) -> None:
    """A reset of a deputy's own credential, with both checks done."""
    sandbox = bot.sandbox
    await sandbox.command(ASKER, "/reset", "clinician-mfa-reset Phone lost on the ward")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    filled = {
        "Target": "k.mensah", "Whose credential": KOFI, "What was lost": "New phone", "Service ticket": "INC77",
        "Address that is told of the reset": "ward@trust.example",
    }  # fmt: skip
    assert (await sandbox.submit(ASKER, filled)).ok
    await sandbox.close(ASKER, everything=True)
    for method in ("manager_callback", "id_document"):
        receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Attest"))
        await sandbox.press(ASKER, "Attest", message=receipt)
        await sandbox.wait_for(lambda: sandbox.modal(ASKER))
        assert (await sandbox.submit(ASKER, {"How the person was verified": method, "Reference": "Call 4711"})).ok
        done = ["manager_callback", "id_document"].index(method) + 1
        await sandbox.wait_for(lambda done=done: bot.types().count("subject.verified") == done)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_quorum_an_extension_a_ratification_a_restore_and_a_confirm_are_signed(
    start: Callable[..., Any], browser: Browser, transport: str
) -> None:
    keys = Keyring(free_port())
    bot = await start(60, transport, lambda one: one.changed.update({SETTING: keys.listen}), demanding(keys))
    people, ground, sandbox = Signers(browser, keys, bot), Ground(bot), bot.sandbox
    await reset(bot)
    [(waiting,)] = bot.rows("SELECT id FROM request WHERE runbook = 'clinician-mfa-reset'")
    await people.sign("samira", waiting, "Approve")  # its wait of 30 minutes lasts 30 s
    case = await ground.filed()
    await people.sign("olga", case, "Approve")
    assert (await entry(bot, "request.approved", have=1, need=2))["case"] == case
    assert ("grant.opened", case) not in bot.rows("SELECT type, case_id FROM log_entry")
    await people.sign("dev", case, "Approve")
    assert (await entry(bot, "request.approved", have=2, need=2))["case"] == case
    await ground.click(ASKER, "extend", f"{case}:1")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"Duration": "30 minutes"})).ok
    for label in ("olga", "dev"):
        await people.sign(label, case, "Extend")
    await sandbox.wait_for(lambda: "grant.extended" in bot.types())
    await break_glass(bot)
    await people.sign("samira", "Break glass", "Ratify")
    await entry(bot, "breakglass.ratified")
    await sandbox.wait_for(lambda: bot.rows("SELECT 1 FROM request WHERE matter = 'suspension'"), 60)
    await people.sign("samira", "Restore", "Restore")
    await entry(bot, "authority.restored")
    code, said = await bot.command("log", "hold", "place", f"T0HOME/{ASKER}", "--reason", "A court asked for it")
    assert code == 0, said
    (hold,) = re.findall(r"H-[0-9A-Z]{8}", said)[:1]
    code, said = await bot.command("log", "hold", "release", hold, "--reason", "Settled")
    assert code == 0, said
    for label in ("anselm", "ruth"):
        await people.sign(label, "an act of the host's operator", "Confirm")
    await entry(bot, "operator.confirmed")
    await people.close()
    types = bot.types()
    assert [types.count(one) for one in ("request.approved", "operator.confirmed", "decision.refused")] == [5, 2, 0]
    assert check_database(bot.place).findings == ()
    assert policy_check(bot.place, None).findings == ()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_an_exception_and_its_renewal_and_the_keeping_of_a_right_are_signed(
    start: Callable[..., Any], browser: Browser, transport: str
) -> None:
    keys = Keyring(free_port())

    def write(folder: Path) -> None:
        patient_exception(folder)
        keys.write(folder, ("mei", "jonas", "olga"), ("rotation-date-exception", "account-unlock"))
        book = folder / "account-unlock.md"
        book.write_text(book.read_text().replace("review_every: 90d", "review_every: 2d"))

    bot = await start(8640, transport, lambda one: one.changed.update({SETTING: keys.listen}), write)  # a day lasts 10 s
    people, sandbox = Signers(browser, keys, bot), bot.sandbox
    await sandbox.command(ASKER, "/exception", "rotation-date-exception A change freeze")
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    filled = {
        "Ends on": day(8), "Target": "svc-payroll", "Date it was due": day(0), "Date it will be rotated": day(8),
        "What stands in the way": "The freeze", "Compensating controls": "Source addresses are limited",
    }  # fmt: skip
    outcome = await sandbox.submit(ASKER, filled)
    assert outcome.ok, outcome.errors
    await sandbox.close(ASKER, everything=True)
    found = "SELECT id FROM request WHERE runbook = 'rotation-date-exception'"
    [(case,)] = await sandbox.wait_for(lambda: bot.rows(found))
    await people.sign("mei", case, "Approve")
    assert (await entry(bot, "request.approved"))["data"]["until"] == day(8)
    await people.sign("olga", "Unlock a standard staff account", "Keep")
    await entry(bot, "right.kept")
    receipt = await sandbox.wait_for(lambda: sandbox.find(ASKER, "Renew"), 90)
    await sandbox.press(ASKER, "Renew", message=receipt)
    await sandbox.wait_for(lambda: sandbox.modal(ASKER))
    assert (await sandbox.submit(ASKER, {"Ends on": day(28)})).ok
    await people.sign("mei", case, "Renew")
    await sandbox.wait_for(lambda: "exception.renewed" in bot.types())
    await people.close()
    assert check_database(bot.place).findings == ()
    assert policy_check(bot.place, None).findings == ()
