"""What is said aloud of a month: by itself, and by the thresholds of the policy."""

from __future__ import annotations

import pytest

from bot.reports import flags as module
from bot.reports.flags import SHARE, flags
from runbooks.parsing.schema import ReportThresholdsShape

CALM = {
    "unapproved": [], "to_answer": 20, "expired": 2, "evidence_missing": 0, "reviews_overdue": 0, "late_findings": 0, "yeses_without_signature": 0,
    "findings": 0, "approved_within_five_seconds": 0, "answered_within_target": 18, "out_of_hours": 3, "escalations": 3,
    "refused_clicks": 3, "break_glass": 3, "repeats_of_denied_targets": 3,
}  # fmt: skip
COUNTED = sorted(ReportThresholdsShape.model_fields.keys() - {SHARE})


def test_what_stands_out_is_said_in_words() -> None:
    assert flags(CALM) == []
    worse = CALM | {"unapproved": ["R-1"], "expired": 3, "evidence_missing": 1, "reviews_overdue": 1, "late_findings": 1}
    assert len(flags(worse)) == 5


def test_every_key_of_the_policy_has_its_words() -> None:
    assert sorted(module._WORDS) == COUNTED


@pytest.mark.parametrize("name", COUNTED)
def test_above_a_threshold_a_flag_says_the_figure_and_the_limit(name: str) -> None:
    assert flags(CALM | {name: 7}, {name: 7}) == []
    (flag,) = flags(CALM | {name: 8}, {name: 7})
    assert flag.startswith("8 ")
    assert "more than 7, the threshold of the policy" in flag


def test_too_few_answers_within_the_target_raise_a_flag() -> None:
    assert flags(CALM, {SHARE: 90}) == []
    assert flags(CALM, {SHARE: 91}) == ["18 of 20 answers were within target: less than 91 %, the threshold of the policy."]
    assert flags(CALM | {"to_answer": 0, "answered_within_target": 0}, {SHARE: 100}) == []
