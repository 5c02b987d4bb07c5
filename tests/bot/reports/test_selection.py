"""`log export --from --to --provider --domain`: whole cases with a proof of each entry, and nothing of any other."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bot.evidence.check import check_export
from tests.bot.building import T0
from tests.bot.evidence.conftest import Written
from tests.bot.evidence.test_prepare import Host

DAY = f"{T0:%Y-%m-%d}"


@pytest.fixture
def host(written: Written, tmp_path: Path) -> Host:
    written.scribe.sign(written.database)
    return Host(written, tmp_path)


def cases_in(folder: Path) -> set[str]:
    entries = [json.loads(path.read_text()) for path in (folder / "case").glob("*.json")]
    return {entry["case"] for entry in entries if "case" in entry}


def test_a_selection_holds_the_cases_of_its_days_and_provider_whole_and_verifies(host: Host) -> None:
    done = host.type("export", "--out", "q", "--from", DAY, "--to", DAY, "--provider", "northgate", "--domain", "directory")
    assert done.returncode == 0, done.stderr
    asked = {host.written.cases[name] for name in ("denied", "expired", "open", "pending")}
    assert cases_in(host.home / "q") == asked
    assert json.loads((host.home / "q" / "selection.json").read_text()) == {
        "from": DAY, "to": DAY, "provider": "northgate", "domain": "directory",
    }  # fmt: skip
    (host.home / "elsewhere.vkey").write_text(host.written.scribe.vkey)
    done = host.type("verify", "--export", "q", "--vkey", "elsewhere.vkey")
    assert (done.returncode, "no problems found" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize("option", [("--to", "2020-01-01"), ("--from", "2090-01-01"), ("--domain", "vault")])
def test_nothing_of_other_days_or_domains_is_in_it(host: Host, option: tuple[str, str]) -> None:
    done = host.type("export", "--out", "q", *option)
    assert done.returncode == 0, done.stderr
    assert not cases_in(host.home / "q") & set(host.written.cases.values())
    assert check_export(host.home / "q", host.written.scribe.vkey).findings == []


def test_an_altered_or_missing_entry_is_found(host: Host) -> None:
    host.type("export", "--out", "q", "--provider", "northgate")
    entry = next(p for p in (host.home / "q" / "case").glob("*.json") if b"request.denied" in p.read_bytes())
    entry.write_bytes(entry.read_bytes().replace(b"request.denied", b"request.closed"))
    found = check_export(host.home / "q", host.written.scribe.vkey).findings
    assert {finding.idx for finding in found} >= {int(entry.stem)}
    first = next(p for p in (host.home / "q" / "case").glob("*.json") if b"request.filed" in p.read_bytes())
    first.unlink()
    assert [f.code for f in check_export(host.home / "q", host.written.scribe.vkey).findings if "case" in f.code]


def test_a_sheet_holds_the_lines_of_the_selection_only(host: Host) -> None:
    host.type("export", "--out", "q", "--provider", "northgate", "--format", "csv")
    rows = list(csv.DictReader((host.home / "q" / "log.csv").read_text("utf-8-sig").splitlines()))
    assert {row["case"] for row in rows if row["case"]} == {
        host.written.cases[name] for name in ("denied", "expired", "open", "pending")
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--provider", "nobody"), "The policy knows no provider"),
        (("--from", "yesterday"), "is no day; write it like 2026-12-31"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "is before --from"),
        (("--case", "R-00000000", "--from", "2026-02-01"), "One request is exported whole"),
    ],
)
def test_what_cannot_be_meant_is_reported(host: Host, words: tuple[str, ...], said: str) -> None:
    done = host.type("export", "--out", "q", *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (host.home / "q").exists()
