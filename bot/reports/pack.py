"""The evidence pack: files by kind, made from the log alone, with a sample whose proofs anybody can check.

It is a pure function of the checkpoint and the options: made twice it is the same bytes, as long as nothing is erased between. The
checkpoint is the first that covers every entry but those about exports and checks. `pack.json` names each file with its digest and its
rows, and the log's key signs `pack.json` (`pack.note`), so that a changed byte shows; `pack_check` looks for it.
Source: governance-contract.md, section 6.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from bot.domain.decision_log.export_csv import safe
from bot.domain.decision_log.signed_note import Checkpoint, Sign, VerifierKey, read_checkpoint, read_note, sign
from bot.domain.policy.model import Policy
from bot.evidence.folder import Folder
from bot.reports import controls, page, requests, tables
from bot.reports.contents import FoundAccess, LastRun, Options, Totals
from bot.reports.policy_sets import PolicySets
from bot.reports.reading import Record, people_of, records
from bot.reports.sample import drawn, rank
from bot.terminal import visible
from storage.log.evidence import Evidence

SAYS = "countersign evidence pack"  # first line of the signed note
_BLOCK = 500  # rows of a file that are held before they are written
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
SAMPLE_COLUMNS = ("rank", "case", "index", "leaf", "type", "ts", "proof", "entry")


def write_pack(
    log: Evidence, options: Options, folder: Folder, keys: tuple[VerifierKey, Sign], vkeys: str, policy: Policy | None,
    stamp: Callable[[], str] = lambda: "",
) -> Totals:  # fmt: skip
    """Writes the pack. `keys` sign it; `policy` gives names to people; `stamp` gives a warning for the first page, which is written
    last: until then the log may still be verified."""
    checkpoint = read_checkpoint(read_note(log.note).text)
    named = _names(people_of(log), policy)
    pack = _Files(folder)
    totals = _write_tables(log, options, pack, named, policy)
    totals.counts["checkpoints"] = sum(1 for _ in log.notes())
    seed = options.seed or checkpoint.root.hex()
    _write_sample(log, totals, seed, options.sample, pack)
    _write_rows(pack, "controls", controls.COLUMNS, iter(controls.rows(totals.counts, options.framework)))
    warning = stamp()
    pack.write("checkpoint", log.note.encode())
    pack.write("log.vkey", vkeys.encode())
    pack.write("VERIFY.md", page.instructions().encode())
    pack.write("index.html", page.first_page(options, checkpoint, totals, seed, warning, policy).encode())
    _write_manifest(pack, folder, options, checkpoint, totals, seed, keys)
    return totals


def note_text(checkpoint: Checkpoint, manifest: bytes) -> str:
    """What the log's key signs: the log, the checkpoint, and the digest of `pack.json`."""
    return f"{SAYS}\n{checkpoint.origin}\n{checkpoint.size} {checkpoint.root.hex()}\n{sha256(manifest).hexdigest()}\n"


class _Files:
    """Writes files and keeps their digests."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._digests: dict[str, Any] = {}
        self.rows: Counter[str] = Counter()

    def write(self, name: str, data: bytes) -> None:
        self.append(name, data)

    def append(self, name: str, data: bytes) -> None:
        self._digests.setdefault(name, sha256()).update(data)
        self._folder.append(name, data)

    def digests(self) -> dict[str, str]:
        """SHA-256 in hexadecimal by file name, sorted."""
        return {name: self._digests[name].hexdigest() for name in sorted(self._digests)}


def _names(people: Mapping[str, str], policy: Policy | None) -> Mapping[str, str]:
    """How the paper calls somebody: `Name (TEAM/USER)`, where the policy gives a name."""
    called = {str(named.person): named.name for named in policy.people} if policy else {}
    return {ref: f"{called[who]} ({who})" if who in called else who for ref, who in people.items()}


def _write_tables(log: Evidence, options: Options, pack: _Files, named: Mapping[str, str], policy: Policy | None) -> Totals:
    totals, sets = Totals(), PolicySets()
    writers = {table: _Table(pack, table, tables.columns_of(table)) for table in tables.FILES}
    for record in records(log, options.scope, policy):
        _count(record, totals, named)
        note_reconciled(record, totals)
        sets.note(record, named)
        table = tables.table_of(record.type)
        if table is not None:
            (sets if table == "policy_sets" else writers[table]).add(tables.row(record, named))
    for row in sets.rows():
        writers["policy_sets"].add(row)
    for line in totals.lines.values():
        writers["requests"].add(line.row())
    for table, writer in writers.items():
        totals.counts[table] = writer.end()
    return totals


def _count(record: Record, totals: Totals, named: Mapping[str, str]) -> None:
    """Keeps what the request's own line needs."""
    if not record.case:
        return
    totals.first = totals.first or record.ts
    totals.last = record.ts
    ref = str(record.part("actor").get("ref", ""))
    who = named.get(ref, ref or str(record.part("actor").get("kind", "")))
    line = totals.lines.get(record.case)
    if line is None:
        begun = requests.begun(record, who)
        if begun is None:
            return
        totals.lines[record.case] = begun
    else:
        line.add(record, who)


