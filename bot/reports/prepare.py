"""Makes a pack from the configured log: signs what is unsigned, checks every byte, writes the files, and logs the export."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bot.decision_log.keys import LOG_KEY, read_key, vkey_lines
from bot.domain.case.transition import OPERATOR, LogEvent, Transition
from bot.domain.decision_log.signed_note import read_checkpoint, read_note
from bot.domain.decision_log.verify.log import LogFinding
from bot.evidence.export import findings_only
from bot.evidence.folder import Folder
from bot.evidence.stored_delay import delay_findings
from bot.ports.database import Location
from bot.reports.contents import Options
from bot.reports.monthly import newest_policy, require_known
from bot.reports.pack import write_pack
from bot.runtime.log_verification import TrustBase, verify
from bot.runtime.open_log import cover, open_store
from bot.settings import Settings
from storage.log.evidence import Evidence, settled_evidence


@dataclass(frozen=True, slots=True)
class PackReport:
    """The result: `text` is for the person. With `findings` nothing else was written, unless the first page is stamped."""

    text: str
    findings: tuple[LogFinding, ...] = ()


async def packed(settings: Settings, options: Options, out: Path, *, with_findings: bool) -> PackReport:
    """Writes the pack into `out`, an empty folder or a new one.

    Raises SettingsError (`out` is not empty, an unknown provider or domain), KeyFileError, StorageError.
    """
    signed = await cover(settings)
    found = () if not isinstance(signed, LogFinding) else (signed,)
    checked = await asyncio.to_thread(verify, settings.database, TrustBase(None, settings.state_dir))
    findings = (*found, *checked.findings, *delay_findings(settings.database))
    if findings and not with_findings:
        with Folder(out) as folder:
            findings_only(findings, folder)
        return PackReport(f"The log has findings; only they were written, to {out / 'FINDINGS.txt'}.", findings)
    stamp = f"This log has {len(findings)} finding(s). What follows may be wrong: {findings[0].text}" if findings else ""
    size, population = await asyncio.to_thread(_write, settings, options, out, stamp)
    await _log_export(settings, size)
    return PackReport(f"{population} requests are in {out}; open index.html. It holds personal data.", findings)


def _write(settings: Settings, options: Options, out: Path, stamp: str) -> tuple[int, int]:
    opening: Callable[[Location], AbstractContextManager[Evidence]] = settled_evidence
    with opening(settings.database) as log:
        policy = newest_policy(log)
        require_known(policy, options.scope.provider, options.scope.domain)
        origin = read_checkpoint(read_note(log.note).text).origin
        key = read_key(settings.state_dir / LOG_KEY)
        with Folder(out) as folder:
            signer = (key.vkey(origin), key.sign)
            totals = write_pack(log, options, folder, signer, vkey_lines(settings.state_dir, origin), policy, stamp)
        return log.size, len(totals.lines)


async def _log_export(settings: Settings, size: int) -> None:
    store = await open_store(settings)
    try:
        await store.commit(Transition(None, None, (LogEvent("log.exported", OPERATOR, data={"size": size}),)))
    finally:
        await store.close()
