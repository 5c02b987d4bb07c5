"""`countersign log export` and `log verify --export` as an operator and an auditor type them."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.decision_log.signer_memory import begin
from bot.evidence.check import check_export
from tests.bot.evidence.conftest import HOSTILE, Written
from tests.bot.evidence.signing import Scribe
from tests.conftest import EXAMPLE
from tests.storage.making import attacker


def opened_text(line: str) -> list[str]:
    """Salt, name and value in a line of `disclosures.jsonl`."""
    found: list[str] = json.loads(base64.urlsafe_b64decode(json.loads(line)["disclosure"] + "=="))
    return found


class Host:
    """A host with the log's database, its keys, and the command line."""

    def __init__(self, written: Written, home: Path, group: str = "log") -> None:
        self.written, self.home, self.group = written, home, [group] if group else []
        (home / "state").mkdir(exist_ok=True)
        written.scribe.keep(home / "state")
        begin(home / "state", written.scribe.origin)

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
        ours = {
            "COUNTERSIGN_DATABASE_URL": f"sqlite:///{self.written.database}", "PYTHONPATH": str(EXAMPLE.parent),
            "COUNTERSIGN_STATE_DIR": str(self.home / "state"),
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "bot", *self.group, *words], cwd=self.home, env=kept | ours, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def last(self, count: int) -> list[dict[str, object]]:
        with closing(sqlite3.connect(self.written.database)) as raw:
            rows = raw.execute("SELECT data FROM log_entry ORDER BY idx DESC LIMIT ?", (count,)).fetchall()
        return [json.loads(data) for (data,) in reversed(rows)]


@pytest.fixture
def host(written: Written, tmp_path: Path) -> Host:
    return Host(written, tmp_path)


def test_an_export_is_checked_written_down_and_verifies_elsewhere(host: Host) -> None:
    size = host.written.scribe.sign(host.written.database)
    done = host.type("export", "--out", "out")
    assert (done.returncode, f"{size} entries are in out" in done.stdout) == (0, True), done.stderr
    verified, exported = host.last(2)
    assert (verified["type"], exported["type"]) == ("log.verified", "log.exported")
    assert exported["data"] == {"size": size}
    assert exported["actor"] == {"kind": "operator"}
    (host.home / "elsewhere.vkey").write_text(host.written.scribe.vkey)
    done = host.type("verify", "--export", "out", "--vkey", "elsewhere.vkey")
    assert (done.returncode, done.stdout) == (
        0,
        f"OK: {size} entries verified, no problems found\nLog: test.example/log\n",
    ), done.stderr


def test_without_a_key_from_elsewhere_verify_says_whose_key_it_used(host: Host, exported: Path) -> None:
    done = host.type("verify", "--export", str(exported))
    assert done.returncode == 0
    assert "The export's own key was used" in done.stdout


def test_findings_are_printed_with_exit_1_and_one_a_line_as_json(host: Host, exported: Path) -> None:
    (host.home / "other.vkey").write_text(Scribe("test.example/log", seed=2).vkey)
    words = ("verify", "--export", str(exported), "--vkey", "other.vkey")
    done = host.type(*words)
    assert done.returncode == 1
    assert done.stdout.startswith("signature -: checkpoint carries no good signature")
    told = [json.loads(line) for line in host.type(*words, "--json").stdout.splitlines()]
    assert {tuple(line) for line in told} == {("code", "idx", "text")}
    assert {line["code"] for line in told} == {"signature"}


def test_a_log_with_findings_exports_only_them(host: Host) -> None:
    with attacker(host.written.database) as raw:
        raw.execute("UPDATE log_entry SET leaf = zeroblob(32) WHERE idx = 4")
    before = len(host.last(9999))
    done = host.type("export", "--out", "out")
    assert done.returncode == 1
    (only,) = (host.home / "out").iterdir()
    assert (only.name, "leaf 4:" in only.read_text()) == ("FINDINGS.txt", True)
    assert len(host.last(9999)) == before  # nothing is written to a log that is wrong


