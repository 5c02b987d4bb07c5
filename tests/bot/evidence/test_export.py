"""What an export holds, as plain files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pymerkle import InmemoryTree

from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.tiles import Tile, tiles_of, unbundle
from bot.domain.errors import SettingsError, StorageError
from bot.evidence import export as module
from bot.evidence.folder import Folder
from storage.log.evidence import evidence
from tests.bot.evidence.conftest import Written, made


def stored(written: Written, sql: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(written.database)) as raw:
        return raw.execute(sql).fetchall()


def entries_in(folder: Path) -> list[bytes]:
    size = int((folder / "checkpoint").read_text().splitlines()[1])
    bundles = [tile for tile in tiles_of(size) if tile.level == "entries"]
    return [entry for tile in bundles for entry in unbundle((folder / tile.path).read_bytes()) or ()]


def test_an_export_holds_every_entry_byte_for_byte_under_a_root_that_a_foreign_tree_gives(
    written: Written, exported: Path
) -> None:
    entries = entries_in(exported)
    assert entries == [data for (data,) in stored(written, "SELECT data FROM log_entry ORDER BY idx")]
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    assert (exported / "checkpoint").read_text() == written.scribe.note(len(entries), tree.get_root())
    assert Tile(1, 0, 1).path in {p.relative_to(exported).as_posix() for p in exported.rglob("*")}


def test_an_export_has_the_files_of_the_contract(written: Written, exported: Path) -> None:
    found = {path.relative_to(exported).parts[0] for path in exported.rglob("*") if path.is_file()}
    assert found == {
        "checkpoint", "tile", "log.vkey", "checkpoints", "policy", "disclosures.jsonl", "ocsf.ndjson", "VERIFY.md", "index.html",
    }  # fmt: skip
    assert (exported / "log.vkey").read_text() == written.scribe.vkey
    notes = {path.name: path.read_text() for path in (exported / "checkpoints").iterdir()}
    assert notes == {str(size): note for size, note in stored(written, "SELECT size, note FROM log_checkpoint")}
    assert len(notes) == 3


def test_every_policy_set_that_an_entry_names_is_in_the_export_byte_for_byte(exported: Path) -> None:
    named = {entry["policy"]["sha256"] for data in entries_in(exported) if "policy" in (entry := json.loads(data))}
    sets = {path.name: path for path in (exported / "policy").iterdir()}
    assert set(sets) == named
    assert len(sets) == 2
    for digest, folder in sets.items():
        lines = [
            f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder).as_posix()}\n"
            for p in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix().encode()) if p.is_file()
        ]  # fmt: skip
        assert hashlib.sha256("".join(lines).encode()).hexdigest() == digest


def test_disclosures_and_events_are_one_a_line(written: Written, exported: Path) -> None:
    lines = [json.loads(line) for line in (exported / "disclosures.jsonl").read_text().split("\n")[:-1]]
    assert [tuple(line.values()) for line in lines] == stored(
        written, "SELECT idx, digest, disclosure FROM log_private ORDER BY idx, digest"
    )
    events = [json.loads(line) for line in (exported / "ocsf.ndjson").read_text().split("\n")[:-1]]
    assert [int(event["metadata"]["uid"]) for event in events] == list(range(len(entries_in(exported))))
    leaves = [leaf for (leaf,) in stored(written, "SELECT leaf FROM log_entry ORDER BY idx")]
    assert [leaf_hash(event["raw_data"].encode()) for event in events] == leaves


def test_the_page_loads_nothing(exported: Path) -> None:
    page = (exported / "index.html").read_text()
    assert "Content-Security-Policy" in page
    assert not [word for word in ("src=", "href=", "@import", "fetch(", "XMLHttpRequest", "page.css */") if word in page]


def test_anchors_are_exported_with_what_the_other_party_answered(written: Written, tmp_path: Path) -> None:
    with closing(sqlite3.connect(written.database)) as raw, raw:
        raw.execute("INSERT INTO log_anchor VALUES (3, 'mail', 'auditors@example.org', x'00ff', 1000)")
    folder = made(written, tmp_path / "out")
    (anchor,) = (folder / "anchors").iterdir()
    assert json.loads(anchor.read_text()) == {
        "size": 3, "kind": "mail", "ref": "auditors@example.org", "at_ms": 1000, "blob": "AP8",
    }  # fmt: skip


def test_ocsf_alone_is_one_file_beside_checkpoint_and_key(written: Written, exported: Path, tmp_path: Path) -> None:
    alone = made(written, tmp_path / "ocsf", "ocsf")
    assert {path.name for path in alone.iterdir()} == {"ocsf.ndjson", "checkpoint", "log.vkey"}
    assert (alone / "ocsf.ndjson").read_bytes() == (exported / "ocsf.ndjson").read_bytes()


def test_the_spreadsheet_has_a_line_an_entry_and_names_who_is_disclosed(written: Written, tmp_path: Path) -> None:
    alone = made(written, tmp_path / "csv", "csv")
    assert {path.name for path in alone.iterdir()} == {"log.csv", "checkpoint", "log.vkey"}
    rows = list(csv.DictReader(io.StringIO((alone / "log.csv").read_bytes().decode("utf-8-sig"), newline="")))
    assert [int(row["i"]) for row in rows] == list(range(len(rows)))
    yes = [(row["person"], row["party"]) for row in rows if row["type"] == "request.approved"]
    assert yes == [("T0HOME/U0RISK", "home"), ("T0HOME/U0OWNER", "home")]
    assert {row["person"] for row in rows if row["type"] == "request.filed"} == {"T0HOME/U0PE1"}


def test_a_terminal_that_prints_the_spreadsheet_obeys_nothing_in_it(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.domain.decision_log.export_csv.line", lambda *_: "a\u202e\x9bb\r\n")
    lines = (made(written, tmp_path / "csv", "csv") / "log.csv").read_bytes().decode("utf-8-sig").split("\r\n")
    assert set(lines[1:]) == {"a\\u202e\\u009bb", ""}


def test_what_was_written_after_the_newest_checkpoint_is_left_out(written: Written, tmp_path: Path) -> None:
    with closing(sqlite3.connect(written.database)) as raw, raw:
        size = raw.execute("SELECT max(size) FROM log_checkpoint").fetchone()[0]
        raw.execute("INSERT INTO log_entry VALUES (?, zeroblob(32), x'7b7d', 'x', NULL, 0)", (size,))
    assert len(entries_in(made(written, tmp_path / "out"))) == size


def test_a_log_without_a_checkpoint_is_not_exported(written: Written, tmp_path: Path) -> None:
    with closing(sqlite3.connect(written.database)) as raw, raw:
        raw.execute("DROP TRIGGER log_checkpoint_no_delete")
        raw.execute("DELETE FROM log_checkpoint")
    with pytest.raises(StorageError, match="no signed checkpoint"), evidence(written.database):
        pass


# The folder.


def test_a_folder_with_something_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(SettingsError, match="not an empty folder"), Folder(tmp_path):
        pass
    assert (tmp_path / "mine").read_text() == "kept"


def test_whatever_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    new, empty = tmp_path / "new", tmp_path / "empty"
    empty.mkdir()
    for out in (new, empty):
        with pytest.raises(StorageError, match="No space left"), Folder(out) as folder:  # noqa: PT012
            folder.write("tile/0/000", b"x")
            folder.append("disclosures.jsonl", b"y")
            raise OSError(28, "No space left on device")
    assert not new.exists()
    assert list(empty.iterdir()) == []


@pytest.mark.usefixtures("no_umask")
def test_only_the_owner_can_read_an_export(written: Written, tmp_path: Path) -> None:
    made(written, exported := tmp_path / "evidence")
    assert not [path for path in (exported, *exported.rglob("*")) if path.is_file() and path.stat().st_mode & 0o077]
    assert exported.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "policy/../../outside"])
def test_a_name_from_a_damaged_database_leads_nowhere_outside(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="no place inside"), Folder(tmp_path / "out") as folder:
        folder.write(name, b"x")
    assert not (tmp_path / "outside").exists()


def test_findings_are_all_that_is_exported_of_a_log_that_contradicts_itself(tmp_path: Path) -> None:
    with Folder(tmp_path / "out") as folder:
        module.findings_only(("leaf 7: The bytes of entry 7 do not have its stored leaf hash.",), folder)
    (only,) = (tmp_path / "out").iterdir()
    assert only.name == "FINDINGS.txt"
    assert "leaf 7: The bytes" in only.read_text()
