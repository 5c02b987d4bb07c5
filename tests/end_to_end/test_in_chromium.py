"""The main job as people see it: the sandbox's page in a real Chromium, the bot in a process of its own."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.demo_workspace import APPROVER, ASKER

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    assert path is not None, "Chromium is missing: install Debian's chromium, or set CHROMIUM to its path."
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        await running.close()


async def opened(browser: Browser, bot: Any, left: str = ASKER, right: str = APPROVER) -> tuple[Page, Locator, Locator]:
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(15_000)
    await page.goto(f"{bot.sandbox.page_url}?left={left}&right={right}&leftAt=app&rightAt=app")
    return page, page.get_by_test_id("pane-left"), page.get_by_test_id("pane-right")


async def filed(left: Locator, reason: str = "Sync stopped") -> None:
    """Types the command, fills the form and sends it."""
    composer = left.get_by_test_id("composer")
    await composer.press_sequentially("/breakglass directory-admin-emergency")
    await composer.press("Enter")
    form = left.get_by_role("dialog")
    await form.get_by_label("Target").fill("dc-core-01")
    await form.get_by_label("Reason").fill(reason)
    await form.get_by_label("Incident ticket").fill("INC1001")
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_text("is filed.")).to_be_visible()
    await form.get_by_test_id("modal-close").click()


def approve(pane: Locator) -> Locator:
    return pane.get_by_role("button", name="Approve", exact=True)


async def test_filed_approved_with_one_click_and_the_body_is_on_screen(start: Callable[..., Any], browser: Browser) -> None:
    bot = await start()
    _page, left, right = await opened(browser, bot)
    await filed(left)
    await approve(right).click()
    await expect(left.get_by_text("Before you start")).to_be_visible()
    await expect(approve(right)).to_have_count(0)
    await expect(right.get_by_text("Approved").first).to_be_visible()


async def test_left_alone_it_reminds_reaches_deputy_and_on_call_and_expires_on_screen(
    start: Callable[..., Any], browser: Browser
) -> None:
    bot = await start(200)
    _page, left, right = await opened(browser, bot)
    await filed(left)
    await right.get_by_test_id("open-thread").click()
    await expect(right.get_by_test_id("thread").get_by_text("still waits for your answer")).to_be_visible()
    _other, deputy, on_call = await opened(browser, bot, "U0DEP1", "U0ONC1")
    await expect(approve(deputy)).to_be_visible()
    person = await bot.sandbox.wait_for(
        lambda: next((p for p in ("U0ONC1", "U0ONC2") if bot.sandbox.find(p, "Approve")), None), 20
    )
    await on_call.get_by_test_id("persona").select_option(person)
    await expect(on_call.get_by_test_id("message").first).to_be_visible()
    for pane in (right, deputy, on_call):
        await expect(pane.get_by_text("Expired").first).to_be_visible(timeout=25_000)
        await expect(approve(pane)).to_have_count(0)
    await expect(left.get_by_text("Nothing was opened").first).to_be_visible()
    assert "grant.opened" not in bot.types()


async def test_denied_with_a_reason_that_the_requester_reads(start: Callable[..., Any], browser: Browser) -> None:
    bot = await start()
    _page, left, right = await opened(browser, bot)
    await filed(left)
    await right.get_by_role("button", name="Deny", exact=True).click()
    form = right.get_by_role("dialog")
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_test_id("field-error").first).to_be_visible()
    await form.get_by_label("Reason", exact=False).last.fill("Use the read-only account")
    await form.get_by_test_id("modal-submit").click()
    await expect(approve(right)).to_have_count(0)
    await left.get_by_test_id("open-thread").click()
    await expect(left.get_by_test_id("thread").get_by_text("Use the read-only account")).to_be_visible()


@pytest.mark.parametrize("who", [ASKER, "U0SOC1"])
async def test_a_forged_click_is_refused_and_said_so(start: Callable[..., Any], browser: Browser, who: str) -> None:
    bot = await start()
    _page, left, right = await opened(browser, bot, left=ASKER)
    await filed(left)
    await right.get_by_test_id("press-as").select_option(who)
    await approve(right).click()
    await left.get_by_test_id("persona").select_option(who)
    await expect(left.get_by_text("A provider asks; only Example Health Trust decides").first).to_be_visible()
    await expect(approve(right)).to_be_visible()
    assert bot.types().count("decision.refused") == 1
    assert "request.approved" not in bot.types()


async def test_typed_markup_is_inert_on_screen(start: Callable[..., Any], browser: Browser) -> None:
    bot = await start()
    _page, left, right = await opened(browser, bot)
    await filed(left, "<@U0RISK> <!channel> *Approved* <https://evil.example|Approve>\n> and more " + "x" * 700)
    card = right.get_by_test_id("message").first
    await expect(card.get_by_text("<!channel>")).to_be_visible()
    assert await card.get_by_role("link").count() == 0
    assert await card.get_by_role("button", name="Approve", exact=True).count() == 1
