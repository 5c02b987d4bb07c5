"""`log verify --export`: an honest export passes, and each tampering is named, from files alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.decision_log.entry import canonical
from bot.domain.decision_log.export_ocsf import Ocsf
from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from bot.domain.decision_log.tiles import Tiler, tiles_of, unbundle
from bot.domain.errors import NoteError, SettingsError
from bot.evidence.check import NO_KEY, check_export
from tests.bot.evidence.conftest import ORIGIN, Written
from tests.bot.evidence.signing import Scribe

FIRST = "tile/entries/000"


def codes(folder: Path, vkeys: str | None = None) -> set[tuple[str, int | None]]:
    return {(f.code, f.idx) for f in check_export(folder, vkeys).findings}


def entries_of(folder: Path) -> list[bytes]:
    size = int((folder / "checkpoint").read_text().splitlines()[1])
    paths = [tile.path for tile in tiles_of(size) if tile.level == "entries"]
    return [entry for path in paths for entry in unbundle((folder / path).read_bytes()) or []]


def rebuild(folder: Path, entries: list[bytes], *, sign: bool = True) -> None:
    """What a forger with the log's key does: new tiles, new OCSF lines, new checkpoint."""
    for name in ("tile", "checkpoints"):
        shutil.rmtree(folder / name)
    tiler, ocsf = Tiler(), Ocsf()
    files = [file for entry in entries for file in tiler.add(entry)]
    for path, data in [*files, *tiler.end()]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "ocsf.ndjson").write_text("".join(ocsf.line(json.loads(e), e) + "\n" for e in entries))
    if sign:
        root = subtree_root([leaf_hash(entry) for entry in entries])
        (folder / "checkpoint").write_text(Scribe(ORIGIN).note(len(entries), root))


