"""The registers of exceptions and reviews as papers: what is live, what is flagged, and how it is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.domain.errors import SettingsError
from bot.reports.paper import lines, page
from bot.reports.registers import exceptions_paper, reviews_paper


def test_each_exception_has_a_row_and_the_json_holds_every_figure(year: Path) -> None:
    told = exceptions_paper(year, None, "clinical").as_json()
    listed = told["exceptions"]
    assert isinstance(listed, list)
    assert len(listed) == told["live"] + told["ended"]  # type: ignore[operator]
    assert {row["domain"] for row in listed} == {"clinical"}
    assert all(row["approved_by"].startswith(("Owner", "Deputy")) for row in listed)
    assert json.loads(json.dumps(told)) == told


def test_rights_that_nobody_reviewed_are_a_flag_and_only_those_of_whom_it_is_about(year: Path) -> None:
    assert any("4 autonomous rights were never reviewed" in flag for flag in reviews_paper(year, None, None).flags)
    assert any("1 autonomous right was never reviewed" in flag for flag in reviews_paper(year, None, "vault").flags)
    assert not any("never reviewed" in flag for flag in reviews_paper(year, None, "mail").flags)


def test_the_page_loads_nothing_and_has_each_table(year: Path) -> None:
    paper = reviews_paper(year, None, None)
    text = page(paper)
    assert not re.search(r"<script|<link|https?://(?!www\.w3\.org)", text)
    assert "<svg" in text
    assert all(f"<h2>{table.title}</h2>" in text for table in paper.tables)
    assert any(line.startswith("Reviews after use: ") for line in lines(paper))


def test_every_exception_that_was_asked_for_is_in_one_figure(year: Path) -> None:
    told = exceptions_paper(year, None, None).figures
    ways = ("live", "ended", "denied", "expired", "withdrawn", "refused", "pending")
    assert told["asked_for"] == sum(told[way] for way in ways)
    assert told["withdrawn"]


def test_the_chart_of_reviews_counts_each_review_once(year: Path) -> None:
    drawn = reviews_paper(year, None, None).tables[0]
    places = [drawn.columns.index(name) for name in drawn.chart]
    for row in drawn.rows:
        assert sum(int(str(row[at])) for at in places) == row[drawn.columns.index("due")]


def test_unknown_names_are_sentences(year: Path) -> None:
    with pytest.raises(SettingsError, match="Known: alder, birch, cedar"):
        reviews_paper(year, "nobody", None)
    with pytest.raises(SettingsError, match="knows no domain"):
        exceptions_paper(year, None, "nowhere")
