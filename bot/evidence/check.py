"""Verifies an export from its files alone: no database, no network, no Slack.

Every entry's bytes, leaf, tiles, roots of all checkpoints, signatures, canonical form, time, case chains and disclosures
are checked as for a stored log (`bot.domain.decision_log.verify.log`); OCSF lines must be those of the entries; and each decision is judged
again by the policy files inside (`bot.domain.decision_log.verify.decisions`). None of the files is trusted. The key inside
the export proves only that both have the same author: give the key that you got elsewhere.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bot.decision_log.entry_decoder import decoded
from bot.decision_log.keys import verify
from bot.domain.decision_log.export_ocsf import Ocsf
from bot.domain.decision_log.signed_note import Checkpoint, VerifierKey, read_checkpoint, read_note, read_vkeys
from bot.domain.decision_log.tiles import tiles_of
from bot.domain.decision_log.verify.checkpoints import Kept, audited
from bot.domain.decision_log.verify.decisions import Rejudge
from bot.domain.decision_log.verify.log import Audit, LogFinding, Row, Shown, StoredHead
from bot.domain.errors import NoteError
from bot.domain.policy.model import Policy
from bot.evidence.case_export import case_disclosures, case_findings, case_numbers, is_case, strangers
from bot.evidence.files import Export, Line
from bot.evidence.policy_checks import Disclosures, PolicyChecks
from runbooks.loader import load_files
from runbooks.parsing.folder import digest as digest_of

_SETS = 64  # policy sets kept in memory
_MISSING = 256_000  # entries; with more of them without tiles the checkpoint's size is not believed
NO_KEY = (
    "log.vkey holds no key that can be read, so no signature was checked: give --vkey with the key that you got elsewhere."
)
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(slots=True)
class ExportCheck:
    """The result of verifying an export. `own_key`: the export's own key was used. `unproven`: decisions of erased people.

    `has_keys`: a policy set names keys that decisions are signed with, and `policy_root` is the digest of the first one if that was
    given; `unproven_signatures`: signed decisions whose signature, or whose signer's name, was erased.
    `strangers`: files that are no part of an export; `selected`: the entries of an export of single requests.
    `strays`: files that a file manager or an editor left in the folder; they prove nothing and accuse nobody.
    """

    own_key: bool
    findings: list[LogFinding] = field(default_factory=list)
    origin: str = ""
    size: int = 0
    root: bytes = b""
    unknown_types: tuple[str, ...] = ()
    unproven: int = 0
    strays: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    selected: int | None = None
    policy_root: str | None = None
    has_keys: bool = False
    unproven_signatures: int = 0


def check_export(
    folder: Path, vkeys: str | None = None, limit: int = 1_000, policy_root: str | None = None
) -> ExportCheck:  # fmt: skip
    """Verifies the export in `folder`; `vkeys` are verifier keys, one a line. Keeps at most `limit` findings. `policy_root` is the
    digest of the first set with keys, if that is known from elsewhere.

    Raises SettingsError if the folder holds no export, NoteError for an invalid verifier key.
    """
    export = Export(folder)
    checked = ExportCheck(own_key=vkeys is None, policy_root=policy_root)
    given = None if vkeys is None else read_vkeys(vkeys)
    for finding in _findings(export, given, checked):
        if len(checked.findings) < limit:
            checked.findings.append(finding)
    checked.strangers = strangers(export)
    checked.strays = tuple(sorted(export.strays))
    return checked


def _findings(export: Export, given: Sequence[VerifierKey] | None, checked: ExportCheck) -> Iterator[LogFinding]:
    notes: dict[int, Checkpoint] = {}
    keys = own_keys(export) if given is None else given
    unsigned = given is None and not keys
    if unsigned:
        yield LogFinding("signature", None, NO_KEY)
    yield from (found for found in _notes(export, keys, notes) if not (unsigned and found.code == "signature"))
    note = newest(export)
    if note is None:
        return
    checked.origin, checked.size, checked.root = note.origin, note.size, note.root
    if is_case(export):
        checked.selected = len(case_numbers(export))
        yield from case_findings(export, note)
        yield from case_disclosures(export)
        return
    covered = export.most_entries()
    if note.size > covered + _MISSING:
        text = f"The checkpoint covers {note.size} entries; the folder has tiles for {covered} at most. Nothing else was checked."
        yield LogFinding("root", None, text)
        return
    audit = _audit(export, note, notes)
    told = Disclosures.read(line for line in export.disclosures() if isinstance(line, Shown))
    sets = _sets(export)
    judge, checks = Rejudge(sets, told.people), PolicyChecks(sets, told)
    yield from _lines(export)
    yield from _tiles(export, note.size)
    yield from _entries(export, note.size, audit, judge, checks)
    yield from checks.end(checked.policy_root)
    checked.unknown_types, checked.unproven = tuple(sorted(audit.unknown_types)), judge.unproven
    checked.unproven_signatures, checked.has_keys = checks.signatures.unproven, checks.has_keys


def _audit(export: Export, note: Checkpoint, notes: dict[int, Checkpoint]) -> Audit:
    return Audit(
        head=StoredHead(note.origin, note.size, None),
        nodes=export.nodes(note.size),
        disclosures=(line for line in export.disclosures() if isinstance(line, Shown)),
        checkpoints={size: found.root for size, found in notes.items()},
        read=decoded,
    )


def own_keys(export: Export) -> Sequence[VerifierKey]:
    """The keys in the export; empty if they cannot be read, and then no signature is valid."""
    try:
        return read_vkeys(export.text("log.vkey"))
    except NoteError:
        return ()


def _notes(export: Export, keys: Sequence[VerifierKey], notes: dict[int, Checkpoint]) -> Iterator[LogFinding]:
    """Checks every checkpoint's form and signature; fills `notes` by size."""
    kept = (Kept(name, export.text(name), _sized(name)) for name in ("checkpoint", *export.names("checkpoints")))
    yield from audited(kept, keys, verify, notes)


