"""Verifies an evidence pack from its files alone: signatures, digests, rows, and the proofs of its sample. None of it is trusted.

Each finding names the file, and the row where it is known: the CSV and the JSON of a file say the same, and a sampled entry says
what its bytes say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any

from bot.decision_log.keys import verify
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.export_csv import safe
from bot.domain.decision_log.inclusion_proof import includes
from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.signed_note import Checkpoint, VerifierKey, open_checkpoint, read_note, read_vkeys, signed_by
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import NoteError
from bot.evidence.check import NO_KEY, ExportCheck, newest, own_keys
from bot.evidence.files import Export
from bot.reports.pack import SAYS, note_text
from bot.reports.pack_rows import Unreadable, readable, rows_of, sheet_of
from bot.reports.sample import drawn
from bot.terminal import visible

_MOST = 2**34  # bytes of one file
_MANIFEST = 2**26  # bytes of pack.json
_OWN = frozenset({"pack.json", "pack.note"})


def is_pack(export: Export) -> bool:
    """Whether a folder holds an evidence pack."""
    return export.read("pack.json", _MANIFEST) is not None or export.read("pack.note") is not None


def check_pack(export: Export, vkeys: str | None) -> ExportCheck:
    """Verifies the pack; `vkeys` are verifier keys, one a line, None: the pack's own. Raises NoteError for an invalid key."""
    checked = ExportCheck(own_key=vkeys is None)
    keys = own_keys(export) if vkeys is None else read_vkeys(vkeys)
    unsigned = vkeys is None and not keys
    checked.findings = [LogFinding("signature", None, NO_KEY)] if unsigned else list(pack_findings(export, keys))
    note = newest(export)
    if note is not None:
        checked.origin, checked.size, checked.root = note.origin, note.size, note.root
    checked.strays = tuple(sorted(export.strays))
    return checked


def pack_findings(export: Export, keys: Sequence[VerifierKey]) -> Iterator[LogFinding]:
    """Everything that contradicts itself; nothing means that the pack is as its author signed it."""
    try:
        checkpoint = open_checkpoint(export.text("checkpoint"), keys, verify)
    except NoteError as error:
        yield LogFinding("signature", None, f"checkpoint: {error}")
        return
    manifest = export.read("pack.json", _MANIFEST) or b""
    yield from _signed(export, checkpoint, manifest, keys)
    told = _object(manifest)
    if told is None or not isinstance(told.get("files"), dict):
        yield LogFinding("canonical", None, "pack.json is missing or cannot be read.")
        return
    yield from _files(export, told["files"])
    sampled = list(readable(rows_of(export, "sample")))
    leaves = {row["index"]: str(row.get("leaf")) for row in sampled if isinstance(row.get("index"), int)}
    for name, rows in sorted((told.get("rows") or {}).items()):
        yield from _same_rows(export, name, rows, leaves)
    yield from _sample(export, checkpoint, told, sampled)
    for index, leaf in sorted(leaves.items()):
        yield from _proven(export, checkpoint, index, leaf)


def _signed(export: Export, checkpoint: Checkpoint, manifest: bytes, keys: Sequence[VerifierKey]) -> Iterator[LogFinding]:
    try:
        note = read_note(export.text("pack.note"))
        signed_by(note, keys, verify)
    except NoteError as error:
        yield LogFinding("signature", None, f"pack.note: {error}")
        return
    if not note.text.startswith(SAYS) or note.text != note_text(checkpoint, manifest):
        yield LogFinding("signature", None, "pack.json is not the one that was signed: something in it was changed.")


def _files(export: Export, digests: Mapping[str, Any]) -> Iterator[LogFinding]:
    for name, digest in sorted(digests.items()):
        found = _digest(export, name) if ".." not in PurePosixPath(name).parts and not name.startswith("/") else None
        if found is None:
            yield LogFinding("leaf", None, f"{name} is missing.")
        elif found != digest:
            yield LogFinding("leaf", None, f"{name} was changed: its SHA-256 is not the one in pack.json.")
    for name in export.names(""):
        if name not in digests and name not in _OWN:
            yield LogFinding("node", None, f"{name} does not belong to the pack.")


