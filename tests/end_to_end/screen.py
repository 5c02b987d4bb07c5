"""What the tests in a browser look at: a page of the sandbox with two people on it."""

from __future__ import annotations

from playwright.async_api import Locator, Page


class Screen:
    """One browser page with two people on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.left, self.right = page.get_by_test_id("pane-left"), page.get_by_test_id("pane-right")


def button(within: Locator, name: str) -> Locator:
    return within.get_by_role("button", name=name, exact=True)
