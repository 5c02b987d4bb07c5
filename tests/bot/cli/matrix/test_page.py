"""The page for print: self-contained, well formed, every activity with one A, and no text of a policy file is markup."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

from playwright.async_api import Browser

from bot.cli.matrix.page import page
from bot.domain.policy.governance import OwnerTerm
from bot.domain.policy.model import Policy
from tests.bot.building import OWNER, T0, policy, with_domain

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Reads tables as rows of texts, and checks that every element is closed by its own tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if any(tag in self.open for tag in ("th", "td")):
            self.rows[-1][-1] += data


def test_every_activity_has_one_a_that_is_no_providers(example: Policy) -> None:
    found = [
        row
        for row in Reader(page(example, T0, {})).rows
        if row[0] in ("Ask", "Execute", "Decide", "Evidence", "Review", "Residual risk")
    ]
    assert len(found) == 6 * len(example.runbooks)
    home = {p.name for p in example.people if example.provider_of(p.person) is None}
    assert {row[2].split(" (")[0] for row in found} <= home


def test_the_page_needs_nothing_else_and_prints_on_a4(example: Policy) -> None:
    html = page(example, T0, {})
    read = Reader(html)
    assert not read.tags & {"script", "link", "img", "iframe", "object"}
    assert not {name for name, _ in read.attributes} & {"src", "href", "style", "onload"}
    assert not re.search(r"url\(|@import|https?:", html)
    assert re.search(r"@page \{[^}]*size: A4", html)


def test_the_three_columns_are_side_by_side(example: Policy) -> None:
    rows = Reader(page(example, T0, {})).rows
    (heads, cells) = next((rows[i], rows[i + 1]) for i, row in enumerate(rows) if row[0] == "By itself")
    assert heads == ["By itself", "With authorisation", "Must escalate at once"]
    assert "standing consent: Olga Novak" in cells[0]
    assert example.runbooks["directory-admin-emergency"].title in cells[1]
    assert example.runbooks["identity-containment"].title in cells[2]


def test_text_of_the_policy_is_never_markup() -> None:
    base = with_domain(policy(), risk_statement="<script>alert(1)</script>", name="A & B <b>")
    html = page(base, T0, {})
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "A &amp; B &lt;b&gt;" in html


def test_a_vacant_domain_says_so_and_nobody_signs_as_owner() -> None:
    dated = with_domain(policy(), terms=(OwnerTerm(OWNER, None, date(2026, 12, 31)),)).on(date(2027, 1, 1))
    directory = page(dated, T0, {}).split('id="directory"')[1].split("</section>")[0]
    assert "VACANT: nobody owns this domain" in directory
    assert "<td>Owner: " not in directory
    assert "<td>Risk owner: U0RISK</td>" in directory


async def test_no_heading_breaks_inside_a_word_on_a_phone(browser: Browser, example: Policy, tmp_path: Path) -> None:
    (tmp_path / "matrix.html").write_text(page(example, T0, {}), "utf-8")
    shown = await browser.new_page(viewport={"width": 390, "height": 844})
    await shown.goto((tmp_path / "matrix.html").as_uri())
    broken = await shown.evaluate(
        """() => {
          const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let text; (text = walk.nextNode()); ) {
            if (!text.parentElement.closest('th')) continue;
            for (const word of text.data.matchAll(/\\S+/g)) {
              const range = document.createRange();
              range.setStart(text, word.index);
              range.setEnd(text, word.index + word[0].length);
              const cell = text.parentElement.closest('th').getBoundingClientRect(), rows = [...range.getClientRects()];
              if (rows.length > 1 || rows.some((row) => row.right > cell.right)) found.push(word[0]);
            }
          }
          return [...new Set(found)];
        }"""
    )
    wide = await shown.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    await shown.close()
    assert (broken, wide) == ([], False)