def edited(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """The entries changed, every later link of a case made again, and all of it signed."""
    entries = [json.loads(entry) for entry in entries_of(folder)]
    change(entries)
    leaves: dict[str, str] = {}
    done = []
    for entry in entries:
        if "case_prev" in entry:
            entry["case_prev"] = leaves[entry["case"]]
        done.append(canonical(entry))
        leaves[entry.get("case", "")] = leaf_hash(done[-1]).hex()
    rebuild(folder, done)


def of_type(entries: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["type"] == kind]


def test_an_honest_export_has_no_findings(written: Written, exported: Path) -> None:
    checked = check_export(exported, written.scribe.vkey)
    assert (checked.findings, checked.own_key, checked.unproven, checked.unknown_types) == ([], False, 0, ())
    assert (checked.origin, checked.size) == (ORIGIN, len(entries_of(exported)))


def test_the_exports_own_key_is_used_and_said(exported: Path) -> None:
    checked = check_export(exported)
    assert (checked.findings, checked.own_key) == ([], True)


def test_a_rebuilt_honest_export_is_honest(altered: Callable[[], Path]) -> None:
    """The forger's tool of these tests adds no finding of its own."""
    folder = altered()
    edited(folder, lambda entries: None)
    assert codes(folder) == set()


def test_another_key_is_named(exported: Path) -> None:
    found = check_export(exported, Scribe(ORIGIN, seed=2).vkey).findings
    assert {f.code for f in found} == {"signature"}
    assert len(found) == 4  # the newest and each of three earlier


@pytest.mark.parametrize("vkey", ["x", "a+00000000+AQ==", Scribe(ORIGIN).vkey.replace("+", "+0", 1)])
def test_a_malformed_key_is_a_sentence(exported: Path, vkey: str) -> None:
    with pytest.raises(NoteError, match="verifier key"):
        check_export(exported, vkey)


def test_a_folder_that_holds_no_export_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no export"):
        check_export(tmp_path)


@pytest.mark.parametrize("text", [None, "", "no key", "é"])
def test_an_export_without_a_key_of_its_own_is_named(altered: Callable[[], Path], text: str | None) -> None:
    folder = altered()
    (folder / "log.vkey").unlink() if text is None else (folder / "log.vkey").write_text(text)
    assert "signature" in {code for code, _ in codes(folder)}


# Bytes.


def replaced(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def a_bit_of_an_entry(folder: Path) -> None:
    replaced(folder / FIRST, b'"kind":"emergency_access"', b'"kind":"emergency_axcess"')


def an_entry_and_its_leaf(folder: Path) -> None:
    a_bit_of_an_entry(folder)
    entries = unbundle((folder / FIRST).read_bytes()) or []
    (folder / "tile/0/000").write_bytes(b"".join(map(leaf_hash, entries)))


def the_whole_tree_without_the_key(folder: Path) -> None:
    a_bit_of_an_entry(folder)
    rebuild(folder, entries_of(folder), sign=False)


def the_last_entries(folder: Path) -> None:
    entries = entries_of(folder)
    rebuild(folder, entries[:-3], sign=False)


def a_middle_entry(folder: Path) -> None:
    entries = entries_of(folder)
    del entries[5]
    rebuild(folder, entries)


def two_entries_swapped(folder: Path) -> None:
    entries = entries_of(folder)
    entries[280], entries[281] = entries[281], entries[280]
    rebuild(folder, entries)


def a_date(folder: Path) -> None:
    edited(folder, lambda entries: entries[200].update(ts="2026-03-03T09:00:00.000Z"))


def a_disclosure(folder: Path) -> None:
    replaced(folder / "disclosures.jsonl", b'"disclosure":"Wy', b'"disclosure":"Wz')


def a_disclosure_dropped(folder: Path) -> None:
    lines = (folder / "disclosures.jsonl").read_bytes().split(b"\n")
    (folder / "disclosures.jsonl").write_bytes(b"\n".join(lines[1:]))


def a_disclosure_that_is_none(folder: Path) -> None:
    with (folder / "disclosures.jsonl").open("ab") as file:
        file.write(b"{}\n")


def a_bundle_dropped(folder: Path) -> None:
    (folder / FIRST).unlink()


def a_tile_dropped(folder: Path) -> None:
    (folder / "tile/1/000.p/1").unlink()


def a_tile_too_many(folder: Path) -> None:
    (folder / "tile/0/005").write_bytes(bytes(8192))


def a_higher_tile(folder: Path) -> None:
    (folder / "tile/1/000.p/1").write_bytes(bytes(32))


def an_older_checkpoint(folder: Path) -> None:
    path = min((folder / "checkpoints").iterdir(), key=lambda p: int(p.name))
    path.write_text(Scribe(ORIGIN).note(int(path.name), bytes(32)))


def a_checkpoint_from_the_future(folder: Path) -> None:
    (folder / "checkpoints" / "9999").write_text(Scribe(ORIGIN).note(9999, bytes(32)))


def a_checkpoint_of_another_log(folder: Path) -> None:
    (folder / "checkpoint").write_text(Scribe("other.example/log").note(3, bytes(32)))


def a_checkpoint_that_is_none(folder: Path) -> None:
    (folder / "checkpoints" / "7").write_text("seven")


def an_event(folder: Path) -> None:
    replaced(folder / "ocsf.ndjson", b'"disposition":"Rejected"', b'"disposition":"Approved"')


def an_event_too_many(folder: Path) -> None:
    with (folder / "ocsf.ndjson").open("ab") as file:
        file.write(b"{}\n")


@pytest.mark.parametrize(
    ("tamper", "code", "idx"),
    [
        (a_bit_of_an_entry, "leaf", 2),
        (an_entry_and_its_leaf, "node", 255),
        (the_whole_tree_without_the_key, "root", None),
        (the_last_entries, "head", None),
        (a_middle_entry, "index", 5),
        (two_entries_swapped, "index", 280),
        (a_date, "ts", 200),
        (a_disclosure, "disclosure", 2),
        (a_disclosure_dropped, "disclosure", 2),
        (a_disclosure_that_is_none, "disclosure", None),
        (a_bundle_dropped, "pruned", 255),
        (a_tile_dropped, "node", 255),
        (a_tile_too_many, "node", None),
        (a_higher_tile, "node", 255),
        (an_older_checkpoint, "root", None),
        (a_checkpoint_from_the_future, "root", None),
        (a_checkpoint_of_another_log, "signature", None),
        (a_checkpoint_that_is_none, "checkpoint", None),
        (an_event, "leaf", None),
        (an_event_too_many, "leaf", None),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_tampering_is_named(
    altered: Callable[[], Path], tamper: Callable[[Path], None], code: str, idx: int | None
) -> None:
    folder = altered()
    tamper(folder)
    found = codes(folder)
    assert (code, idx) in found or (idx is None and code in {c for c, _ in found}), found


# Decisions, judged again: a forger with the key makes everything else agree.


def the_yes_of_a_provider(entries: list[dict[str, Any]]) -> None:
    of_type(entries, "request.approved")[1]["actor"] = of_type(entries, "request.filed")[0]["actor"]


def the_yes_of_a_provider_said_to_be_home(entries: list[dict[str, Any]]) -> None:
    the_yes_of_a_provider(entries)
    actor = of_type(entries, "request.approved")[1]["actor"]
    of_type(entries, "request.approved")[1]["actor"] = actor | {"party": "home"}


def one_yes_of_two(entries: list[dict[str, Any]]) -> None:
    """The grant counts the risk owner's yes twice."""
    first, second = of_type(entries, "request.approved")
    second["actor"] = first["actor"]


def no_risk_owner(entries: list[dict[str, Any]]) -> None:
    """The deputy, who denied the first case, is said to have said yes instead of the risk owner."""
    first, _ = of_type(entries, "request.approved")
    first["actor"] = of_type(entries, "request.denied")[0]["actor"]
    first["data"]["role"] = "deputies"


def a_role_that_is_not_theirs(entries: list[dict[str, Any]]) -> None:
    of_type(entries, "request.approved")[1]["data"]["role"] = "risk_owner"


def another_runbook(entries: list[dict[str, Any]]) -> None:
    of_type(entries, "request.approved")[0]["runbook"]["sha256"] = "ab" * 32


def a_runbook_that_nobody_accepted(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if "runbook" in entry:
            entry["runbook"]["sha256"] = "ab" * 32


def an_older_set(entries: list[dict[str, Any]]) -> None:
    """The second filing is said to have been made under a set that nobody has."""
    of_type(entries, "request.filed")[1]["policy"]["sha256"] = "ab" * 32


def a_requester_of_another_party(entries: list[dict[str, Any]]) -> None:
    of_type(entries, "request.filed")[0]["actor"]["party"] = "keyhold"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (the_yes_of_a_provider, "party", "by somebody of 'northgate'"),
        (the_yes_of_a_provider, "policy", "by the requester"),
        (the_yes_of_a_provider_said_to_be_home, "party", "T0HOME/U0PE1, who belongs to northgate"),
        (the_yes_of_a_provider_said_to_be_home, "policy", "not named for the domain directory"),
        (one_yes_of_two, "policy", "1 valid yes of 2"),
        (no_risk_owner, "policy", "without the yes of risk_owner"),
        (a_role_that_is_not_theirs, "policy", "as risk_owner, which the policy does not make them"),
        (another_runbook, "policy", "another runbook than the filing"),
        (a_runbook_that_nobody_accepted, "policy", "not in the set it was filed under"),
        (an_older_set, "policy", "missing, altered or unreadable"),
        (a_requester_of_another_party, "party", "in the name of 'keyhold'"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_a_decision_that_policy_does_not_allow_is_named(
    altered: Callable[[], Path], change: Callable[[list[dict[str, Any]]], None], code: str, said: str
) -> None:
    folder = altered()
    edited(folder, change)
    found = check_export(folder).findings
    assert [f for f in found if f.code == code and said in f.text], found
    assert {f.code for f in found} <= {"policy", "party"}, found


def test_an_altered_policy_file_is_named(altered: Callable[[], Path]) -> None:
    """Somebody makes the provider's engineer a deputy after the fact."""
    folder = altered()
    for matrix in folder.glob("policy/*/responsibility.yaml"):
        matrix.write_bytes(matrix.read_bytes().replace(b"deputies: [dev, maeve]", b"deputies: [dev, pavel]"))
    found = check_export(folder).findings
    assert {f.code for f in found} == {"policy"}
    assert len(found) == 2  # each set once


def test_a_digest_that_is_a_path_leads_nowhere(altered: Callable[[], Path]) -> None:
    folder = altered()

    def point_outside(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if "policy" in entry:
                entry["policy"]["sha256"] = "../checkpoints"

    edited(folder, point_outside)
    assert {f.code for f in check_export(folder).findings} == {"policy"}


def test_decisions_of_erased_people_are_counted_and_not_found_fault_with(altered: Callable[[], Path]) -> None:
    folder = altered()
    gone: list[str] = []
    kept = []
    for line in (folder / "disclosures.jsonl").read_text().splitlines():
        (gone if b"U0RISK" in base64.urlsafe_b64decode(json.loads(line)["disclosure"] + "==") else kept).append(line)
    (folder / "disclosures.jsonl").write_text("".join(f"{line}\n" for line in kept))

    def erase(entries: list[dict[str, Any]]) -> None:
        digests = sorted(json.loads(line)["digest"] for line in gone)
        entries[-1] |= {"type": "privacy.erased", "data": {"subject": "sub_x", "digests": digests}}

    edited(folder, erase)
    checked = check_export(folder)
    assert (checked.findings, checked.unproven) == ([], 1)


def erased_and_disclosed(folder: Path) -> None:
    """The last entry says that something is erased which the export still discloses."""
    digest = json.loads((folder / "disclosures.jsonl").read_text().splitlines()[0])["digest"]

    def erase(entries: list[dict[str, Any]]) -> None:
        entries[-1] |= {"type": "privacy.erased", "data": {"subject": "sub_x", "digests": [digest]}}

    edited(folder, erase)


def test_what_is_erased_and_disclosed_all_the_same_is_named(altered: Callable[[], Path]) -> None:
    folder = altered()
    erased_and_disclosed(folder)
    assert {f.code for f in check_export(folder).findings} == {"disclosure"}


def test_pruned_entries_keep_their_hashes_and_a_case_goes_on_after_them(altered: Callable[[], Path]) -> None:
    """256 entries emptied, as `log.pruned` says; the pending case's entries after them still count on."""
    folder = altered()

    def prune(entries: list[dict[str, Any]]) -> None:
        entries[260] |= {"type": "log.pruned", "data": {"minimum": 256}}
        last = [e for e in entries if e.get("case")][-1]
        link = {k: last[k] for k in ("case", "runbook", "policy")}
        entries[262] |= link | {
            "type": "step.skipped",
            "case_seq": last["case_seq"] + 1,
            "case_prev": "",
            "data": {"why": "x"},
        }

    edited(folder, prune)
    (folder / FIRST).unlink()
    events = (folder / "ocsf.ndjson").read_text().split("\n")[256:]
    (folder / "ocsf.ndjson").write_text("\n".join(events))
    lines = [line for line in (folder / "disclosures.jsonl").read_text().splitlines() if json.loads(line)["i"] >= 256]
    (folder / "disclosures.jsonl").write_text("".join(f"{line}\n" for line in lines))
    assert codes(folder) == set()


def test_findings_are_bounded(altered: Callable[[], Path]) -> None:
    folder = altered()
    (folder / "tile/0/000").write_bytes(bytes(8192))
    assert len(check_export(folder, limit=9).findings) == 9


def test_the_digest_of_a_set_is_that_of_its_files(exported: Path) -> None:
    for folder in (exported / "policy").iterdir():
        files = sorted(
            (p.relative_to(folder).as_posix().encode(), p.read_bytes()) for p in folder.rglob("*") if p.is_file()
        )
        lines = b"".join(hashlib.sha256(data).hexdigest().encode() + b"  " + path + b"\n" for path, data in files)
        assert hashlib.sha256(lines).hexdigest() == folder.name


def test_case_evidence_ds_store(written: Written, exported: Path) -> None:
    policy = min((exported / "policy").iterdir())
    strays = [exported / "tile" / ".DS_Store", policy / ".DS_Store", policy / "._x", exported / "checkpoints" / "Thumbs.db"]
    strays.append(exported / "desktop.ini")
    for stray in strays:
        stray.write_bytes(b"\0")
    checked = check_export(exported)
    assert checked.findings == []
    assert set(checked.strays) == {path.relative_to(exported).as_posix() for path in strays}


def test_a_file_that_no_file_manager_left_is_still_a_finding(written: Written, exported: Path) -> None:
    (exported / "tile" / "notes.txt").write_bytes(b"")
    assert codes(exported) == {("node", None)}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["disclosures.jsonl", "ocsf.ndjson", "log.vkey", "checkpoints/1", FIRST, "tile/0/000"])
def test_a_pipe_in_the_place_of_a_file_is_never_opened(exported: Path, name: str) -> None:
    path = next(iter(sorted(exported.glob(f"{name}*"))), exported / name)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert check_export(exported).findings


@pytest.mark.timeout(20)
def test_a_size_without_tiles_ends_at_once(exported: Path) -> None:
    size = 10**14
    (exported / "checkpoint").write_text(Scribe(ORIGIN).note(size, bytes(32)))
    (found,) = [f for f in check_export(exported).findings if "tiles for" in f.text]
    assert found.code == "root"
    assert str(size) in found.text


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["disclosures.jsonl", "ocsf.ndjson"])
def test_a_file_of_a_hundred_terabytes_ends_at_once(exported: Path, name: str) -> None:
    with (exported / name).open("r+b") as file:
        file.truncate(10**13)  # it has no blocks: it reads as zeros without an end
    assert check_export(exported).findings


@pytest.mark.timeout(20)
def test_deep_json_is_a_finding(exported: Path) -> None:
    (exported / "disclosures.jsonl").write_text("[" * 900_000 + "\n")
    assert ("disclosure", None) in codes(exported)


def _marked(content: bytes) -> bytes:
    return b"\xef\xbb\xbf" + content


def _windows(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("change", [_marked, _windows])
def test_what_an_editor_adds_to_notes_and_keys_accuses_nobody(exported: Path, change: Callable[[bytes], bytes]) -> None:
    for path in (exported / "checkpoint", exported / "log.vkey", *(exported / "checkpoints").iterdir()):
        path.write_bytes(change(path.read_bytes()))
    assert check_export(exported).findings == []


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe\x00", b"no key\n"])
def test_a_key_in_the_export_that_cannot_be_read_is_one_finding_that_says_so(exported: Path, key: bytes | None) -> None:
    (exported / "log.vkey").unlink()
    if key is not None:
        (exported / "log.vkey").write_bytes(key)
    assert [(f.code, f.text) for f in check_export(exported).findings] == [("signature", NO_KEY)]
