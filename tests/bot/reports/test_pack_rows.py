"""The rows of a pack's files are read one at a time, and nothing that is in them is trusted."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from bot.evidence.files import Export
from bot.reports.pack_rows import Unreadable, readable, rows_of, sheet_of


@pytest.fixture
def export(tmp_path: Path) -> Export:
    (tmp_path / "checkpoint").write_text("x")
    return Export(tmp_path)


def test_a_large_file_takes_the_memory_of_a_row(export: Export) -> None:
    row = '{"index":1,"text":"' + "x" * 500 + '"}'
    with (export.folder / "big.json").open("w") as rows, (export.folder / "big.csv").open("w") as sheet:
        rows.write("[\n" + f"{row},\n" * 20_000 + f"{row}\n]\n")
        sheet.write('"index","text"\r\n' + f'"1","{"x" * 500}"\r\n' * 20_001)
    tracemalloc.start()
    try:
        assert sum(1 for _ in rows_of(export, "big")) == sum(1 for _ in sheet_of(export, "big")) == 20_001
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["", "[]", "[\n", "[\n1\n]\n", "[\n{}\n", "{\n}\n", "[\n" + "[" * 100_000 + "\n]\n"])
def test_what_is_no_list_of_rows_is_unreadable_from_there_on(export: Export, text: str) -> None:
    (export.folder / "rows.json").write_text(text)
    with pytest.raises(Unreadable):
        list(rows_of(export, "rows"))
    assert len(list(readable(rows_of(export, "rows")))) <= 1


def test_a_missing_file_and_a_cell_without_an_end_are_unreadable(export: Export) -> None:
    with pytest.raises(Unreadable):
        list(rows_of(export, "nothing"))
    (export.folder / "rows.csv").write_text('"a"\r\n"' + "x" * 200_000)
    with pytest.raises(Unreadable):
        list(sheet_of(export, "rows"))
