"""Verifies every byte of the stored log before an export, and logs both.

A log with findings exports nothing else. `log.verified` and `log.exported` are committed before the first file appears, so
that the log knows of every export; `log.exported` names the size of the newest signed checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

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
from storage.log.evidence import Evidence, evidence

Write: TypeAlias = Callable[[Evidence, str, Folder], None]  # the log, its verifier keys, where its files are written
HAND_OVER = "It holds personal data: hand it over as you would a case file."


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result: `text` is for the person; with `findings` nothing else was exported."""

    text: str
    findings: tuple[LogFinding, ...] = ()


async def exported(
    settings: Settings, out: Path, case: str | None, form: Format, over: Callable[[], bool] = lambda: False
) -> ExportReport:
    """Checks the stored log and writes the evidence into `out`. `over` is called for each entry that is checked; true ends it.

    Raises SettingsError (`out` is not empty, no such case), KeyFileError (no keys yet), StorageError.
    """
    said = ""

    def write(log: Evidence, vkeys: str, folder: Folder) -> None:
        nonlocal said
        if case is not None and next(log.case(case), None) is None:
            raise SettingsError(f"The log has no case {case} below its newest checkpoint.")
        if case is not None:
            export_case(log, vkeys, folder, case)
        else:
            export(log, vkeys, folder, form)
        said = f"{log.size} entries" if case is None else f"The entries of {case}"

    report = await verified_then_written(settings, out, write, over)
    return report if report.findings else ExportReport(f"{said} are in {out}. {HAND_OVER}")


async def verified_then_written(
    settings: Settings, out: Path, write: Write, over: Callable[[], bool] = lambda: False
) -> ExportReport:
    """Checks every byte of the stored log, logs the check and the export, and lets `write` fill the folder `out`; a log with
    findings exports only them. Raises as `exported` does, and what `write` raises."""
    checked = await asyncio.to_thread(verify, settings.database, TrustBase(None, settings.state_dir, over=over))
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
    with evidence(settings.database) as log, Folder(out) as folder:
        write(log, vkey_lines(settings.state_dir, checked.origin), folder)
        await _written_down(settings, checked, log.size)
    return ExportReport("")


async def _written_down(settings: Settings, checked: LogCheck, size: int) -> None:
    """Logs the check, of the whole log, and the export, up to the newest checkpoint."""
    store = await open_store(settings)
    try:
        verified = LogEvent("log.verified", OPERATOR, data={"size": checked.size, "root": checked.root.hex()})
        await store.commit(Transition(None, None, (verified, LogEvent("log.exported", OPERATOR, data={"size": size}))))
    finally:
        await store.close()
