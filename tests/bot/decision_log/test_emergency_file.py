"""A line that no program of ours wrote is counted and reported; the lines around it count."""

from __future__ import annotations

import base64
import os
import tracemalloc
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.decision_log.emergency_file import FILE, MOST_FORGED, MOST_SAID, ROOM, EmergencyFile, waiting_lines
from bot.domain.failsafe.revocation import taken
from tests.storage.making import T0, denial, new_case


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


def test_a_flood_of_bad_lines_costs_the_judging_of_a_few_and_hides_no_line_of_ours(tmp_path: Path) -> None:
    judged: list[bytes] = []

    def check(message: bytes, signature: bytes) -> bool:
        judged.append(message)
        return signature == b"ours"

    file = EmergencyFile(tmp_path, lambda message: b"ours", check)
    line = taken(denial(new_case("R-00000001")), T0)
    forged = '{"act": %d, "sig": "' + base64.b64encode(b"theirs").decode() + '"}'
    flood = "\n".join(forged % number for number in range(20 * MOST_FORGED))
    (tmp_path / FILE).write_text(f"{file.text_of(line)}\n{flood}\n" + "no line\n" * 20_000 + f"{file.text_of(line)}\n")
    with capture_logs() as logs:
        assert file.lines() == [line, line]
    assert (file.bad, len(judged)) == (20 * MOST_FORGED + 20_000, 2 * MOST_FORGED + 2)
    assert [one["event"] for one in logs] == ["emergency.bad_line"] * (MOST_SAID + 1)
    assert logs[-1]["error"] == f"{file.bad - MOST_SAID} more lines are not signed with the log's key"


def test_the_blank_room_of_the_file_is_no_line_to_be_looked_at(tmp_path: Path) -> None:
    """It is read every second: as a list of empty lines it took the event loop tens of milliseconds, and two MiB."""
    file = EmergencyFile(tmp_path, lambda message: b"ours", lambda message, signature: signature == b"ours")
    line = taken(denial(new_case("R-00000001")), T0)
    file.make_room()
    assert file.keep(line)
    file.lines()
    file.refresh()
    tracemalloc.start()
    try:
        assert file.lines() == [line]
        assert tracemalloc.get_traced_memory()[1] < 3 * ROOM
    finally:
        tracemalloc.stop()
    assert waiting_lines(tmp_path) == 1
    file.forget(line)
    assert (file.lines(), waiting_lines(tmp_path)) == ([], 0)


def test_a_pipe_in_the_place_of_the_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    file = EmergencyFile(tmp_path, lambda message: b"", lambda message, signature: True)
    with capture_logs() as logs:
        assert file.lines() == []
    assert [one["event"] for one in logs] == ["emergency.not_read"]
