"""How tests are dealt to the workers of a run, and what those of one worker share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser

from tests.quicker import dealt, lent


def longest(number: int) -> bool:
    return number >= 100


def waits(number: int) -> bool:
    return number % 2 == 1


def test_a_third_of_the_workers_begins_with_the_longest_and_the_others_share_what_waits() -> None:
    assert dealt([1, 3, 5, 100, 102, 2, 4, 6, 8], longest, waits, 3) == [100, 102, 2, 1, 5, 4, 3, 6, 8]


def test_one_worker_has_the_longest_first() -> None:
    assert dealt([2, 1, 100, 4, 3], longest, waits, 1) == [100, 1, 3, 2, 4]


@given(st.lists(st.integers(0, 200), unique=True), st.integers(1, 12))
def test_nothing_is_lost_or_doubled(items: list[int], hands: int) -> None:
    assert sorted(dealt(items, longest, waits, hands)) == sorted(items)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_browser_that_is_lent_keeps_no_page_of_a_test(shared_browser: Browser) -> None:
    before = shared_browser.contexts
    async with lent(shared_browser):
        page = await shared_browser.new_page()
        await (await shared_browser.new_context()).new_page()
        assert len(shared_browser.contexts) == len(before) + 2
    assert shared_browser.contexts == before
    assert page.is_closed()
