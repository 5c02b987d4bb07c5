"""Every report's page in a real Chromium, opened from disk without a network: whole on a desk, on a phone and on paper, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from bot.reports import monthly, paper
from bot.reports.registers import exceptions_paper, reviews_paper

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of `shared_browser`

AXE = Path(__file__).parents[3] / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
PAPER = 680  # CSS pixels of a line on A4 with margins of 15 mm
PAGES: dict[str, Callable[[Path], str]] = {
    "provider": lambda year: monthly.page(monthly.monthly_report(year, "provider", "alder", "2025-06")),
    "owner": lambda year: monthly.page(monthly.monthly_report(year, "owner", "owner-vault", "2025-06")),
    "reviews": lambda year: paper.page(reviews_paper(year, None, None)),
    "exceptions": lambda year: paper.page(exceptions_paper(year, None, None)),
}
BROKEN = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode()); ) {
    if (!text.parentElement.closest('th, td') || text.parentElement.closest('.long')) continue;
    for (const word of text.data.matchAll(/[^\\s()./-]+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((row) => row.top)).size > 1) found.push(word[0]);
    }
  }
  return [...new Set(found)];
}"""


async def opened(browser: Browser, file: Path, wrong: list[str], **how: Any) -> Page:
    """The page without a network; whatever it asks for, and each error, is `wrong`."""
    context = await browser.new_context(offline=True, **how)
    page = await context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("request", lambda asked: None if asked.url == file.as_uri() else wrong.append(asked.url))
    await page.goto(file.as_uri())
    return page


@pytest.fixture(params=["pack", *PAGES])
def file(request: pytest.FixtureRequest, year: Path, year_pack: Path, tmp_path: Path) -> Path:
    if request.param == "pack":
        return year_pack / "index.html"
    (tmp_path / "page.html").write_text(PAGES[request.param](year), "utf-8")
    return tmp_path / "page.html"


async def test_it_loads_nothing_and_no_page_is_wider_than_its_screen(shared_browser: Browser, file: Path) -> None:
    wrong: list[str] = []
    for scheme in ("light", "dark"):
        for width in (390, 1200):
            page = await opened(shared_browser, file, wrong, color_scheme=scheme, viewport={"width": width, "height": 844})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert await page.locator("main h1").count() == 1
            await page.evaluate(AXE.read_text())
            found: Any = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
            await page.context.close()
    assert wrong == []


async def test_on_paper_no_word_is_broken_and_nothing_is_cut(shared_browser: Browser, file: Path) -> None:
    page = await opened(shared_browser, file, [], viewport={"width": PAPER, "height": 960})
    await page.emulate_media(media="print")
    if await page.locator(".broad").count():
        await page.set_viewport_size({"width": 1010, "height": 680})  # that table is on pages that are turned
    assert await page.evaluate(BROKEN) == []
    assert await page.evaluate(
        "[...document.querySelectorAll('table')].every((one) => one.getBoundingClientRect().right <= innerWidth)"
    )
    assert (await page.pdf(prefer_css_page_size=True)).startswith(b"%PDF")
    await page.context.close()


async def test_the_first_page_of_a_pack_begins_with_what_nobody_approved(shared_browser: Browser, year_pack: Path) -> None:
    page = await opened(shared_browser, year_pack / "index.html", [])
    first = page.locator("h2").first
    assert (await first.inner_text()).startswith("Access that nobody approved: ")
    rows = await page.locator("h2:first-of-type + .wide tbody tr").count()
    assert rows == int((await first.inner_text()).rpartition(" ")[2])
    figures = page.locator("figure", has_text="Requests by month and outcome")
    assert await figures.locator("svg").count() == 1
    assert await figures.locator("tbody tr").count() == 12
    await page.context.close()
