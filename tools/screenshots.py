"""Real screenshots of the sandbox for the README: the demo's first minute, in Chromium."""

import asyncio
import os
import re
import shutil
import signal
import sys
from pathlib import Path

from playwright.async_api import Page, async_playwright

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
]


def chromium() -> str:
    """The browser's path, or a sentence."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        sys.exit("Chromium is missing. On Debian: sudo apt-get install chromium. Elsewhere: set CHROMIUM to its path.")
    return found


async def main() -> None:
    """Starts the demo, takes the pictures, ends it."""
    browser_path = chromium()
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        address = await printed_address(demo)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.goto(address.replace("&panel=script", ""))
            await pictures(page)
            await browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        await demo.communicate()


async def printed_address(demo: asyncio.subprocess.Process) -> str:
    """The page's address, once the demo has printed it."""
    assert demo.stdout is not None
    while line := await asyncio.wait_for(demo.stdout.readline(), 30):
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S*", line.decode()):
            return found.group()
    sys.exit("The demo ended before it printed its page's address.")


async def pictures(page: Page) -> None:
    """The request as it waits, and the requester's screen after the yes."""
    left, right = page.get_by_test_id("pane-left"), page.get_by_test_id("pane-right")
    approve = right.get_by_role("button", name="Approve", exact=True)
    await approve.wait_for()
    await left.get_by_role("button", name="Withdraw").wait_for()
    await page.screenshot(path=ROOT / "docs" / "sandbox.png")
    await approve.click()
    await page.mouse.move(720, 5)
    await left.get_by_role("heading", name="Before you start").wait_for()
    await right.get_by_text("The approval holds").wait_for()
    await page.screenshot(path=ROOT / "docs" / "approved.png")


if __name__ == "__main__":
    asyncio.run(main())
