"""Verifies every byte of the stored log before an export, and logs both.

A log with findings exports nothing else. `log.verified` and `log.exported` are committed before the first file is written, so
that the log knows of every export; `log.exported` names the size of the newest signed checkpoint.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bot.decision_log.keys import vkey_lines
from bot.domain.case.transition import OPERATOR, LogEvent, Transition
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import SettingsError
from bot.evidence.case_export import export_case
from bot.evidence.export import Format, export, findings_only
from bot.evidence.folder import Folder
from bot.runtime.log_verification import TrustBase, verify
from bot.runtime.open_log import cover, open_store
from bot.settings import Settings
from storage.log.check import LogCheck
from storage.log.evidence import evidence


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result: `text` is for the person; with `findings` nothing else was exported."""

    text: str
    findings: tuple[LogFinding, ...] = ()


async def exported(settings: Settings, out: Path, case: str | None, form: Format) -> ExportReport:
    """Checks the stored log and writes the evidence into `out`.

    Raises SettingsError (`out` is not empty, no such case), KeyFileError (no keys yet), StorageError.
    """
    checked = await asyncio.to_thread(verify, settings.database, TrustBase(None, settings.state_dir))
    if checked.findings:
        with Folder(out) as folder:
            findings_only(checked.findings, folder)
        return ExportReport(f"The log has findings; only they were written, to {out / 'FINDINGS.txt'}.", checked.findings)
    signed = await cover(settings)
    if isinstance(signed, LogFinding):
        with Folder(out) as folder:
            findings_only((signed.text,), folder)
        return ExportReport(
            f"The signer refuses: {signed.text} Only that was written, to {out / 'FINDINGS.txt'}.", (signed,)
        )
    vkeys = vkey_lines(settings.state_dir, checked.origin)
    return await _whole(settings, checked, vkeys, out, case, form)


async def _whole(
    settings: Settings, checked: LogCheck, vkeys: str, out: Path, case: str | None, form: Format
) -> ExportReport:  # fmt: skip
    with evidence(settings.database) as log, Folder(out) as folder:
        if case is not None and next(log.case(case), None) is None:
            raise SettingsError(f"The log has no case {case} below its newest checkpoint.")
        await _written_down(settings, checked, log.size)
        if case is not None:
            export_case(log, vkeys, folder, case)
        else:
            export(log, vkeys, folder, form)
    what = f"{log.size} entries" if case is None else f"The entries of {case}"
    return ExportReport(f"{what} are in {out}. It holds personal data: hand it over as you would a case file.")


async def _written_down(settings: Settings, checked: LogCheck, size: int) -> None:
    """Logs the check, of the whole log, and the export, up to the newest checkpoint."""
    store = await open_store(settings)
    try:
        verified = LogEvent("log.verified", OPERATOR, data={"size": checked.size, "root": checked.root.hex()})
        await store.commit(Transition(None, None, (verified, LogEvent("log.exported", OPERATOR, data={"size": size}))))
    finally:
        await store.close()
