"""Charts count in whole numbers: nobody files half a request."""

from __future__ import annotations

import re

import pytest

from bot.reports.charts import bars


@pytest.mark.parametrize(
    ("numbers", "ticks"), [((1, 1), [0, 1]), ((2, 4), [0, 1, 2, 3, 4]), ((37, 3), [0, 5, 10, 15, 20, 25, 30, 35, 40])]
)
def test_the_axis_has_whole_numbers(numbers: tuple[int, ...], ticks: list[int]) -> None:
    drawn = bars("Requests", ("a", "b"), {"requests": numbers})
    axis = drawn[drawn.index('class="axis y') :]
    axis = axis[: axis.index('class="axis x')] if 'class="axis x' in axis else axis
    assert [int(one) for one in re.findall(r"<text[^>]*>([\d.]+)</text>", axis)][: len(ticks)] == ticks
