"""A line that no program of ours wrote is counted and reported; the lines around it count."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.decision_log.emergency_file import FILE, EmergencyFile


@pytest.mark.parametrize(
    "line",
    [
        "[" * 200_000,
        '{"act":' * 50_000 + "1" + "}" * 50_000,
        '{"sig": ' + "[" * 200_000,
        "\x00\xff",
        "null",
        "[]",
        '{"sig": 1}',
        '{"sig": "AAAA", "act": {"~": "Case"}, "version": 1, "at": 1}',
    ],
    ids=["deep list", "deep object", "deep signature", "binary", "null", "list", "number", "unknown"],
)
def test_a_hostile_line_stops_no_start(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text(f"\n{line}\n", encoding="latin-1")
    file = EmergencyFile(tmp_path, lambda message: b"", lambda message, signature: True)
    assert file.lines() == []
    assert file.bad == 1
