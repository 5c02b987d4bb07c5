"""What a real browser and a real page make of a forwarded link, a framed page, and an answer that is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Page, Route, expect

from storage.log.check import check_database
from tests.end_to_end.ground import free_port
from tests.end_to_end.test_signing import Signer, link_of


async def test_a_forwarded_link_and_a_framed_page_sign_nothing_and_a_lost_answer_is_found_again(
    start: Callable[..., Any], file: Callable[..., Any], phone: Page
) -> None:
    signer = Signer(free_port(), ec.generate_private_key(ec.SECP256R1()))
    listen = f"127.0.0.1:{signer.port}"
    bot = await start(1, "http", lambda one: one.changed.update(COUNTERSIGN_SIGN_LISTEN=listen), signer.write)
    link = link_of(await file(bot.sandbox), bot.sandbox)
    cdp = await phone.context.new_cdp_session(phone)  # somebody else's browser: it has an authenticator, and no such key
    await cdp.send("WebAuthn.enable")
    await phone.goto(link)
    await phone.get_by_role("button", name="Approve with passkey").click()
    await expect(phone.get_by_text("Sync stopped")).to_be_visible()  # a link reads
    assert "request.approved" not in bot.types()
    await phone.goto("about:blank")
    await phone.set_content(f'<iframe src="{link}" allow="publickey-credentials-get *"></iframe>')
    await phone.wait_for_timeout(500)
    assert [await frame.get_by_role("button").count() for frame in phone.frames[1:]] == [0]
    await signer.hold(phone)
    await phone.goto(link)
    lost: list[int] = []

    async def lose(route: Route) -> None:
        answer = await route.fetch()
        lost.append(answer.status)
        await (route.abort() if len(lost) == 1 else route.fulfill(response=answer))

    await phone.route("**/api/sign", lose)
    await phone.get_by_role("button", name="Approve with passkey").click()
    await expect(phone.get_by_role("status")).to_contain_text("The answer was lost.", timeout=15_000)
    await phone.get_by_role("button", name="Send again").click()
    await expect(phone.get_by_role("status")).to_contain_text("Signed, and written", timeout=15_000)
    assert lost == [200, 200]
    assert bot.types().count("request.approved") == 1
    assert check_database(bot.database).findings == ()
