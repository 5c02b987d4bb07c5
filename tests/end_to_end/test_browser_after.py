"""After the yes on screen, in a real Chromium: each kind from its form to the accepted review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, expect

from bot.demo.workspace import ASKER
from storage.log.check import check_database
from tests.end_to_end.screen import button

DEV, SAMIRA, KOFI, MEI, JONAS = "U0DEP1", "U0CLIN", "U0CLDEP1", "U0NHI", "U0VAULT"
LONG = 120_000  # milliseconds: reminders and ends come by the bot's clock
LADDER = """escalation_policies:
  patient: {expires_after: 20d, steps: [{after: 0m, notify: owner}]}
"""


def patient_exception(folder: Path) -> None:
    """The exception under a ladder without working hours, with a review after it."""
    matrix, book = folder / "responsibility.yaml", folder / "rotation-date-exception.md"
    matrix.write_text(matrix.read_text().replace("escalation_policies:\n", LADDER))
    book.write_text(book.read_text().replace("escalation: working", "escalation: patient\nreview_within: 30d"))


async def command(pane: Locator, text: str) -> Locator:
    """Types a command; the form that opens."""
    composer = pane.get_by_test_id("composer")
    await composer.fill(text)
    await composer.press("Enter")
    form = pane.get_by_role("dialog")
    await expect(form).to_be_visible()
    return form


async def sent(form: Locator) -> None:
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_text("is filed.")).to_be_visible()
    await form.get_by_test_id("modal-close").click()
    await expect(form).to_be_hidden()


def message(pane: Locator, text: str) -> Locator:
    """The newest message of the conversation that says this."""
    return pane.get_by_test_id("messages").get_by_test_id("message").filter(has_text=text).last


def day(after_today: int) -> str:
    return (datetime.now(UTC) + timedelta(days=after_today)).date().isoformat()


async def hand_in(pane: Locator, receipt: Locator) -> None:
    """**Finished**, and the evidence that its form asks for."""
    await button(receipt, "Finished").click()
    evidence = pane.get_by_role("dialog")
    await evidence.get_by_label("What it is").fill("https://recordings.example/7")
    await evidence.get_by_test_id("modal-submit").click()
    await expect(evidence).to_be_hidden()


async def test_an_emergency_from_its_form_over_the_yes_to_the_accepted_review(start: Callable[..., Any], look: Any) -> None:
    bot = await start()
    screen = await look(bot.sandbox.page_url)
    deputy = (await look(bot.sandbox.page_url, DEV, ASKER)).left
    form = await command(screen.left, "/breakglass directory-admin-emergency Sync stopped")
    await form.get_by_label("Target").fill("dc-core-01")
    await form.get_by_label("Incident ticket").fill("INC1001")
    await sent(form)
    await button(message(screen.right, "dc-core-01"), "Approve").click()
    await hand_in(screen.left, message(screen.left, "Asked at"))
    review = message(deputy, "Was it in order?")
    await expect(review).to_contain_text("recordings.example/7")
    await button(review, "Accept").click()
    await expect(review).to_contain_text("Accepted by @Dev Rao")
    assert {"grant.finished", "evidence.added", "review.passed"} <= set(bot.types())


async def test_a_break_glass_from_its_form_over_its_ratification_to_the_accepted_review(
    start: Callable[..., Any], look: Any
) -> None:
    bot = await start()
    screen = await look(bot.sandbox.page_url, ASKER, SAMIRA)
    deputy = (await look(bot.sandbox.page_url, KOFI, ASKER)).left
    form = await command(screen.left, "/breakglass clinical-signin-outage All wards are out")
    await expect(form.get_by_text("Opens now, and everybody is told")).to_be_visible()
    await form.get_by_label("Incident reference").fill("INC77")
    await form.get_by_label("Target").select_option("clinical-sso-prod")
    await form.get_by_label("Site").select_option("All sites")
    await form.get_by_label("Staff who cannot sign in").fill("900")
    await sent(form)
    opened = message(screen.right, "opened this for 2 hours")
    await expect(opened).to_contain_text("BREAK-GLASS")
    await button(opened, "Ratify").click()
    await expect(opened).to_contain_text("Ratified by @Samira Haddad")
    await hand_in(screen.left, message(screen.left, "Asked at"))
    review = message(deputy, "Was it in order?")
    await expect(review).to_contain_text("recordings.example/7")
    await expect(button(screen.right, "Accept")).to_have_count(0)  # who alone ratified it does not review it
    await button(review, "Accept").click()
    await expect(review).to_contain_text("Accepted by @Kofi Mensah")
    assert {"breakglass.opened", "breakglass.ratified", "grant.finished", "evidence.added", "review.passed"} <= set(
        bot.types()
    )
    assert check_database(bot.place).findings == ()


async def test_an_exception_from_its_date_over_reminder_and_renewal_to_the_accepted_review(
    start: Callable[..., Any], look: Any
) -> None:
    bot = await start(8640, rewrite=patient_exception)  # a day lasts 10 s
    screen = await look(bot.sandbox.page_url, ASKER, MEI)
    deputy = (await look(bot.sandbox.page_url, JONAS, ASKER)).left
    form = await command(screen.left, "/exception rotation-date-exception A change freeze")
    ends = form.get_by_label("Ends on")
    await expect(ends).to_have_value(day(14))
    await ends.fill(day(60))
    await form.get_by_label("Target").fill("svc-payroll")
    await form.get_by_label("Date it was due").fill(day(0))
    await form.get_by_label("Date it will be rotated").fill(day(8))
    await form.get_by_label("What stands in the way").fill("The freeze")
    await form.get_by_label("Compensating controls").fill("Source addresses are limited")
    await form.get_by_test_id("modal-submit").click()
    await expect(form.get_by_test_id("field-error")).to_contain_text("Choose an earlier day")
    await ends.fill(day(8))
    await sent(form)
    asked = message(screen.right, "svc-payroll")
    await expect(asked).to_contain_text("Source addresses are limited")
    await button(asked, "Approve").click()
    receipt = message(screen.left, "Asked at")
    await expect(receipt).to_contain_text("The exception holds until")
    await expect(button(receipt, "Renew")).to_be_visible(timeout=LONG)
    await button(receipt, "Renew").click()
    renewal = screen.left.get_by_role("dialog")
    await renewal.get_by_label("Ends on").fill(day(28))
    await renewal.get_by_test_id("modal-submit").click()
    await expect(renewal).to_be_hidden()
    again = message(screen.right, "asks for this exception until")
    await button(again, "Approve").click()
    await expect(again).to_contain_text("Renewed by @Mei Tanaka")
    await button(receipt, "Finished").click()
    review = message(deputy, "Was it in order?")
    await button(review, "Accept").click()
    await expect(review).to_contain_text("Accepted by @Jonas Keller")
    assert {"exception.opened", "exception.renewed", "exception.ended", "review.passed"} <= set(bot.types())
    assert check_database(bot.place).findings == ()