def _sized(name: str) -> int | None:
    """The checkpoint's size in a file's name; -1 if there is none."""
    number = name.removeprefix("checkpoints/")
    return None if name == "checkpoint" else int(number) if number.isdecimal() and number == str(int(number)) else -1


def newest(export: Export) -> Checkpoint | None:
    """The export's checkpoint, its signature unchecked; None if it is invalid."""
    try:
        return read_checkpoint(read_note(export.text("checkpoint")).text)
    except NoteError:
        return None


def _lines(export: Export) -> Iterator[LogFinding]:
    for line in export.disclosures():
        if isinstance(line, Line):
            yield LogFinding("disclosure", None, f"Line {line.number} of disclosures.jsonl is no disclosure.")


def _tiles(export: Export, size: int) -> Iterator[LogFinding]:
    """Checks that exactly the tiles for the size exist, each of the right length (bundles may be pruned)."""
    wanted = {tile.path: tile for tile in tiles_of(size)}
    for path, tile in wanted.items():
        data = export.read(path) if isinstance(tile.level, int) else b""
        if data is None or (isinstance(tile.level, int) and len(data) != 32 * tile.width):
            yield LogFinding("node", None, f"{path} is missing or no tile of {tile.width} hashes.")
    for name in export.names("tile"):
        if name not in wanted:
            yield LogFinding("node", None, f"{name} is no tile of a log of {size} entries.")


def _entries(export: Export, size: int, audit: Audit, judge: Rejudge, checks: PolicyChecks) -> Iterator[LogFinding]:
    """Verifies in one pass each entry, then its policy, the delay of policy changes, signatures and its OCSF line."""
    beside: list[LogFinding] = []
    events, ocsf = export.events(), Ocsf()

    def rows() -> Iterator[Row]:
        for row in export.rows(size):
            entry = None if row.data is None else decoded(row.data)[0]
            judge.operator.blind |= row.data is None
            if entry is not None and row.data is not None:
                beside.extend((*judge.findings(row.idx, entry), *checks.findings(row.idx, entry)))
                if next(events, None) != ocsf.line(entry, row.data):
                    beside.append(LogFinding("leaf", row.idx, f"ocsf.ndjson does not tell entry {row.idx} as it is."))
            yield row
        beside.extend(
            LogFinding("leaf", None, "ocsf.ndjson has more lines than entries.") for _ in itertools.islice(events, 1)
        )

    for finding in audit.findings(rows()):
        yield finding
        yield from beside
        beside.clear()
    yield from beside


def _sets(export: Export) -> Callable[[str], Policy | None]:
    """Loads the policy of a digest from the files inside; None if they are missing or do not match the digest."""

    @lru_cache(_SETS)
    def found(digest: str) -> Policy | None:
        files = export.policy(digest) if _DIGEST.fullmatch(digest) else {}
        return load_files(files).policy if files and digest_of(files) == digest else None

    return found