def test_a_folder_that_is_not_empty_is_one_sentence_and_exit_2(host: Host) -> None:
    (host.home / "out").mkdir()
    (host.home / "out" / "mine").write_text("kept")
    done = host.type("export", "--out", "out")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "out is not an empty folder" in done.stderr
    assert "log.exported" not in {entry["type"] for entry in host.last(9999)}


def test_a_key_that_signed_and_is_gone_is_missed_and_never_replaced(host: Host) -> None:
    assert host.type("checkpoint").returncode == 0
    (host.home / "state" / "log.key").unlink()
    done = host.type("export", "--out", "out")
    assert done.returncode == 1
    assert [file.name for file in (host.home / "out").iterdir()] == ["FINDINGS.txt"]
    assert "put log.key back" in (host.home / "out" / "FINDINGS.txt").read_text()
    assert not (host.home / "state" / "log.key").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "--out", "o", "--case", "R-1"), "is no id"),
        (("export", "--out", "o", "--case", "R-ZZZZZZZZ"), "no case R-ZZZZZZZZ"),
        (("export", "--out", "o", "--case", "R-ZZZZZZZZ", "--format", "csv"), "One case has one form"),
        (("verify", "--vkey", "x"), "log vkey > FILE"),
        (("verify", "--export", "."), "holds no export"),
    ],
)
def test_wrong_use_is_exit_2(host: Host, words: tuple[str, ...], said: str) -> None:
    done = host.type(*words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (host.home / "o").exists()


@pytest.mark.parametrize(("form", "name"), [("ocsf", "ocsf.ndjson"), ("csv", "log.csv")])
def test_one_file_for_monitoring_or_a_spreadsheet(host: Host, form: str, name: str) -> None:
    assert host.type("export", "--out", "out", "--format", form).returncode == 0
    assert {path.name for path in (host.home / "out").iterdir()} == {name, "checkpoint", "log.vkey"}


# One case.


def test_one_case_is_exported_with_a_proof_of_each_entry_and_nothing_of_others(host: Host) -> None:
    case = host.written.cases["open"]
    done = host.type("export", "--out", "out", "--case", case.removeprefix("R-").lower())
    assert done.returncode == 0, done.stderr
    out = host.home / "out"
    assert {path.name for path in out.iterdir()} == {
        "case",
        "checkpoint",
        "log.vkey",
        "disclosures.jsonl",
        "VERIFY.md",
        "index.html",
    }
    entries = [json.loads(path.read_text()) for path in (out / "case").glob("*.json")]
    assert {entry["case"] for entry in entries} == {case}
    assert sorted(entry["case_seq"] for entry in entries) == list(range(len(entries)))
    assert {p.stem for p in (out / "case").glob("*.json")} == {p.stem for p in (out / "case").glob("*.tlog-proof")}
    told = [opened_text(line) for line in (out / "disclosures.jsonl").read_text().splitlines()]
    assert {value for _, name, value in told if name == "target"} == {"dc-3"}
    assert {"T0HOME/U0OWNER", "T0HOME/U0RISK", "T0HOME/U0PE1"} <= {value for _, name, value in told if name == "person"}
    assert check_export(out).findings == []


def of_case(host: Host) -> Path:
    assert host.type("export", "--out", "out", "--case", host.written.cases["open"]).returncode == 0
    return host.home / "out"


def numbers(out: Path) -> list[int]:
    return sorted(int(path.stem) for path in (out / "case").glob("*.json"))


def test_a_tampered_case_is_named(host: Host) -> None:
    out = of_case(host)
    first, second, third, *_ = numbers(out)
    path = out / "case" / f"{second}.json"
    honest = path.read_bytes()
    path.write_bytes(honest.replace(b"clock", b"clack", 1) if b"clock" in honest else honest.replace(b"home", b"hone", 1))
    assert ("leaf", second) in {(f.code, f.idx) for f in check_export(out).findings}
    path.unlink()
    assert ("case", third) in {(f.code, f.idx) for f in check_export(out).findings}
    path.write_bytes(honest)
    (out / "case" / f"{first}.tlog-proof").write_text((out / "case" / f"{third}.tlog-proof").read_text())
    assert ("leaf", first) in {(f.code, f.idx) for f in check_export(out).findings}


def test_a_disclosure_that_is_not_of_the_case_is_named(host: Host, exported: Path) -> None:
    out = of_case(host)
    with (out / "disclosures.jsonl").open("a") as file:
        lines = (exported / "disclosures.jsonl").read_text().splitlines()
        file.write(next(line for line in lines if opened_text(line)[1:] == ["target", HOSTILE]) + "\n")
    assert {f.code for f in check_export(out).findings} == {"disclosure"}


def test_a_whole_log_that_calls_itself_a_selection_proves_nothing(host: Host, exported: Path) -> None:
    """With a `selection.json` only the entries in `case/` are read: nothing in the tiles would be checked."""
    (exported / "selection.json").write_text("{}")
    (exported / "disclosures.jsonl").write_bytes(b"")
    done = host.type("verify", "--export", str(exported))
    assert done.returncode == 1
    assert "node -: tile/0/000 does not belong to an export of single requests." in done.stdout
    assert "FAILED: 0 of " in done.stdout


def test_the_check_of_a_request_says_how_many_entries_it_proved(host: Host) -> None:
    out = of_case(host)
    size = check_export(out).size
    (out / "a\u202eb").write_bytes(b"")
    done = host.type("verify", "--export", "out")
    assert f"OK: {len(numbers(out))} of {size} entries verified, no problems found\n" in done.stdout
    assert "No part of an export, and not read: a\\u202eb.\n" in done.stdout


def test_a_file_that_is_no_part_of_an_export_is_named(host: Host, exported: Path) -> None:
    for name in ("notes.txt", "policy/old/responsibility.yaml", "case.json"):
        (exported / name).parent.mkdir(exist_ok=True)
        (exported / name).write_bytes(b"")
    done = host.type("verify", "--export", str(exported))
    assert done.returncode == 0, done.stdout
    assert "No part of an export, and not read: case.json, notes.txt, policy/old/responsibility.yaml.\n" in done.stdout


def test_case_vkey_bom(host: Host, exported: Path) -> None:
    saved = b"\xef\xbb\xbf" + (exported / "log.vkey").read_bytes().replace(b"\n", b"\r\n")
    (host.home / "saved-by-notepad").write_bytes(saved)
    (exported / "tile" / ".DS_Store").write_bytes(b"")
    (exported / "tile" / "._\u202ex").write_bytes(b"")
    done = host.type("verify", "--export", str(exported), "--vkey", "saved-by-notepad")
    assert done.returncode == 0, done.stderr
    assert "2 files of a file manager or editor, not read: tile/.DS_Store, tile/._\\u202ex." in done.stdout


def test_a_verifier_key_as_utf_16_is_named(host: Host, exported: Path) -> None:
    (host.home / "wide").write_bytes((exported / "log.vkey").read_text().encode("utf-16"))
    done = host.type("verify", "--export", str(exported), "--vkey", "wide")
    assert done.returncode == 2
    assert "UTF-16" in done.stderr


def test_a_key_beside_signs_that_nobody_sees_is_the_key_and_an_empty_file_is_named(host: Host, exported: Path) -> None:
    (host.home / "copied").write_text("\u200b\u2060" + (exported / "log.vkey").read_text().strip() + "\u200e \n\u200b\n")
    (host.home / "empty").write_text("\ufeff\n")
    assert host.type("verify", "--export", str(exported), "--vkey", "copied").returncode == 0
    done = host.type("verify", "--export", str(exported), "--vkey", "empty")
    assert done.returncode == 2
    assert "There is no verifier key in it" in done.stderr
