"""VERIFY.md: every command in it is run as an auditor runs it, on an honest export and on a forged one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.tiles import unbundle
from bot.evidence.case_export import export_case
from bot.evidence.folder import Folder
from storage.log.evidence import evidence
from tests.bot.building import OWNER, RISK
from tests.bot.evidence.conftest import Written
from tests.bot.evidence.signed_log import OLGA, RUTH, Passkey, Writer, signed_policy
from tests.bot.passkeys import b64, raw


def run(folder: Path, info: str) -> list[subprocess.CompletedProcess[str]]:
    """The code blocks of the export's own VERIFY.md, in order, in the export's folder."""
    tokens = MarkdownIt().parse((folder / "VERIFY.md").read_text())
    program = {"sh": ["sh", "-c"], "python": [sys.executable, "-c"]}[info]
    blocks = [token.content for token in tokens if token.type == "fence" and token.info == info]
    return [
        subprocess.run([*program, block], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        for block in blocks
    ]


def test_the_shell_commands_accept_an_honest_export(exported: Path) -> None:
    key, signature, entry, person, signed = run(exported, "sh")
    assert [done.returncode for done in (key, signature, entry, person, signed)] == [0, 0, 0, 0, 0]
    assert (signed.stdout, signed.stderr) == ("", "")  # nothing in it is signed
    assert key.stdout == (exported / "log.vkey").read_text()
    assert "Signature Verified Successfully" in signature.stdout
    told, computed, stored = entry.stdout.splitlines()
    assert json.loads(told)["type"] == "log.opened"
    assert computed == stored == leaf_hash(told.encode()).hex()


def test_the_shell_commands_prove_each_entry_of_a_selection_and_name_a_forged_one(written: Written, tmp_path: Path) -> None:
    out = tmp_path / "case"
    with evidence(written.database) as log, Folder(out) as folder:
        export_case(log, written.scribe.vkey, folder, written.cases["open"])
    entries = sorted((out / "case").glob("*.json"), key=lambda file: file.name)
    assert sorted(run(out, "sh")[2].stdout.splitlines()) == sorted(f"entry {file.stem} is in the log" for file in entries)
    entries[0].write_bytes(entries[0].read_bytes() + b" ")
    told = run(out, "sh")[2].stdout.splitlines()
    assert [line for line in told if "NOT" in line] == [f"ENTRY {entries[0].stem} IS NOT IN THE LOG"]


def test_the_shell_commands_name_the_first_person(exported: Path) -> None:
    ref, plain = run(exported, "sh")[3].stdout.split(" ", 1)
    entries = unbundle((exported / "tile/entries/000").read_bytes()) or []
    first = next(told["actor"] for told in map(json.loads, entries) if told["actor"]["kind"] == "person")
    named = [line for line in (exported / "disclosures.jsonl").read_text().splitlines() if '"i":2,' in line]
    assert ref == first["ref"]
    assert json.loads(plain)[1:] == ["person", "T0HOME/U0PE1"]
    assert named


def test_openssl_refuses_another_text(altered: Callable[[], Path]) -> None:
    folder = altered()
    honest = (folder / "checkpoint").read_text()
    lines = honest.split("\n")
    (folder / "checkpoint").write_text("\n".join([lines[0], str(int(lines[1]) - 1), *lines[2:]]))
    assert "Signature Verified Successfully" not in run(folder, "sh")[1].stdout
    (folder / "checkpoint").write_text(honest)
    assert "Signature Verified Successfully" in run(folder, "sh")[1].stdout


def test_a_foreign_tree_accepts_an_honest_export_and_names_a_forged_one(altered: Callable[[], Path]) -> None:
    folder = altered()
    (done,) = run(folder, "python")
    assert "the root agrees" in done.stdout, done.stderr
    bundle = folder / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b'"kind":"emergency_access"', b'"kind":"emergency_axcess"', 1))
    (done,) = run(folder, "python")
    assert "THE ROOT DIFFERS" in done.stdout


def test_it_says_what_is_not_proven(exported: Path) -> None:
    text = (exported / "VERIFY.md").read_text()
    for said in ("single case", "oldest independent anchor", "That a person clicked", "newest state"):
        assert said in text


@pytest.fixture
async def signed(tmp_path: Path) -> Path:
    """An export with two yeses that passkeys signed."""
    log = await Writer(tmp_path / "signed.db").open()
    await log.load(signed_policy())
    for case, person, key in (("R-00000001", OWNER, OLGA), ("R-00000002", RISK, RUTH)):
        await log.file(case)
        await log.approve(case, person, key)
    await log.store.close()
    return log.export(tmp_path / "signed")


def test_openssl_alone_verifies_every_signed_yes(signed: Path) -> None:
    done = run(signed, "sh")[4]
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("an entry has this statement", "the passkey was asked for this statement", "Verified OK"):
        assert done.stdout.count(line) == 2, done.stdout
    assert done.stdout.count("its holder was present and verified") == 2
    assert done.stdout.count('"verdict":"approve"') == 2


@pytest.mark.parametrize(("old", "new"), [(b'"seconds":3600', b'"seconds":3601'), (b'"R-00000001"', b'"R-00000009"')])
def test_openssl_refuses_a_statement_that_was_changed(signed: Path, old: bytes, new: bytes) -> None:
    lines = []
    for line in (signed / "disclosures.jsonl").read_text().splitlines():
        told = json.loads(line)
        parts = json.loads(raw(told["disclosure"]))
        if parts[1] == "signature":
            parts[2]["statement"] = b64(raw(parts[2]["statement"]).replace(old, new))
            told["disclosure"] = b64(json.dumps(parts).encode())
        lines.append(json.dumps(told, separators=(",", ":")))
    (signed / "disclosures.jsonl").write_text("\n".join(lines) + "\n")
    changed = 2 if old == b'"seconds":3600' else 1
    assert run(signed, "sh")[4].stdout.count("the passkey was asked for this statement") == 2 - changed


def test_openssl_refuses_a_signature_of_another_key(signed: Path) -> None:
    (matrix,) = (signed / "policy").glob("*/responsibility.yaml")
    matrix.write_text(matrix.read_text().replace(spki(OLGA), spki(RUTH)))
    assert run(signed, "sh")[4].stdout.count("Verified OK") == 1


def spki(key: Passkey) -> str:
    return key.line.split("key: ")[1].split(",")[0]
