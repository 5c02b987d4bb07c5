"""What `init` left to be replaced is named where it stands."""

from __future__ import annotations

import pytest

from runbooks.parsing.findings import PolicyReport
from runbooks.placeholders import placeholders


def named(path: str, text: str) -> list[tuple[str, int, str]]:
    report = PolicyReport()
    placeholders({path: text.encode()}, report)
    return [(f.severity, f.line, f.text) for f in report.sorted()]


@pytest.mark.parametrize(
    ("word", "where"),
    [
        ("U0REPLACEOWNER", "their profile in Slack"), ("C0REPLACE", "About → Channel ID"),
        ("T0REPLACEHOME", "the T… of its address"),
    ],
)  # fmt: skip
def test_a_placeholder_is_a_warning_at_its_line_with_where_its_id_is_found(word: str, where: str) -> None:
    ((severity, line, text),) = named("responsibility.yaml", f"a: 1\nb: [{word}]  # REPLACE U0REPLACEX\n")
    assert (severity, line) == ("warning", 2)
    assert text.startswith(f"`{word}` is a placeholder of `init`: put the real id there (")
    assert where in text


def test_comments_real_ids_and_other_files_are_left_alone() -> None:
    assert named("responsibility.yaml", "# U0REPLACEOWNER\nx: U0OWNER\ny: Replace Owner\n") == []
    assert named("notes.txt", "U0REPLACEOWNER") == []
    assert named("some-runbook.md", "---\nid: x\n---\nAsk <@U0REPLACEOWNER>.\n")[0][1] == 4


def test_bytes_that_are_no_text_are_somebody_elses_finding() -> None:
    report = PolicyReport()
    placeholders({"responsibility.yaml": b"\xff\xfe U0REPLACEOWNER"}, report)
    assert [f.line for f in report.sorted()] == [1]
