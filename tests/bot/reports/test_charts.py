"""Charts count in whole numbers: nobody files half a request."""

from __future__ import annotations

import re

import pytest

from bot.reports.charts import bars, table


@pytest.mark.parametrize(
    ("numbers", "ticks"), [((1, 1), [0, 1]), ((2, 4), [0, 1, 2, 3, 4]), ((37, 3), [0, 5, 10, 15, 20, 25, 30, 35, 40])]
)
def test_the_axis_has_whole_numbers(numbers: tuple[int, ...], ticks: list[int]) -> None:
    drawn = bars("Requests", "Letter", ("a", "b"), {"requests": numbers})
    axis = drawn[drawn.index('class="axis y') :]
    axis = axis[: axis.index('class="axis x')] if 'class="axis x' in axis else axis
    assert [int(one) for one in re.findall(r"<text[^>]*>([\d.]+)</text>", axis)][: len(ticks)] == ticks


def test_a_chart_has_its_numbers_once() -> None:
    own = bars("Requests", "Month", ("2026-01", "2026-02"), {"open": (1, 2), "closed": (3, 4)})
    assert "<th>Month</th><th>open</th><th>closed</th>" in own
    assert "<td>2026-02</td><td>2</td><td>4</td>" in own
    beside = bars("Requests", "Month", ("2026-01",), {"open": (1,)}, beside="<table>all of it</table>")
    assert beside.count("<table") == 1
    assert "<figcaption>" not in beside


def test_a_time_is_read_to_the_minute_and_does_not_break() -> None:
    told = table(("At", "What"), [("2026-12-01T06:52:55.890Z", "2026-12-01T06:52:55.890Z <b>")])
    assert '<td><time datetime="2026-12-01T06:52:55.890Z">2026-12-01 06:52</time></td>' in told
    assert '<td class="long">2026-12-01T06:52:55.890Z &lt;b&gt;</td>' in told
