"""`log verify --export` of a pack: an honest pack passes, and every change is named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bot.evidence.files import Export
from bot.reports.pack_check import check_pack, is_pack
from tests.bot.evidence.conftest import HOSTILE, ORIGIN, Written
from tests.bot.evidence.signing import Scribe


def said(folder: Path, vkeys: str | None = None) -> list[str]:
    return [str(finding) for finding in check_pack(Export(folder), vkeys).findings]


def test_an_honest_pack_has_no_findings_with_and_without_a_key(written: Written, pack: Path) -> None:
    assert is_pack(Export(pack))
    assert said(pack) == []
    assert said(pack, written.scribe.vkey) == []
    assert check_pack(Export(pack), None).own_key


def by_openssl(pack: Path) -> list[list[str]]:
    """What the shell lines of the pack's own VERIFY.md print, run in the pack, a list of lines each."""
    tokens = MarkdownIt().parse((pack / "VERIFY.md").read_text(encoding="utf-8"))
    blocks = [token.content for token in tokens if token.type == "fence" and token.info == "sh"]
    return [
        subprocess.run(
            ["sh", "-c", block], cwd=pack, capture_output=True, text=True, timeout=60, check=False
        ).stdout.splitlines()
        for block in blocks
    ]


def test_openssl_alone_checks_both_signatures_and_each_sampled_entry(pack: Path) -> None:
    signatures, entries = by_openssl(pack)
    assert signatures == ["Signature Verified Successfully"] * 2
    files = sorted((pack / "entries").glob("*.json"), key=lambda file: file.name)
    assert sorted(entries) == sorted(f"entry {file.stem} is in the log" for file in files)
    files[0].write_bytes(files[0].read_bytes() + b" ")
    assert [line for line in by_openssl(pack)[1] if "NOT" in line] == [f"ENTRY {files[0].stem} IS NOT IN THE LOG"]


def test_a_pack_of_before_whose_cells_hold_control_characters_has_the_same_rows(pack: Path) -> None:
    shown, sheet = "dc-1 \\u001b[31m\\u202e\\u009b", (pack / "requests.csv").read_text(encoding="utf-8")
    assert shown in sheet
    (pack / "requests.csv").write_text(sheet.replace(shown, HOSTILE), encoding="utf-8", newline="")
    assert not [text for text in said(pack) if "not the same" in text]


def test_another_key_is_named(pack: Path) -> None:
    assert "signature" in said(pack, Scribe(ORIGIN, seed=2).vkey)[0]


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(pack: Path) -> None:
        text = (pack / name).read_text(encoding="utf-8")
        assert old in text
        (pack / name).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")

    return change


def without_a_row(name: str) -> Callable[[Path], None]:
    def change(pack: Path) -> None:
        lines = (pack / name).read_bytes().split(b"\r\n")
        (pack / name).write_bytes(b"\r\n".join([*lines[:1], *lines[2:]]))

    return change


def without(name: str) -> Callable[[Path], None]:
    return lambda pack: (pack / name).unlink()


def added(name: str) -> Callable[[Path], None]:
    return lambda pack: (pack / name).write_text("x") and None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (replaced("requests.csv", "dc-3", "dc-4"), "requests.csv was changed"),
        (replaced("requests.json", "dc-3", "dc-4"), "requests: row"),
        (replaced("controls.csv", '"pci"', '"PCI"'), "controls: row"),
        (without_a_row("requests.csv"), "requests.csv has 3"),
        (without_a_row("decisions.csv"), "decisions"),
        (without("grants.csv"), "grants.csv is missing"),
        (without("log.vkey"), "signature"),
        (added("extra.csv"), "extra.csv does not belong to the pack"),
        (replaced("index.html", "Requests: 4", "Requests: 3"), "index.html was changed"),
        (replaced("pack.json", '"population": 4', '"population": 3'), "pack.json is not the one that was signed"),
        (replaced("checkpoint", ORIGIN, "evil.example/log"), "signature"),
    ],
)
def test_a_change_is_named(pack: Path, change: Callable[[Path], None], words: str) -> None:
    change(pack)
    found = said(pack)
    assert any(words in text for text in found), found


def test_a_sampled_entry_with_another_byte_is_named(pack: Path) -> None:
    path = min((pack / "entries").iterdir())
    path.write_bytes(path.read_bytes().replace(b'"v":"1"', b'"v":"2"'))
    assert any(f"leaf {path.stem}:" in text for text in said(pack))


def test_a_proof_of_another_entry_is_named(pack: Path) -> None:
    one, other = sorted((pack / "proofs").iterdir())[:2]
    one.write_bytes(other.read_bytes())
    assert any(text.startswith("root ") for text in said(pack))


def test_a_sample_that_the_seed_does_not_draw_is_named(pack: Path) -> None:
    rows = json.loads((pack / "sample.json").read_text())
    case = rows[0]["case"]
    (pack / "sample.json").write_text(json.dumps([row for row in rows if row["case"] != case]))
    assert any("is not the sample that the seed draws" in text for text in said(pack))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"files": 1}', '{"files": {"../x": "a"}, "rows": {"x": 1}}']
)
def test_a_hostile_manifest_ends_with_findings(pack: Path, text: str) -> None:
    (pack / "pack.json").write_text(text)
    assert said(pack)