def _digest(export: Export, name: str) -> str | None:
    file = export.opened(name, _MOST)
    if file is None:
        return None
    with file:
        return file_digest(file, "sha256").hexdigest()


def _same_rows(export: Export, name: str, count: object, leaves: Mapping[int, str]) -> Iterator[LogFinding]:
    """The CSV and the JSON of a file agree with each other, with the count, and with the entries that are in the sample."""
    lines, rows, different = 0, 0, 0
    try:
        for line, row in zip_longest(readable(sheet_of(export, name)), rows_of(export, name)):
            lines, rows = lines + (line is not None), rows + (row is not None)
            if not different and (
                line is None or row is None or [*map(visible, line)] != [_text(cell) for cell in row.values()]
            ):
                different = max(lines, rows)
                index = row.get("index") if row else None
                text = f"{name}: row {different} is not the same in {name}.csv and {name}.json."
                yield LogFinding("leaf", index if isinstance(index, int) else None, text)
            if row is not None and name != "sample":
                yield from _told_alike(export, name, row, leaves)
    except Unreadable:
        yield LogFinding("canonical", None, f"{name}.json cannot be read.")
        return
    if lines != count or rows != count:
        text = f"{name}: pack.json counts {count} rows; {name}.csv has {lines} and {name}.json {rows}."
        yield LogFinding("index", None, text)


def _told_alike(export: Export, name: str, row: Mapping[str, Any], leaves: Mapping[int, str]) -> Iterator[LogFinding]:
    """A row about a sampled entry names its leaf, type, time and case."""
    index = row.get("index")
    if not isinstance(index, int) or index not in leaves:
        return
    entry = parsed(export.read(f"entries/{index}.json") or b"")[0] or {}
    wrong = [key for key in ("ts", "type", "case") if key in row and row[key] != entry.get(key, "")]
    if row.get("leaf") != leaves[index] or wrong:
        yield LogFinding("leaf", index, f"{name}: the row of entry {index} does not say what the entry says.")


def _sample(
    export: Export, checkpoint: Checkpoint, told: Mapping[str, Any], sampled: Sequence[Mapping[str, Any]]
) -> Iterator[LogFinding]:
    """The sample is the one that the seed draws from the requests."""
    size, seed = told.get("sample"), str(told.get("seed"))
    population = (str(row.get("case")) for row in readable(rows_of(export, "requests")))
    if isinstance(size, int) and list(dict.fromkeys(row.get("case") for row in sampled)) != drawn(population, seed, size):
        yield LogFinding("root", None, "sample.csv is not the sample that the seed draws from requests.csv.")
    if told.get("seed_is") != "chosen" and seed != checkpoint.root.hex():
        yield LogFinding(
            "root", None, "The sample's seed is not the checkpoint's root, and pack.json does not call it chosen."
        )


def _proven(export: Export, checkpoint: Checkpoint, index: int, leaf: str) -> Iterator[LogFinding]:
    data = export.read(f"entries/{index}.json")
    proof = TlogProof.parse((export.read(f"proofs/{index}.tlog-proof") or b"").decode(errors="replace"))
    if data is None or proof is None:
        yield LogFinding("leaf", index, f"The bytes or the proof of entry {index} are missing or cannot be read.")
        return
    found = leaf_hash(data)
    if found.hex() != leaf:
        yield LogFinding("leaf", index, f"entries/{index}.json does not have the leaf {leaf} that the files name.")
    if proof.index != index or not includes(index, checkpoint.size, found, proof.path, checkpoint.root):
        yield LogFinding("root", index, f"The proof of entry {index} does not lead to the checkpoint.")
    entry, fault = parsed(data)
    if entry is None or fault or entry.get("i") != index:
        yield LogFinding("canonical", index, fault or f"entries/{index}.json is another entry.")


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(cell: object) -> str:
    return str(cell) if isinstance(cell, int) else visible(safe(cell))
