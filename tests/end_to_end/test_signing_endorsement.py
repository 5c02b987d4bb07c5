"""Somebody merges a key of their own into the policy: everybody is paged, the log says so until an owner endorses it on the page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Page, expect

from storage.log.check import check_database
from tests.end_to_end.ground import Ground, free_port
from tests.end_to_end.test_signing import OWNER, Signer
from tests.end_to_end.test_without_slack import pages

DEV = "dev: {id: U0DEP1, name: Dev Rao}"


async def test_an_added_key_pages_everybody_and_is_named_until_it_is_endorsed_on_the_page(
    start: Callable[..., Any], phone: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, other = (Signer(free_port(), ec.generate_private_key(ec.SECP256R1())) for _ in range(2))

    def write(folder: Any) -> None:
        signer.write(folder)
        matrix = folder / "responsibility.yaml"
        matrix.write_text(matrix.read_text().replace("Novak, passkeys", 'Novak, page: "env:PAGE_OLGA", passkeys', 1))

    async with pages() as (address, got):
        monkeypatch.setenv("PAGE_OLGA", address)
        listen = f"127.0.0.1:{signer.port}"
        bot = await start(1, "socket", lambda one: one.changed.update(COUNTERSIGN_SIGN_LISTEN=listen), write)
        assert (await bot.command("log", "verify"))[0] == 0
        matrix = bot.home / "runbooks" / "responsibility.yaml"
        name = base64.urlsafe_b64encode(b"another-passkey!").rstrip(b"=").decode()
        line = f"{{id: {name}, key: {other.spki}, rp: localhost, synced: false, label: Spare}}"
        assert DEV in matrix.read_text()
        matrix.write_text(matrix.read_text().replace(DEV, f"{DEV[:-1]}, passkeys: [{line}]}}"))
        await Ground(bot).until(lambda: bot.types().count("policy.loaded") == 2, timeout=20)
        await Ground(bot).until(lambda: got, timeout=20)
        assert "Nobody has endorsed it" in got[0]["message"]
        assert f"http://localhost:{signer.port}/" in got[0]["message"]
        for person in (OWNER, "U0AUDIT"):
            await bot.sandbox.wait_for(
                lambda person=person: any("nobody has endorsed it" in m.text for m in bot.sandbox.messages(person)), 20
            )
        code, said = await bot.command("log", "verify", "--json")
        assert (code, '"unendorsed"' in said) == (1, True), said
        await signer.hold(phone)
        await phone.goto(f"http://localhost:{signer.port}/")
        await phone.get_by_role("button", name="Sign in with passkey").click()
        await phone.get_by_role("link", name="A change of the signing keys").click()
        await expect(phone.get_by_text("Dev Rao gets a passkey (Spare)")).to_be_visible()
        assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await phone.get_by_role("button", name="Endorse with passkey").click()
        await expect(phone.get_by_role("status")).to_contain_text("Signed, and written into the decision log.")
        assert "policy.endorsed" in bot.types()
        code, said = await bot.command("log", "verify", "--json")
        assert code == 0, said
        assert check_database(bot.place).findings == ()
