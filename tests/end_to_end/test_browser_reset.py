"""A reset on screen, in a real Chromium: from its form over proof, wait and Restore to the accepted review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.async_api import Locator, expect

from bot.demo.workspace import ASKER
from storage.log.check import check_database
from tests.end_to_end.screen import button
from tests.end_to_end.test_browser_after import KOFI, LONG, SAMIRA, command, message, sent

INGRID = "U0CLDEP2"


async def attest(pane: Locator, method: str) -> None:
    """Presses Attest on the receipt and says how the person was verified."""
    await button(message(pane, "asked at"), "Attest").click()
    form = pane.get_by_role("dialog")
    await form.get_by_label("How the person was verified").select_option(method)
    await form.get_by_label("Reference").fill("Call 4711, R. Ellis")
    await form.get_by_test_id("modal-submit").click()
    await expect(form).to_be_hidden()


async def test_a_reset_from_its_form_over_proof_wait_and_restore_to_the_accepted_review(
    start: Callable[..., Any], look: Any
) -> None:
    bot = await start(60)  # the cooling-off of 30 minutes lasts 30 s
    screen = await look(bot.sandbox.page_url, ASKER, SAMIRA)
    others = await look(bot.sandbox.page_url, KOFI, INGRID)
    form = await command(screen.left, "/reset clinician-mfa-reset Phone lost on the ward")
    await expect(form.get_by_text("First, confirm how the person was verified.")).to_be_visible()
    await form.get_by_label("Target").fill("k.mensah")
    await form.get_by_label("Duration").select_option("4 hours")
    await form.get_by_label("Whose credential").select_option(KOFI)
    await form.get_by_label("What was lost").select_option("New phone")
    await form.get_by_label("Service ticket").fill("INC77")
    await form.get_by_label("Address that is told of the reset").fill("ward@trust.example")
    await sent(form)
    asked = message(screen.right, "k.mensah")
    await expect(asked).to_contain_text("can't approve yet. Waiting for")
    await expect(others.left.get_by_text("You decide nothing here.")).to_have_count(1)
    await expect(button(asked, "Approve")).to_have_count(0)
    await attest(screen.left, "manager_callback")
    await expect(asked).to_contain_text("Verified: manager callback")
    await attest(screen.left, "id_document")
    await expect(asked).to_contain_text("Call 4711, R. Ellis")
    await expect(asked).not_to_contain_text("Not verified yet")
    await button(asked, "Approve").click()
    await expect(asked).to_contain_text("Approved, and waiting.")
    await expect(button(asked, "Approve")).to_have_count(0)
    assert "grant.opened" not in bot.types()
    await expect(asked).to_contain_text("The approval holds for", timeout=LONG)
    await expect(message(others.left, "is suspended")).to_contain_text("Clinical identity")
    restore = message(screen.right, "Restore authority: Clinical identity")
    await button(restore, "Restore").click()
    await expect(restore).to_contain_text("Restored by @Samira Haddad")
    await expect(message(others.left, "counts again")).to_be_visible()
    await button(message(screen.left, "asked at"), "Finished").click()
    evidence = screen.left.get_by_role("dialog")
    await evidence.get_by_label("What it is").fill("https://evidence.example/7")
    await evidence.get_by_test_id("modal-submit").click()
    await expect(evidence).to_be_hidden()
    review = message(others.right, "Was it in order?")
    await expect(button(screen.right, "Accept")).to_have_count(0)  # who alone approved it does not review it
    await button(review, "Accept").click()
    await expect(review).to_contain_text("Accepted by @Ingrid Solberg")
    types = bot.types()
    wanted = [
        "subject.verified",
        "request.approved",
        "grant.opened",
        "authority.suspended",
        "authority.restored",
        "review.passed",
    ]
    assert [t for t in dict.fromkeys(types) if t in wanted] == wanted
    assert check_database(bot.place).findings == ()
