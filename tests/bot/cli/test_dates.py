"""Days and moments after an option: what is read, and what a person reads who typed something else."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import typer

from bot.cli.dates import day, moment


def test_a_moment_without_a_zone_is_utc_and_one_with_a_zone_is_converted() -> None:
    assert moment("2026-12-01T03:00", "") == datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert moment("2026-12-01T03:00+02:00", "") == datetime(2026, 12, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_what_is_no_moment_ends_the_command_with_the_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        moment(text, "Write 2026-12-01T03:00.")
    assert ended.value.exit_code == 2
    assert "Write 2026-12-01T03:00." in capsys.readouterr().err


def test_a_day_is_read_and_anything_else_names_its_option() -> None:
    assert day("2026-12-01", "--from") == date(2026, 12, 1)
    with pytest.raises(typer.BadParameter, match="is no day"):
        day("2026-12", "--from")
