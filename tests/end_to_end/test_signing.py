"""A yes signed in a real Chromium with a virtual passkey, against the whole bot: the page on `localhost`, as an owner sees it."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Page, expect

from storage.log.check import check_database
from tests.end_to_end.conftest import REPOSITORY
from tests.end_to_end.ground import free_port

RUNBOOK = "directory-admin-emergency"
OWNER, REQUESTER = "U0OWNER", "U0PE1"
CREDENTIAL = b"the-owners-passkey"


@dataclass
class Signer:
    """A private key that the policy names and Chromium's virtual authenticator holds."""

    port: int
    private: ec.EllipticCurvePrivateKey

    @property
    def spki(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self.private.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def write(self, folder: Path) -> None:
        """The runbook demands a signature, and the policy names the owner's key."""
        book = folder / f"{RUNBOOK}.md"
        book.write_text(book.read_text().replace("audience: pam-prod", "audience: pam-prod\nsignature: required"))
        name = base64.urlsafe_b64encode(CREDENTIAL).rstrip(b"=").decode()
        line = f"olga: {{id: U0OWNER, name: Olga Novak, passkeys: [{{id: {name}, key: {self.spki}, rp: localhost, synced: false}}]}}"
        matrix = folder / "responsibility.yaml"
        text = matrix.read_text().replace("olga: {id: U0OWNER, name: Olga Novak}", line, 1)
        text += f"\nsigning: {{rp_id: localhost, origin: 'http://localhost:{self.port}'}}\n"
        matrix.write_text(text)

    async def hold(self, page: Page, *, verified: bool = True) -> None:
        """Gives the page a virtual authenticator with this key."""
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": verified, "automaticPresenceSimulation": True,
        }  # fmt: skip
        made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        form = serialization.PrivateFormat.PKCS8
        key = self.private.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
        credential = {
            "credentialId": base64.b64encode(CREDENTIAL).decode(), "isResidentCredential": True, "rpId": "localhost",
            "privateKey": base64.b64encode(key).decode(), "userHandle": base64.b64encode(b"olga").decode(), "signCount": 1,
        }  # fmt: skip
        await cdp.send("WebAuthn.addCredential", {"authenticatorId": made["authenticatorId"], "credential": credential})


def link_of(card: Any, sandbox: Any) -> str:
    """The address behind **Approve** on the owner's card."""
    blocks = json.dumps(card.raw.blocks)
    buttons = [one for block in card.raw.blocks for one in block.get("elements", []) if one.get("type") == "button"]
    found = next((one["url"] for one in buttons if one["text"]["text"] == "Approve" and "url" in one), None)
    assert found, blocks
    return str(found)


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_the_owner_approves_for_less_with_a_passkey_on_a_phone(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page, transport: str
) -> None:
    signer = Signer(free_port(), ec.generate_private_key(ec.SECP256R1()))
    bot = await start(
        1,
        transport,
        lambda one: one.changed.update(COUNTERSIGN_SIGN_LISTEN=f"127.0.0.1:{signer.port}"),
        signer.write,
        anew=True,
    )
    card = await file(bot.sandbox)
    assert "Approve for less…" not in card.buttons
    outcome = await bot.sandbox.press(OWNER, "Approve", message=card)  # Slack sends the payload of a link button too
    assert outcome.ok
    await signer.hold(phone)
    await phone.goto(link_of(card, bot.sandbox))
    await expect(phone.get_by_text("Sync stopped")).to_be_visible()
    await expect(phone.get_by_role("status")).to_have_text("Your answer is needed.")
    await expect(phone.get_by_text("on a separate page")).to_have_count(0)
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await phone.get_by_label("Approve for less…").select_option("30 minutes")
    await phone.get_by_role("button", name="Approve for less with passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("Signed, and written into the decision log.")
    await expect(phone.get_by_role("button", name="Approve with passkey")).to_have_count(0)
    entries = [json.loads(row[0]) for row in bot.rows("SELECT data FROM log_entry ORDER BY idx")]
    approved = next(entry for entry in entries if entry["type"] == "request.approved")
    assert approved["data"]["signed"] is True
    assert approved["data"]["seconds"] == 1800
    assert "decision.refused" not in {entry["type"] for entry in entries}
    assert check_database(bot.place).findings == ()


async def test_without_user_verification_or_without_webauthn_nothing_is_approved(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page
) -> None:
    signer = Signer(free_port(), ec.generate_private_key(ec.SECP256R1()))
    bot = await start(
        1, "socket", lambda one: one.changed.update(COUNTERSIGN_SIGN_LISTEN=f"127.0.0.1:{signer.port}"), signer.write
    )
    link = link_of(await file(bot.sandbox), bot.sandbox)
    await signer.hold(phone, verified=False)
    await phone.goto(link)
    await phone.get_by_role("button", name="Approve with passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("Nothing was signed")
    await phone.add_init_script("delete window.PublicKeyCredential")
    await phone.reload()
    await expect(phone.get_by_role("status")).to_contain_text("open it in Safari or Chrome")
    await expect(phone.get_by_role("button", name="Approve with passkey")).to_be_disabled()
    assert "request.approved" not in bot.types()


async def printed(running: Any, count: int) -> list[str]:
    """The first lines that are not empty of what a command prints."""
    found: list[str] = []
    while len(found) < count:
        line = (await asyncio.wait_for(running.stdout.readline(), 30)).decode().strip()
        found += [line] if line else []
    return found


async def test_a_passkey_is_enrolled_on_the_page_and_tried_before_anything_is_signed_with_it(
    start: Callable[..., Any], phone: Page
) -> None:
    signer = Signer(free_port(), ec.generate_private_key(ec.SECP256R1()))
    listen = f"127.0.0.1:{signer.port}"
    bot = await start(1, "socket", lambda one: one.changed.update(COUNTERSIGN_SIGN_LISTEN=listen), signer.write)
    cdp = await phone.context.new_cdp_session(phone)
    await cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    for served in (True, False):  # by the running bot, then by the command itself
        if not served:
            await bot.stop()
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "passkey", "enrol" if served else "test", "dev" if served else "samira",
            cwd=REPOSITORY, env=bot.environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, address, code = await printed(running, 3)
        await phone.goto(address)
        await phone.get_by_label("Code from the host").fill("000000")
        await phone.get_by_role("button", name="Continue").click()
        await expect(phone.get_by_role("status")).to_contain_text("not the code")
        await phone.get_by_label("Code from the host").fill(code.removeprefix("Code: "))
        await phone.get_by_role("button", name="Continue").click()
        await phone.get_by_role("button", name="Make passkey" if served else "Try passkey").click()
        await expect(phone.get_by_role("status")).to_contain_text("Made." if served else "The passkey works.")
        out = (await asyncio.wait_for(running.stdout.read(), 30)).decode()  # type: ignore[union-attr]
        assert await running.wait() == 0
        assert (await phone.locator("#made").text_content() or "").split("\n")[-1] in out
        if served:
            line = next(one.strip() for one in out.splitlines() if one.strip().startswith("- {id:"))
            matrix = bot.home / "runbooks" / "responsibility.yaml"
            named = f"samira: {{id: U0CLIN, name: Samira Haddad, passkeys: [{line.removeprefix('- ')}]}}"
            matrix.write_text(matrix.read_text().replace("samira: {id: U0CLIN, name: Samira Haddad}", named, 1))
            checked, said = await bot.command("check", str(bot.home / "runbooks"))
            assert checked == 0, said
            shown, said = await bot.command("passkey", "show", "samira")
            assert shown == 0, said
    assert list((bot.home / "state" / "enrolment").iterdir()) == []
