"""Real screenshots of the sandbox for the README: the demo's first minute, in Chromium."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

from playwright.async_api import async_playwright

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
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert demo.stdout is not None
    address = ""
    while not address:
        line = (await asyncio.wait_for(demo.stdout.readline(), 30)).decode()
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*", line)
        address = found.group() if found else ""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.goto(address)
        approve = page.get_by_test_id("pane-right").get_by_role("button", name="Approve", exact=True)
        await approve.wait_for()
        await page.get_by_test_id("pane-left").get_by_role("button", name="Withdraw").wait_for()
        await page.screenshot(path=ROOT / "docs" / "sandbox.png")
        await approve.click()
        await page.get_by_test_id("pane-left").get_by_text("Before you start").wait_for()
        await page.screenshot(path=ROOT / "docs" / "approved.png")
        await browser.close()
    demo.send_signal(2)
    await demo.wait()


if __name__ == "__main__":
    asyncio.run(main())
