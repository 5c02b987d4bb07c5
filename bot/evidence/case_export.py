"""Exports one case: each of its entries with its own proof, and nothing of any other case.

It proves that every entry is in the log and that none is missing between two of them (`case_seq`, `case_prev`); not that
none came later, which needs the full export. The people behind its pseudonyms are disclosed too, by the disclosure of the
entry that named them first, to which a pseudonym is bound. Source: decision-log.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from bot.domain.decision_log.entry import b64, pseudonym_of
from bot.domain.decision_log.entry_reader import parsed
from bot.domain.decision_log.inclusion_proof import proven_root
from bot.domain.decision_log.merkle_tree import leaf_hash
from bot.domain.decision_log.signed_note import Checkpoint
from bot.domain.decision_log.tlog_proof import TlogProof
from bot.domain.decision_log.verify.case_order import CaseRecord, judged
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import SettingsError
from bot.evidence.export import disclosed, instructions
from bot.evidence.files import Export, Line
from bot.evidence.filled_page import FilledPage
from bot.evidence.folder import Folder
from storage.log.evidence import Evidence

SELECTION = "selection.json"  # what was asked for, in an export of several cases

_BESIDE = re.compile(r"checkpoint|log\.vkey|disclosures\.jsonl|ocsf\.ndjson|log\.csv|index\.html|VERIFY\.md")
_WHOLE = re.compile(r"tile/.+|checkpoints/\d+|anchors/\d{6,}\.json|policy/[0-9a-f]{64}/.+", re.DOTALL)
_SELECTED = re.compile(r"selection\.json|case/\d+\.(?:json|tlog-proof)")


def export_case(log: Evidence, vkeys: str, folder: Folder, case_id: str) -> None:
    """Writes one case into `folder`, with its page. Raises SettingsError if its entries are pruned."""
    with FilledPage(folder) as filled:
        _case(log, vkeys, filled, case_id)


def _case(log: Evidence, vkeys: str, folder: FilledPage, case_id: str) -> None:
    entries = list[tuple[int, bytes]]()
    for row in log.case(case_id):
        if row.data is None:
            raise SettingsError(f"{case_id} is pruned: the log keeps its hashes only.")
        entries.append((row.idx, row.data))
    export_entries(log, vkeys, folder, entries)


def export_entries(log: Evidence, vkeys: str, folder: FilledPage, entries: Iterable[tuple[int, bytes]]) -> None:
    """Writes entries, index and bytes, each with its own proof, what their digests disclose, and the people of their pseudonyms."""
    refs, indexes = set[str](), list[int]()
    for idx, data in entries:
        folder.write(f"case/{idx}.json", data)
        folder.write(f"case/{idx}.tlog-proof", log.proof(idx).encode())
        refs |= _refs(json.loads(data))
        indexes.append(idx)
    shown = {line for idx in indexes for line in log.disclosed_by(idx)}
    shown |= {line for line in map(log.introduction, sorted(refs)) if line is not None}
    disclosed(iter(sorted(shown, key=lambda line: (line.idx, line.digest))), folder)
    folder.write("VERIFY.md", instructions())
    folder.write("log.vkey", vkeys.encode())
    folder.write("checkpoint", log.note.encode())


def is_case(export: Export) -> bool:
    """Whether an export is of one case, or of a selection of them."""
    return bool(export.names("case")) or export.read(SELECTION) is not None


def strangers(export: Export) -> tuple[str, ...]:
    """The files that are no part of an export; a mistake of whoever carried it, or something that a reader shall take for evidence."""
    ours = (
        (_BESIDE, _WHOLE, _SELECTED) if is_case(export) else (_BESIDE, _WHOLE)
    )  # of a whole log beside requests: a finding
    return tuple(name for name in export.names("") if not any(kind.fullmatch(name) for kind in ours))


def case_numbers(export: Export) -> list[int]:
    """The indexes of the entries in a case's export, or in a selection's."""
    names = [PurePosixPath(name) for name in export.names("case") if name.endswith(".json")]
    return sorted(int(name.stem) for name in names if name.stem.isascii() and name.stem.isdigit())


def case_findings(export: Export, note: Checkpoint) -> Iterator[LogFinding]:
    """Findings on the entries of a case's export, or of a selection's; `note` is its checkpoint, whose signature is checked elsewhere."""
    for name in filter(_WHOLE.fullmatch, export.names("")):
        yield LogFinding("node", None, f"{name} does not belong to an export of single requests.")
    before: dict[object, CaseRecord | None] = {}
    several = export.read(SELECTION) is not None
    for idx in case_numbers(export):
        data = export.read(f"case/{idx}.json") or b""
        yield from _in_tree(export, note, idx, data)
        entry, fault = parsed(data)
        if fault or entry is None:
            yield LogFinding("canonical", idx, fault)
            continue
        if entry.get("i") != idx:
            yield LogFinding("index", idx, f"The entry calls itself {entry.get('i')!r}.")
        case = entry.get("case")
        if not several and before and case not in before:
            yield LogFinding("case", idx, "The entry is of another case.")
        if several and case is None:
            continue
        before[case], faults = judged(before.get(case), str(entry.get("type")), entry, leaf_hash(data))
        yield from (LogFinding("case", idx, f"{case}: {text}") for text in faults)


def case_disclosures(export: Export) -> Iterator[LogFinding]:
    """Checks that each disclosure belongs to an entry of the case, or discloses a person the case names."""
    digests, refs = set[str](), set[str]()
    for name in export.names("case"):
        entry = parsed(export.read(name) or b"")[0] if name.endswith(".json") else None
        if entry is not None:
            digests |= set(map(str, told)) if isinstance(told := entry.get("_sd"), list) else set()
            refs |= _refs(dict(entry))
    for line in export.disclosures():
        if isinstance(line, Line):
            yield LogFinding("disclosure", None, f"Line {line.number} of disclosures.jsonl is no disclosure.")
        elif b64(hashlib.sha256(line.text.encode()).digest()) != line.digest:
            yield LogFinding("disclosure", line.idx, f"A disclosure does not have its digest {line.digest}.")
        elif line.digest not in digests and pseudonym_of(line.text) not in refs:
            yield LogFinding("disclosure", line.idx, f"Nothing in the case belongs to {line.digest}.")


def _in_tree(export: Export, note: Checkpoint, idx: int, data: bytes) -> Iterator[LogFinding]:
    proof = TlogProof.parse((export.read(f"case/{idx}.tlog-proof") or b"").decode(errors="replace"))
    if proof is None or proof.index != idx:
        yield LogFinding("leaf", idx, f"Entry {idx} has no proof.")
    elif proof.note != (export.read("checkpoint") or b"").decode(errors="replace"):
        yield LogFinding("checkpoint", idx, f"The proof of entry {idx} carries another checkpoint than the export.")
    elif proven_root(idx, note.size, leaf_hash(data), proof.path) != note.root:
        yield LogFinding("leaf", idx, f"The proof of entry {idx} does not lead from its bytes to the checkpoint's root.")


def _refs(value: object) -> set[str]:
    """Every pseudonym anywhere in an entry."""
    if isinstance(value, str):
        return {value} if value.startswith("sub_") else set()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {ref for part in parts for ref in _refs(part)}
