"""Charts as inline SVG, drawn by pygal: it needs no network and no browser, and draws the same bytes for the same numbers.

What pygal adds besides the drawing is dropped: a script that fetches nothing here, and comments with the day of the drawing.
Colours follow the page, light or dark; every chart comes with its numbers as a table.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from html import escape
from itertools import count
from typing import Any

_STYLE = {
    "background": "transparent", "plot_background": "transparent", "foreground": "currentColor", "foreground_strong": "currentColor",
    "foreground_subtle": "currentColor", "colors": ("#2f6fb5", "#b5482f", "#7a7a7a", "#3f8f5f", "#8a5fb5"),
    "font_family": "system-ui, sans-serif", "guide_stroke_color": "#88888866",
    "major_guide_stroke_color": "#88888866", "legend_font_size": 11, "opacity": "1", "opacity_hover": "1", "transition": "0s",
}  # fmt: skip
_FEW = 5  # columns that a phone shows without wrapping each cell to one word a line
_UPRIGHT = 8  # columns that fit on paper without turning it
_LONG = 20  # letters of a word that may be broken on paper
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")  # a time of the log, UTC
_BESIDE = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)


def bars(title: str, by: str, labels: Sequence[str], series: Mapping[str, Sequence[int]], beside: str | None = None) -> str:
    """A stacked bar chart with its numbers as a table, as HTML. Every series has a number for each label; `by` says what the labels are.
    `beside` is a table under a heading of its own that has the numbers already; then neither is written twice."""
    pygal = _pygal()
    chart = pygal.StackedBar(
        no_prefix=True, js=(), style=pygal.style.Style(**_STYLE), disable_xml_declaration=True, width=820, height=280, legend_at_bottom=True,
        show_y_guides=True, x_label_rotation=40 if len(labels) > 14 else 0, truncate_label=24, show_legend=len(series) > 1,
        y_labels_major_every=2, formatter=str, no_data_text="No data", include_x_axis=True, legend_at_bottom_columns=len(series),
    )  # fmt: skip
    chart.x_labels = [str(label) for label in labels]
    chart.y_labels = _ticks(max((sum(numbers) for numbers in zip(*series.values(), strict=True)), default=0))
    for name, numbers in series.items():
        chart.add(name, list(numbers))
    drawn = _BESIDE.sub("", chart.render(is_unicode=True)).replace(
        "<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1
    )
    caption = f"<figcaption>{escape(title)}</figcaption>" if beside is None else ""
    told = table((by, *series), _rows(labels, series)) if beside is None else beside
    return f"<figure>{caption}{_scrolling(drawn, 'Chart')}{told}</figure>"


def _ticks(peak: int) -> list[int]:
    """Whole numbers from 0 up to `peak` or a step above, at most ten steps: nobody files half a request."""
    sizes = (factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(size for size in sizes if peak <= 10 * size)
    return list(range(0, max(peak, 1) + step, step))


def _pygal() -> Any:
    """The library, loaded for the first chart and not at the start of a bot.

    It leaves a finder for plug-ins on the import path, which Python deprecates; no plug-in is used here."""
    import pygal

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
    return pygal


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as HTML, everything escaped; a time is written to the minute, and does not break."""
    top = "".join(f"<th>{escape(str(cell))}</th>" for cell in head)
    body = "".join("<tr>" + "".join(map(_cell, map(str, row))) + "</tr>" for row in rows)
    many = ' class="many"' if len(head) > _FEW else ""
    written = f"<table{many}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return _scrolling(written, "Table", "wide broad" if len(head) > _UPRIGHT else "wide")


def _cell(text: str) -> str:
    if _STAMP.fullmatch(text):
        return f'<td><time datetime="{text}">{text[:10]} {text[11:16]}</time></td>'
    long = ' class="long"' if max(map(len, text.split()), default=0) > _LONG else ""
    return f"<td{long}>{escape(text)}</td>"


def _scrolling(wide: str, what: str, classes: str = "wide") -> str:
    """What is wider than a phone scrolls by itself, with the keyboard too."""
    return f'<div class="{classes}" tabindex="0" role="group" aria-label="{what}, scrolls sideways">{wide}</div>'


def _rows(labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> list[list[object]]:
    return [[label, *(numbers[i] for numbers in series.values())] for i, label in enumerate(labels)]
