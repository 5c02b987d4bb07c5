"""The monthly reports: the figures of the example log, who may be named, and what is said aloud."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.domain.errors import SettingsError
from bot.reports.monthly import lines, month_scope, monthly_report, page
from tests.bot.evidence.conftest import Written
from tests.bot.reports.test_pack import rows


@pytest.fixture
def month(pack: Path) -> str:
    return rows(pack, "requests")[0]["filed_at"][:7]


def test_the_month_of_a_provider_is_a_count_of_its_requests(written: Written, month: str) -> None:
    told = monthly_report(written.database, "provider", "northgate", month).as_json()
    assert told["requests"] == 4
    assert told["by_outcome"] == {"approved": 1, "denied": 1, "expired": 1, "pending": 1}
    assert (told["expired"], told["to_answer"], told["answered_within_target"]) == (1, 3, 2)
    assert told["seconds_to_decision"]["n"] == 2
    assert "p90" not in told["seconds_to_decision"]
    assert json.loads(json.dumps(told)) == told


def test_the_month_of_an_owner_is_that_of_their_domains(written: Written, month: str) -> None:
    for name in ("olga", "U0OWNER", "T0HOME/U0OWNER"):
        assert monthly_report(written.database, "owner", name, month).figures["requests"] == 4
    assert monthly_report(written.database, "owner", "samira", month).figures["requests"] == 0


def test_another_month_is_empty_and_says_so(written: Written) -> None:
    report = monthly_report(written.database, "provider", "northgate", "2001-01")
    assert report.figures["requests"] == 0
    assert "Median time to decision: nobody decided" in lines(report)
    assert "Nothing stands out." in page(report)


@pytest.mark.parametrize(
    ("whose", "name", "says"),
    [("provider", "nobody", "Known: keyhold, northgate"), ("owner", "dev", "owns no domain"), ("owner", "x", "Owners:")],
)
def test_an_unknown_name_is_a_sentence(written: Written, whose: str, name: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        monthly_report(written.database, whose, name, "2026-11")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["2026", "2026-13", "november", "2026-11-01"])
def test_what_is_no_month_is_a_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match="is no month"):
        month_scope(text)


def test_the_page_loads_nothing(written: Written, month: str) -> None:
    text = page(monthly_report(written.database, "provider", "northgate", month))
    assert not re.search(r"<script|<link|https?://(?!www\.w3\.org)", text)
    assert "<svg" in text
