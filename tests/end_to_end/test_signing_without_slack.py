"""Slack is cut off: an operator files for an engineer, the owner is paged, signs on a phone, and the access is given back; when Slack is
back everything is said once, *Was not me* revokes, and the log verifies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Page, expect

from bot.evidence.stored_policy import policy_check
from storage.log.check import check_database
from tests.bot.forwarding import forwarded
from tests.end_to_end.ground import Ground, free_port
from tests.end_to_end.test_signing import OWNER, REQUESTER, RUNBOOK, Signer
from tests.end_to_end.test_without_slack import pages

FILE = ("requests", "file", RUNBOOK, "--for", REQUESTER, "--reason", "Sync stopped", "--field", "ticket=INC1001")


def prepared(signer: Signer) -> Callable[[Any], None]:
    def write(folder: Any) -> None:
        signer.write(folder)
        matrix = folder / "responsibility.yaml"
        text = matrix.read_text().replace("Novak, passkeys", 'Novak, page: "env:PAGE_OLGA", passkeys', 1)
        matrix.write_text(text.replace("signing: {", "signing: {when_slack_is_down: signed, "))

    return write


async def signed(phone: Page, case_id: str) -> None:
    """The owner opens the one address that the page names, and approves what waits."""
    if await phone.get_by_role("button", name="Sign in with passkey").count():
        await phone.get_by_role("button", name="Sign in with passkey").click()
    await phone.get_by_role("link", name=case_id).click()
    await expect(phone.get_by_text("Call back.")).to_be_visible()
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await phone.get_by_role("button", name="Approve with passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("Signed, and written into the decision log.")


async def test_slack_is_cut_off_and_an_owner_decides_all_the_same(
    start: Callable[..., Any], phone: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, port = Signer(free_port(), ec.generate_private_key(ec.SECP256R1())), free_port()
    origin, listen = f"http://localhost:{signer.port}", f"127.0.0.1:{signer.port}"
    async with pages() as (address, got):
        monkeypatch.setenv("PAGE_OLGA", address)
        bot = await start(1, "socket", lambda one: one.changed.update(COUNTERSIGN_SIGN_LISTEN=listen), prepared(signer))
        code, said = await bot.command(*FILE, "--target", "dc-core-01")
        assert (code, "Slack answers" in said) == (1, True), said
        await bot.sandbox.wait_for(lambda: bot.rows("SELECT 1 FROM account_answer"), 30)
        assert await bot.stop() == 0
        bot.changed["SLACK_API_URL"] = f"http://127.0.0.1:{port}/api/"
        await bot.launch()
        code, said = await bot.command(*FILE, "--target", "dc-core-01")
        assert code == 0, said + bot.log()
        first = re.findall(r"R-[0-9A-Z]{8}", said)[0]
        await Ground(bot).until(lambda: got, timeout=30)
        assert f"{origin}/" in got[0]["message"]
        await signer.hold(phone)
        await phone.goto(f"{origin}/")
        await phone.get_by_role("button", name="Sign in with passkey").wait_for()
        assert (await bot.command("requests", "show", first, "--body"))[0] == 1
        await signed(phone, first)
        code, said = await bot.command("requests", "show", first, "--body")
        assert (code, "1. " in said) == (0, True), said
        assert (await bot.command("requests", "finish", first))[0] == 0
        code, said = await bot.command(*FILE, "--target", "dc-core-02")
        assert code == 0, said
        second = re.findall(r"R-[0-9A-Z]{8}", said)[0]
        await phone.goto(f"{origin}/")
        await signed(phone, second)
        async with forwarded(bot.sandbox.port, port):
            await bot.sandbox.wait_for(lambda: bot.sandbox.sockets, 60)
            told = await bot.sandbox.wait_for(
                lambda: next(
                    (m for m in bot.sandbox.messages(REQUESTER) if second in m.text and "Was not me" in m.buttons), None
                ),
                60,
            )
            await bot.sandbox.press(REQUESTER, "Was not me", message=told)
            await bot.sandbox.wait_for(lambda: "grant.revoked" in bot.types(), 30)
            await bot.sandbox.wait_for(lambda: not bot.rows("SELECT 1 FROM outbox WHERE done_ms IS NULL"), 60)
            heard = [m for m in bot.sandbox.messages(REQUESTER) if second in m.text and "Was not me" in m.text]
            assert len(heard) == 1
            assert len([m for m in bot.sandbox.messages(OWNER) if f"{first}:" in m.text]) <= 1
            assert await bot.stop() == 0
    types = bot.types()
    assert [types.count(one) for one in ("request.approved", "grant.finished", "grant.revoked")] == [2, 1, 1]
    assert check_database(bot.place).findings == ()
    assert policy_check(bot.place, None).findings == ()
