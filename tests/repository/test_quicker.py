"""How tests are dealt to the workers of a run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.quicker import dealt


def waits(number: int) -> bool:
    return number % 2 == 1


def test_each_worker_begins_with_its_share_of_what_waits() -> None:
    assert dealt([1, 3, 5, 7, 2, 4, 6, 8], waits, 2) == [1, 5, 2, 4, 3, 7, 6, 8]


def test_one_worker_has_all_that_waits_first() -> None:
    assert dealt([2, 1, 4, 3], waits, 1) == [1, 3, 2, 4]


@given(st.lists(st.integers(), unique=True), st.integers(1, 12))
def test_nothing_is_lost_or_doubled(items: list[int], hands: int) -> None:
    assert sorted(dealt(items, waits, hands)) == sorted(items)
