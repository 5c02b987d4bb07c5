"""The log as a spreadsheet: read back by a foreign reader, and nothing in it is run."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.decision_log.export_csv import COLUMNS, header, line, safe

ENTRY = {
    "i": 7, "ts": "2026-03-04T09:00:00.125Z", "type": "request.denied", "case": "R-1", "case_seq": 2,
    "actor": {"kind": "person", "ref": "sub_a", "party": "home"}, "runbook": {"id": "admin", "sha256": "ab"},
    "policy": {"id": "Trust", "sha256": "cd"}, "data": {"role": "owner", "why": 'a "quoted", word'},
}  # fmt: skip


def read(text: str) -> list[str]:
    return next(csv.reader(io.StringIO(text)))


def test_a_line_says_who_did_what_where() -> None:
    found = dict(zip(read(header()), read(line(ENTRY, b"\x11" * 32, {"sub_a": "T0HOME/U0OWNER"})), strict=True))
    assert found == {
        "i": "7", "ts": "2026-03-04T09:00:00.125Z", "type": "request.denied", "case": "R-1", "case_seq": "2",
        "actor": "person", "ref": "sub_a", "party": "home", "person": "T0HOME/U0OWNER", "on_behalf_of": "",
        "runbook": "admin", "runbook_sha256": "ab", "policy_sha256": "cd",
        "data": '{"role": "owner", "why": "a \\"quoted\\", word"}', "leaf": "11" * 32,
    }  # fmt: skip
    assert tuple(found) == COLUMNS


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r\n=1", '=HYPERLINK("http://x")'])
def test_no_cell_starts_a_formula(cell: str) -> None:
    assert safe(cell) == "'" + cell
    assert read(line(ENTRY | {"type": cell}, b"", {}))[2].startswith("'")


@given(st.text())
def test_no_cell_of_any_text_starts_a_formula(text: str) -> None:
    assert not safe(text).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