def note_reconciled(record: Record, totals: Totals) -> None:
    """Stores the first page's lines about reconciliations."""
    data = record.values
    if record.type == "reconciliation.recorded":
        for domain, counts in data.get("domains", {}).items():
            totals.runs[domain] = LastRun(record.ts, str(data.get("source")), str(data.get("as_of")), counts)
    if record.type == "finding.filed" and data.get("source"):
        totals.found[record.case] = FoundAccess(
            record.case, record.ts, str(data.get("domain", "")), str(record.part("runbook").get("id", "")),
            record.told.get("target", "erased"), str(data["source"]),
        )  # fmt: skip
    if record.type == "finding.closed" and record.case in totals.found:
        totals.found[record.case].outcome = str(data.get("outcome") or "closed").replace("_", " ")


class _Table:
    """One kind of rows, as CSV and as JSON, written as they come, in blocks. A terminal that prints them obeys nothing in them."""

    def __init__(self, pack: _Files, name: str, columns: tuple[str, ...]) -> None:
        self._pack, self._name, self._columns = pack, name, columns
        self._count = 0
        pack.append(f"{name}.csv", b"\xef\xbb\xbf")  # spreadsheets recognise UTF-8 by this byte order mark
        self._sheet, self._rows = io.StringIO(), io.StringIO("[")
        self._rows.seek(0, io.SEEK_END)
        self._line = csv.writer(self._sheet, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
        self._line(columns)

    def add(self, row: Mapping[str, Any]) -> None:
        if tuple(row) != self._columns:
            row = {column: row[column] for column in self._columns}
        self._line(list(map(_cell, row.values())))
        self._rows.write(",\n" if self._count else "\n")
        self._rows.write(_COMPACT.encode(row))
        self._count += 1
        if self._count % _BLOCK == 0:
            self._flush()

    def end(self) -> int:
        """The number of rows."""
        self._rows.write("\n]\n")
        self._flush()
        self._pack.rows[self._name] = self._count
        return self._count

    def _flush(self) -> None:
        for ending, block in (("csv", self._sheet), ("json", self._rows)):
            self._pack.append(f"{self._name}.{ending}", visible(block.getvalue()).encode())
            block.seek(0)
            block.truncate()


def _write_rows(pack: _Files, name: str, columns: tuple[str, ...], rows: Iterator[Mapping[str, Any]]) -> None:
    table = _Table(pack, name, columns)
    for row in rows:
        table.add(row)
    table.end()


def _cell(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula; what is empty or begins with a letter or a digit is none."""
    if type(cell) is str:
        return cell if not cell or cell[0].isalnum() else safe(cell)
    return cell if isinstance(cell, int) else safe(cell)


def _write_sample(log: Evidence, totals: Totals, seed: str, size: int, pack: _Files) -> None:
    """Each entry of each sampled request, with its bytes and its proof."""

    def rows() -> Iterator[Mapping[str, Any]]:
        for case in drawn(totals.lines, seed, size):
            for row in log.case(case):
                if row.data is None:
                    continue
                pack.write(f"entries/{row.idx}.json", row.data)
                pack.write(f"proofs/{row.idx}.tlog-proof", log.proof(row.idx).encode())
                yield {
                    "rank": rank(seed, case), "case": case, "index": row.idx, "leaf": row.leaf.hex(), "type": row.type,
                    "ts": str(json.loads(row.data)["ts"]), "proof": f"proofs/{row.idx}.tlog-proof",
                    "entry": f"entries/{row.idx}.json",
                }  # fmt: skip

    _write_rows(pack, "sample", SAMPLE_COLUMNS, rows())


def _write_manifest(
    pack: _Files, folder: Folder, options: Options, checkpoint: Checkpoint, totals: Totals, seed: str,
    keys: tuple[VerifierKey, Sign],
) -> None:  # fmt: skip
    scope = options.scope
    told = {
        "pack": 1, "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(),
        "from": scope.first.isoformat(), "to": scope.last.isoformat(), "provider": scope.provider, "domain": scope.domain,
        "framework": options.framework, "population": len(totals.lines), "sample": options.sample, "seed": seed,
        "seed_is": "chosen" if options.seed else "root of the checkpoint", "rows": dict(sorted(pack.rows.items())),
        "files": pack.digests(),
    }  # fmt: skip
    manifest = json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"
    folder.write("pack.json", manifest)
    folder.write("pack.note", str(sign(note_text(checkpoint, manifest), [keys])).encode())
