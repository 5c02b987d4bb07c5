"""Exports the log as files that an outsider can verify without us.

`tiles` is everything: checkpoint, tiles and bundles, verifier key, earlier checkpoints, anchors, every policy set that an
entry was judged under, disclosures, OCSF lines, how to check it, and the auditor's page. `ocsf` and `csv` are one file
beside checkpoint and key. The export covers the newest signed checkpoint and is a
consistent snapshot, written in one pass with at most one tile a level in memory. Source: decision-log.md, "An export is plain files".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

from bot.domain.decision_log import export_csv
from bot.domain.decision_log.entry import b64
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.export_ocsf import Ocsf
from bot.domain.decision_log.tiles import Tiler
from bot.domain.decision_log.verify.log import Row, Shown
from bot.evidence.filled_page import FilledPage, shipped
from bot.evidence.folder import Folder
from bot.evidence.people import known_people
from bot.evidence.stored_policy import log_findings
from bot.terminal import visible
from storage.log.evidence import Evidence, StoredAnchor

Format = Literal["tiles", "ocsf", "csv"]
STATED = "findings.json"  # lies in the page alone


class Sink(Protocol):
    """Where the files of an export are written: a `Folder`, or a `FilledPage` around it."""

    def write(self, name: str, data: bytes) -> None: ...

    def append(self, name: str, data: bytes) -> None: ...


def export(log: Evidence, vkeys: str, folder: Folder, form: Format = "tiles") -> None:
    """Writes `log` into `folder`. `vkeys` are the verifier keys, one a line. Raises StorageError, OSError."""
    if form == "tiles":
        with FilledPage(folder) as filled:
            _everything(log, filled)
            _signed(log, vkeys, filled)
            filled.only_in_page(STATED, _stated(log))
        return
    if form == "ocsf":
        _events(log, folder)
    else:
        _sheet(log, folder)
    _signed(log, vkeys, folder)


def _signed(log: Evidence, vkeys: str, folder: Sink) -> None:
    folder.write("log.vkey", vkeys.encode())
    folder.write("checkpoint", log.note.encode())


def _stated(log: Evidence) -> bytes:
    """What this program finds by every rule of the policy, for a page that does not read them all."""
    found = [{"code": f.code, "i": f.idx, "text": f.text} for f in log_findings(log)]
    return json.dumps({"findings": found}).encode()


def findings_only(findings: tuple[object, ...], folder: Folder) -> None:
    """Exports the findings only, for an inconsistent log."""
    lines = [
        "This log contradicts itself, so nothing else is exported. What `countersign log verify` found:",
        *map(str, findings),
    ]
    folder.write("FINDINGS.txt", "".join(f"{line}\n" for line in lines).encode())


def _everything(log: Evidence, folder: Sink) -> None:
    tiler, ocsf, sets = Tiler(), Ocsf(), set[str]()
    for row in log.rows():
        for path, data in tiler.add(row.data, row.leaf):
            folder.write(path, data)
        entry = _entry(row)
        if entry is not None and row.data is not None:
            folder.append("ocsf.ndjson", ocsf.line(entry, row.data).encode() + b"\n")
            sets |= _set_of(entry)
    for path, data in tiler.end():
        folder.write(path, data)
    for digest in sorted(sets):
        for file in log.policy(digest):
            folder.write(f"policy/{digest}/{file.path}", file.content)
    disclosed(log.disclosures(), folder)
    for size, note in log.notes():
        folder.write(f"checkpoints/{size}", note.encode())
    for n, anchor in enumerate(log.anchors()):
        folder.write(f"anchors/{n:06d}.json", _anchor(anchor))
    folder.write("VERIFY.md", instructions())


def instructions() -> bytes:
    """`VERIFY.md`."""
    return shipped("VERIFY.md").encode()


def _events(log: Evidence, folder: Folder) -> None:
    ocsf = Ocsf()
    folder.append("ocsf.ndjson", b"")
    for row in log.rows():
        entry = _entry(row)
        if entry is not None and row.data is not None:
            folder.append("ocsf.ndjson", ocsf.line(entry, row.data).encode() + b"\n")


def _sheet(log: Evidence, folder: Folder) -> None:
    people = known_people(log.disclosures())
    folder.append(
        "log.csv", b"\xef\xbb\xbf" + export_csv.header().encode()
    )  # spreadsheets recognise UTF-8 by this byte order mark
    for row in log.rows():
        entry = _entry(row)
        if entry is not None:
            folder.append("log.csv", sheet_line(entry, row.leaf, people))


def sheet_line(entry: Mapping[str, object], leaf: bytes, people: Mapping[str, str]) -> bytes:
    """The line of an entry in `log.csv`. A terminal that prints it obeys nothing in it."""
    return visible(export_csv.line(entry, leaf, people)).encode()


def disclosed(disclosures: Iterator[Shown], folder: Sink) -> None:
    """Writes `disclosures.jsonl`, a line each."""
    folder.append("disclosures.jsonl", b"")
    for shown in disclosures:
        line = {"i": shown.idx, "digest": shown.digest, "disclosure": shown.text}
        folder.append("disclosures.jsonl", json.dumps(line, separators=(",", ":")).encode() + b"\n")


def _anchor(anchor: StoredAnchor) -> bytes:
    told = {"size": anchor.size, "kind": anchor.kind, "ref": anchor.ref, "at_ms": anchor.at}
    if anchor.blob is not None:
        told["blob"] = b64(anchor.blob)
    return json.dumps(told, indent=1).encode() + b"\n"


def _entry(row: Row) -> Mapping[str, object] | None:
    return None if row.data is None else parsed(row.data)[0]


def _set_of(entry: Mapping[str, object]) -> set[str]:
    """The policy set that an entry names."""
    policy = entry.get("policy")
    return {str(policy.get("sha256"))} if isinstance(policy, dict) else set()
