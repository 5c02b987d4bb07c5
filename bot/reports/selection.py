"""Exports a part of the log: the cases that began between two days, of one provider or in one domain, whole, and the entries
without a case that concern them.

Each entry has its own proof, as in the export of one case, so that a stranger checks it without the rest of the log. That none is
missing between two entries of a case its chain shows; that no further case began, only the full export shows. `selection.json` says
what was asked for. Source: experience.md, point 15; decision-log.md, "An export is plain files".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bot.domain.decision_log import export_csv
from bot.domain.decision_log.export_ocsf import Ocsf
from bot.evidence.case_export import SELECTION, export_entries
from bot.evidence.export import Format, sheet_line
from bot.evidence.filled_page import FilledPage
from bot.evidence.folder import Folder
from bot.evidence.people import known_people
from bot.evidence.prepare import HAND_OVER, ExportReport, verified_then_written
from bot.reports.monthly import newest_policy, require_known
from bot.reports.reading import Scope, records
from bot.settings import Settings
from storage.log.evidence import Evidence


async def exported_selection(
    settings: Settings, out: Path, scope: Scope, form: Format, over: Callable[[], bool] = lambda: False
) -> ExportReport:
    """Checks the stored log and writes the selection into `out`; `over` as there. Raises as `bot.evidence.prepare.exported` does."""
    counted = 0

    def write(log: Evidence, vkeys: str, folder: Folder) -> None:
        nonlocal counted
        counted = _write(log, vkeys, folder, scope, form)

    report = await verified_then_written(settings, out, write, over)
    if report.findings:
        return report
    return ExportReport(f"{counted} entries {_said(scope)} are in {out}. {HAND_OVER}")


def _write(log: Evidence, vkeys: str, folder: Folder, scope: Scope, form: Format) -> int:
    """Writes the files; returns how many entries they hold."""
    policy = newest_policy(log)
    require_known(policy, scope.provider, scope.domain)
    found, asked = list(records(log, scope, policy)), json.dumps(_asked(scope)).encode() + b"\n"
    if form == "tiles":
        with FilledPage(folder) as filled:
            filled.write(SELECTION, asked)
            export_entries(log, vkeys, filled, [(one.index, one.data) for one in found])
        return len(found)
    folder.write(SELECTION, asked)
    if form == "ocsf":
        ocsf = Ocsf()
        folder.append("ocsf.ndjson", b"".join(ocsf.line(one.entry, one.data).encode() + b"\n" for one in found))
    else:
        people = known_people(log.disclosures())
        lines = (sheet_line(one.entry, bytes.fromhex(one.leaf), people) for one in found)
        folder.append("log.csv", b"\xef\xbb\xbf" + export_csv.header().encode() + b"".join(lines))
    folder.write("log.vkey", vkeys.encode())
    folder.write("checkpoint", log.note.encode())
    return len(found)


def _asked(scope: Scope) -> dict[str, str | None]:
    return {
        "from": scope.first.isoformat(),
        "to": scope.last.isoformat(),
        "provider": scope.provider,
        "domain": scope.domain,
    }


def _said(scope: Scope) -> str:
    parts = [f"from {scope.first} to {scope.last}"]
    parts += [f"of {scope.provider}"] if scope.provider else []
    parts += [f"in {scope.domain}"] if scope.domain else []
    return ", ".join(parts)
