"""The evidence pack: what is in it, that it is the same bytes each time, and that foreign tools verify its sample."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from bot.domain.decision_log.tlog_proof import TlogProof
from bot.reports import tables
from bot.reports.contents import Options
from bot.reports.reading import Scope
from bot.terminal import visible
from tests.bot.evidence.conftest import HOSTILE, RUNBOOK, Written
from tests.bot.reports.conftest import ALL, packed


def rows(pack: Path, name: str) -> list[dict[str, str]]:
    with (pack / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def told(pack: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((pack / f"{name}.json").read_text())  # type: ignore[no-any-return]


def test_each_kind_has_a_csv_and_a_json_with_the_same_rows(pack: Path) -> None:
    for name in (*tables.FILES, "controls", "sample"):
        assert len(rows(pack, name)) == len(told(pack, name)), name
        assert all(list(row) == list(tables.columns_of(name)) for row in told(pack, name) if name in tables.FILES)


def test_the_requests_say_what_became_of_them(written: Written, pack: Path) -> None:
    found = {row["case"]: row for row in rows(pack, "requests")}
    states = {name: found[written.cases[name]]["state"] for name in ("denied", "expired", "open", "pending")}
    assert states == {"denied": "denied", "expired": "expired", "open": "approved", "pending": "pending"}
    opened = found[written.cases["open"]]
    assert (opened["provider"], opened["domain"], opened["runbook"], opened["approvals"]) == (
        "northgate", "directory", RUNBOOK, "2",
    )  # fmt: skip
    assert "Olga Novak (T0HOME/U0OWNER)" in opened["approved_by"]
    assert opened["target"] == "dc-3"
    assert found[written.cases["denied"]]["denied_by"] == "Dev Rao (T0HOME/U0DEP1)"


def test_the_counts_are_those_of_an_independent_count_in_sql(written: Written, pack: Path) -> None:
    with closing(sqlite3.connect(written.database)) as raw:
        counted = dict(raw.execute("SELECT type, count(*) FROM log_entry GROUP BY type"))
    for name in tables.TABLES:
        types = {row["type"] for row in rows(pack, name)}
        assert len(rows(pack, name)) == sum(counted[type_] for type_ in types), name
    listed = {row["type"] for name in tables.TABLES for row in rows(pack, name)}
    assert {type_ for type_ in counted if tables.table_of(type_)} <= listed | {"log.exported", "log.verified"}


def test_made_twice_it_is_the_same_bytes(written: Written, pack: Path, tmp_path: Path) -> None:
    again = packed(written, tmp_path / "again")
    names = sorted(p.relative_to(pack).as_posix() for p in pack.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again).as_posix() for p in again.rglob("*") if p.is_file())
    assert [name for name in names if (pack / name).read_bytes() != (again / name).read_bytes()] == []


def test_each_row_of_the_sample_verifies_with_a_foreign_tool(pack: Path) -> None:
    size, root = (pack / "checkpoint").read_text().split("\n")[1:3]
    sample = rows(pack, "sample")
    assert sample
    for row in sample:
        data = (pack / row["entry"]).read_bytes()
        assert hashlib.sha256(b"\0" + data).hexdigest() == row["leaf"]
        proof = TlogProof.parse((pack / row["proof"]).read_text())
        assert proof is not None
        assert _root(int(row["index"]), int(size), bytes.fromhex(row["leaf"]), list(proof.path)) == root


def _root(index: int, size: int, leaf: bytes, path: list[bytes]) -> str:
    """RFC 9162, section 2.1.3.2, written out once more and independently."""
    import base64

    fn, sn, found = index, size - 1, leaf
    for step in path:
        if fn % 2 or fn == sn:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while fn and not fn % 2:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return base64.b64encode(found).decode()


def test_the_sample_is_drawn_by_the_root_and_anybody_can_draw_it_again(
    pack: Path, written: Written, tmp_path: Path
) -> None:
    small = packed(written, tmp_path / "small", Options(ALL, sample=2))
    manifest = json.loads((small / "pack.json").read_text())
    root = manifest["root"]
    ranked = sorted(
        (row["case"] for row in rows(small, "requests")), key=lambda c: hashlib.sha256(f"{root}{c}".encode()).hexdigest()
    )
    assert list(dict.fromkeys(row["case"] for row in rows(small, "sample"))) == ranked[:2]
    assert (manifest["seed"], manifest["seed_is"]) == (root, "root of the checkpoint")
    chosen = packed(written, tmp_path / "chosen", Options(ALL, sample=2, seed="mine"))
    assert json.loads((chosen / "pack.json").read_text())["seed_is"] == "chosen"
    assert "The seed is chosen" in (chosen / "index.html").read_text()


def test_a_scope_holds_only_its_days_provider_and_domain(written: Written, tmp_path: Path) -> None:
    early = Options(Scope(date(2000, 1, 1), date(2000, 1, 2)))
    assert rows(packed(written, tmp_path / "early", early), "requests") == []
    other = Options(Scope(ALL.first, ALL.last, provider="keyhold"))
    assert rows(packed(written, tmp_path / "other", other), "requests") == []
    own = Options(Scope(ALL.first, ALL.last, provider="northgate", domain="directory"))
    assert len(rows(packed(written, tmp_path / "own", own), "requests")) == 4


def test_the_first_page_loads_nothing_and_prints(pack: Path) -> None:
    text = (pack / "index.html").read_text()
    assert not re.search(r"<script|<link|https?://(?!www\.w3\.org)", text)
    assert text.index("Access that nobody approved") < text.index("Requests:")
    assert "<svg" in text
    assert "@page" in text


def test_no_cell_starts_a_formula(pack: Path) -> None:
    for name in (*tables.FILES, "controls", "sample"):
        for row in rows(pack, name):
            assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t"))], (name, row)


def test_a_terminal_that_prints_a_sheet_obeys_nothing_in_it(written: Written, pack: Path) -> None:
    for path in (*pack.glob("*.csv"), *pack.glob("*.json")):
        text = path.read_bytes().decode("utf-8-sig")
        assert visible(text) == text, path.name
    case = written.cases["denied"]
    assert [row["target"] for row in told(pack, "requests") if row["case"] == case] == [HOSTILE]
    assert [row["target"] for row in rows(pack, "requests") if row["case"] == case] == ["dc-1 \\u001b[31m\\u202e\\u009b"]


def test_controls_count_records_and_say_what_is_not_shown(pack: Path) -> None:
    pci = next(row for row in rows(pack, "controls") if row["control"] == "7.2.4")
    assert pci["not_shown"] == "partial: not the accounts in the target systems"
    for row in rows(pack, "controls"):
        assert row["records"].isdigit()
        assert row["missing_records"].isdigit()
        assert row["not_shown"]
