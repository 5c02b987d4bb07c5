"""Scenes of the page where decisions are signed: signing in, what waits, a question, its reason for a no, the signature, making a passkey."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count

from camera import Camera, Office, Scene, running
from picture_requests import OLGA, asked
from playwright.async_api import Page

from sandbox.driver import Sandbox, Seen
from tests.end_to_end.ground import free_port
from tests.end_to_end.keyring import Keyring


async def signing(camera: Camera) -> None:
    """The owner's passkey is held by Chromium's virtual authenticator."""
    keys = Keyring(free_port())
    async with running(keys=keys) as office:
        card = await asked(office.sandbox)
        await camera.take(office.sandbox, "sign-card", OLGA, "asks for")
        await front(camera, keys)
        await question(camera, office, keys, card)


async def front(camera: Camera, keys: Keyring) -> None:
    """The address without a link, signed out and in, and the address where a passkey is made."""

    turn, counts = asyncio.Lock(), count(10, 10)  # an authenticator's count may not go back: the pages sign in one by one

    async def signed_in(page: Page) -> None:
        async with turn:
            await keys.hold(page, "olga", count=next(counts))
            await page.goto(f"{keys.origin}/")
            await page.get_by_role("button", name="Sign in with passkey").click()
            await page.get_by_text("this waits for you").wait_for()

    await camera.take_file("sign-in", f"{keys.origin}/", "Sign in with your passkey")
    await camera.take_file("sign-list", f"{keys.origin}/", "this waits for you", before=signed_in)
    await camera.take_file("sign-enrol", f"{keys.origin}/e#code", "Code from the host")
    await camera.take_file("sign-wrong-link", f"{keys.origin}/#wrong", "link")


async def question(camera: Camera, office: Office, keys: Keyring, card: Seen) -> None:
    """One request, before and after the owner signed."""
    link = link_of(office.sandbox, card)
    await camera.take_file("sign-question", link, "Sync stopped")
    await camera.take_file("sign-deny", link, "the decision log keeps it", click="button.no:enabled")
    await camera.take_file("sign-exact", link, "salt of", click="summary")
    page = await camera.browser.new_page()
    await keys.hold(page, "olga", count=100)
    await page.goto(link)
    await page.get_by_role("button", name="Approve with passkey").click()
    await page.get_by_text("Signed, and written").wait_for()
    await page.close()
    await camera.take_file("sign-closed", link, "This question is closed")
    await camera.take(office.sandbox, "sign-card-approved", OLGA, "Approved")


def link_of(sandbox: Sandbox, card: Seen) -> str:
    """The address behind **Approve** on a card."""
    parts = [part for block in sandbox.current(card).raw.blocks for part in block.get("elements", [])]
    return next(str(part["url"]) for part in parts if part.get("url") and part["text"]["text"] == "Approve")


SIGNING: Mapping[str, Scene] = {"signing": signing}
