"""The page, the statement and the entry of one signed yes, word for word as signed-decisions.md has them, seen from outside the bot."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.bot.passkeys import raw
from tests.end_to_end.ground import free_port
from tests.end_to_end.keyring import EMERGENCY, SETTING, Keyring
from tests.end_to_end.test_signing import link_of

STATEMENT = {
    "v", "type", "log", "case", "asked", "version", "verdict", "seconds", "need", "role", "seen", "shown", "policy", "runbook", "rp",
    "signer", "nonce", "not_after",
}  # fmt: skip
SIGNATURE = {"credential", "statement", "authenticator_data", "client_data", "signature"}


def disclosed(text: str) -> tuple[str, Any]:
    _, name, value = json.loads(raw(text))
    return name, value


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_what_is_signed_is_what_the_contract_says(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page, transport: str
) -> None:
    keys = Keyring(free_port())
    bot = await start(1, transport, lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    link = link_of(await file(bot.sandbox), bot.sandbox)
    token = link.partition("#")[2]
    assert len(raw(token)) == 16
    asked: list[tuple[str, str | None]] = []
    phone.on("request", lambda request: asked.append((request.url, request.headers.get("referer"))))
    await keys.hold(phone, "olga")
    await phone.goto(link)
    await expect(phone.get_by_role("button", name="Approve with passkey")).to_be_enabled()
    await phone.get_by_text("What exactly do I sign?").click()
    shown = await phone.locator("#statement").text_content() or ""
    statement = json.loads(shown.partition("\n\nsalt")[0])
    salt, words = shown.rpartition(": ")[2], await phone.locator("#words").text_content() or ""
    assert statement.keys() == STATEMENT
    assert statement["shown"] == base64.urlsafe_b64encode(
        hashlib.sha256(raw(salt) + words.encode()).digest()
    ).decode().rstrip("=")
    assert len(raw(statement["nonce"])) == 16
    assert (statement["type"], statement["verdict"], statement["seconds"], statement["need"]) == (
        "decision",
        "approve",
        3600,
        1,
    )
    await phone.get_by_role("button", name="Approve with passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("Signed, and written into the decision log.")
    assert all(token not in url and url.startswith(keys.origin) for url, _ in asked)
    assert not any(referer for _, referer in asked)
    assert token not in bot.log()
    rows = bot.rows("SELECT idx, data, leaf FROM log_entry WHERE case_id IS NOT NULL ORDER BY idx")
    entries = [(idx, json.loads(data), bytes(leaf).hex()) for idx, data, leaf in rows]
    idx, approved = next((idx, entry) for idx, entry, _ in entries if entry["type"] == "request.approved")
    [proof] = [
        v
        for n, v in (disclosed(t) for (t,) in bot.rows("SELECT disclosure FROM log_private WHERE idx = ?", idx))
        if n == "signature"
    ]
    assert proof.keys() == SIGNATURE
    signed = raw(proof["statement"])
    assert json.loads(signed) | {"nonce": "", "not_after": "", "shown": ""} == statement | {
        "nonce": "",
        "not_after": "",
        "shown": "",
    }
    assert approved["data"]["signed"] is True
    assert approved["data"]["statement"] == hashlib.sha256(signed).hexdigest()
    leaves = {leaf: entry["type"] for _, entry, leaf in entries}
    assert leaves[statement["asked"]] == "request.filed"
    assert statement["seen"] in leaves
    assert (statement["log"], statement["signer"]) == (approved["log"], approved["actor"]["ref"])
    assert (statement["policy"], statement["runbook"]) == (approved["policy"]["sha256"], approved["runbook"]["sha256"])
    assert approved["runbook"]["id"] == EMERGENCY


async def test_a_session_is_a_cookie_of_this_host_alone_for_ten_minutes(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page
) -> None:
    keys = Keyring(free_port())
    bot = await start(1, "socket", lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    await file(bot.sandbox)
    await keys.hold(phone, "olga")
    await phone.goto(f"{keys.origin}/")
    cookies: list[str] = []

    async def seen(answer: Any) -> None:
        cookies.append(str(await answer.header_value("set-cookie") or ""))

    phone.on("response", seen)
    await phone.get_by_role("button", name="Sign in with passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("this waits for you")
    [cookie] = [one for one in cookies if one]
    name, *rest = cookie.split("; ")
    assert name.startswith("__Host-")
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=600"} <= set(rest)
    assert await phone.get_by_role("link").count() == 1
    assert "request.approved" not in bot.types()


async def test_a_statement_is_renewed_after_four_minutes_and_signed_within_the_tap(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page
) -> None:
    keys = Keyring(free_port())
    bot = await start(1, "socket", lambda one: one.changed.update({SETTING: keys.listen}), keys.write)
    link = link_of(await file(bot.sandbox), bot.sandbox)
    await phone.clock.install()
    await phone.goto(link)
    approve = phone.get_by_role("button", name="Approve with passkey")
    await expect(approve).to_be_enabled()
    [(before,)] = bot.rows("SELECT count(*) FROM sign_statement")
    await phone.clock.fast_forward("03:55")
    async with phone.expect_response("**/api/statement"):
        await phone.clock.fast_forward("00:06")
    async with phone.expect_response("**/api/statement"):
        await phone.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert bot.rows("SELECT count(*) FROM sign_statement")[0][0] > before
    await expect(approve).to_be_enabled()
    assert await phone.evaluate(ASKED_WITHIN_THE_TAP)


ASKED_WITHIN_THE_TAP = """() => {
  let asked = false;
  navigator.credentials.get = () => { asked = true; return new Promise(() => {}); };
  document.querySelector("button.yes").click();
  return asked;
}"""
