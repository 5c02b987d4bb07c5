"""The demo's act of signed decisions in a real Chromium: with a virtual passkey that says what it is, and with a passkey of the browser."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.demo.signing import RUNBOOK, demand_signature
from runbooks.loader import load
from tests.conftest import EXAMPLE
from tests.end_to_end.keyring import Keyring, authenticator

ROOT = Path(__file__).parents[3]
LONGEST = 60.0  # seconds


@dataclass
class Demo:
    """A running demo, and what it has printed."""

    process: asyncio.subprocess.Process
    told: str = ""
    grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            async with self.grown:
                self.told += line.decode()
                self.grown.notify_all()

    async def said(self, pattern: str) -> str:
        """The first group of what it prints, now or later."""
        async with asyncio.timeout(LONGEST), self.grown:
            await self.grown.wait_for(lambda: re.search(pattern, self.told))
        found = re.search(pattern, self.told)
        assert found is not None
        return found[1]


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_", "MAKE"))}
    running = Demo(
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0", cwd=ROOT, env=kept,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )
    )  # fmt: skip
    reading = asyncio.ensure_future(running.read())
    yield running
    running.process.send_signal(signal.SIGINT)
    await asyncio.wait_for(reading, LONGEST)
    assert await running.process.wait() == 0, running.told
    assert "Traceback" not in running.told


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield opened
    await opened.close()


async def makes(page: Page, code: str) -> None:
    """Makes Olga's passkey."""
    await page.get_by_label("Code from the host").fill(code)
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Make passkey").click()
    await expect(page.get_by_role("status")).to_contain_text("Made.")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("own", [False, True])
async def test_olga_makes_a_passkey_and_her_yes_is_signed_with_it(demo: Demo, context: BrowserContext, own: bool) -> None:
    address, link = await demo.said(r"(http://127\.0\.0\.1:\S+)"), await demo.said(r"(http://localhost:\d+/e#\S+)")
    code = await demo.said(r"the code (\d{6})")
    slack = await context.new_page()
    await slack.goto(address)
    shown = slack.get_by_test_id("step").filter(has_text="A yes that nobody else can give.")
    assert await shown.get_by_role("link", name="Open the page").get_attribute("href") == link
    async with context.expect_page() as opened:
        await shown.get_by_role("link", name="Open the page").click()
    page = await opened.value
    if own:
        cdp = await context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator()})
        await page.reload()
    bar = page.get_by_label("Which passkey signs")
    await expect(bar).to_contain_text(
        "A passkey of this browser signs." if own else "Virtual passkey: this demo signs with a key made of software"
    )
    await makes(page, code)
    olga = slack.locator(".pane").nth(1)
    await expect(olga.get_by_role("button", name="Approve", exact=True)).to_have_count(2, timeout=30_000)
    async with context.expect_page() as opened:
        await olga.get_by_role("button", name="Approve", exact=True).last.click()
    decides = await opened.value
    if own:
        await page.goto(decides.url)
        await page.reload()
        decides = page
    await expect(decides.get_by_text("Signs in from two countries at once")).to_be_visible()
    await expect(decides.get_by_label("Which passkey signs")).to_be_visible()
    await decides.get_by_role("button", name="Approve with passkey").click()
    await expect(decides.get_by_role("status")).to_contain_text("Signed, and written into the decision log.")
    assert await demo.said(r"request\.approved .*(signed=True)")
    assert await demo.said(r"(grant\.opened)")
    await expect(decides.get_by_role("button", name="Approve with passkey")).to_have_count(0)


def test_the_policy_of_the_demo_demands_the_signature_and_loads(tmp_path: Path) -> None:
    folder, keys = tmp_path / "runbooks", Keyring(3002)
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "py.typed"))
    demand_signature(folder, keys.line("olga"), keys.origin)
    loaded = load(folder)
    assert loaded.policy is not None, loaded.errors
    assert loaded.policy.runbooks[RUNBOOK].signature == "required"
    assert loaded.policy.signing is not None
    assert [named.label for named in loaded.policy.people if named.passkeys] == ["olga"]
