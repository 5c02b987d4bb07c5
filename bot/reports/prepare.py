"""Makes a pack from the configured log: signs what is unsigned, checks every byte, writes the files, and logs the export."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bot.decision_log.keys import LOG_KEY, read_key, vkey_lines
from bot.domain.case.transition import OPERATOR, LogEvent, Transition
from bot.domain.decision_log.signed_note import read_checkpoint, read_note
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.errors import SettingsError
from bot.domain.policy.model import Policy
from bot.evidence.export import findings_only
from bot.evidence.folder import Folder
from bot.evidence.stored_log import verified_log
from bot.evidence.stored_policy import policy_check
from bot.ports.database import Location
from bot.reports.contents import Options
from bot.reports.monthly import newest_policy, require_known
from bot.reports.pack import write_pack
from bot.runtime.log_verification import TrustBase
from bot.runtime.open_log import cover, open_store
from bot.settings import Settings
from storage.log.check import check_database
from storage.log.evidence import Evidence, settled_evidence


@dataclass(frozen=True, slots=True)
class PackReport:
    """The result: `text` is for the person. With `findings` nothing else was written, unless the first page is stamped."""

    text: str
    findings: tuple[LogFinding, ...] = ()


async def packed(settings: Settings, options: Options, out: Path, *, with_findings: bool) -> PackReport:
    """Writes the pack into `out`, an empty folder or a new one. A second process verifies the log while the files are written.

    Raises SettingsError (`out` is not empty, an unknown provider or domain), KeyFileError, StorageError.
    """
    signed = await cover(settings)
    found = (signed,) if isinstance(signed, LogFinding) else ()
    return await asyncio.to_thread(_made, settings, options, out, found, with_findings)


@dataclass(frozen=True, slots=True)
class _Refused(Exception):
    """The log has findings, and nobody asked for a stamped pack."""

    findings: tuple[LogFinding, ...]


def verified(database: Location, state_dir: Path) -> tuple[LogFinding, ...]:
    """Everything that is wrong with the stored log. Raises StorageError, SchemaError."""
    checked, judged = verified_log(database, TrustBase(None, state_dir))
    return (*checked.findings, *judged.findings)


def verified_here(database: Location, state_dir: Path) -> tuple[LogFinding, ...]:
    """The same on a host that may hold a copy of the database alone: without the log's key nothing is known beside it. Raises
    StorageError, SchemaError."""
    if (state_dir / LOG_KEY).exists():
        return verified(database, state_dir)
    return (*check_database(database).findings, *policy_check(database).findings)


def stamped(findings: Sequence[LogFinding]) -> str:
    """What stands first on a paper that was made of a log with findings."""
    count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    return f"This log has {count}. What follows may be wrong: {findings[0].text}"


def _made(
    settings: Settings, options: Options, out: Path, found: tuple[LogFinding, ...], with_findings: bool
) -> PackReport:
    opening: Callable[[Location], AbstractContextManager[Evidence]] = settled_evidence
    with opening(settings.database) as log, ProcessPoolExecutor(1, get_context("spawn")) as beside:
        policy = newest_policy(log)
        require_known(policy, options.scope.provider, options.scope.domain)
        verdict = beside.submit(verified, settings.database, settings.state_dir)

        def stamp() -> str:
            findings = (*found, *verdict.result())
            if findings and not with_findings:
                raise _Refused(findings)
            return stamped(findings) if findings else ""

        try:
            population = _write(settings, options, log, out, policy, stamp)
        except Exception as error:
            findings = (*found, *verdict.result())
            if isinstance(error, SettingsError) or not findings or with_findings:
                raise
            with Folder(out) as folder:
                findings_only(findings, folder)
            return PackReport(f"The log has findings; only they were written, to {out / 'FINDINGS.txt'}.", findings)
        asyncio.run(_log_export(settings, log.size))
        text = f"Requests in {out}: {population}. Open its index.html. It holds personal data."
        return PackReport(text, (*found, *verdict.result()))


def _write(
    settings: Settings, options: Options, log: Evidence, out: Path, policy: Policy | None, stamp: Callable[[], str]
) -> int:
    """Writes the pack; returns the number of requests in it."""
    origin = read_checkpoint(read_note(log.note).text).origin
    key = read_key(settings.state_dir / LOG_KEY)
    with Folder(out) as folder:
        signer = (key.vkey(origin), key.sign)
        totals = write_pack(log, options, folder, signer, vkey_lines(settings.state_dir, origin), policy, stamp)
    return len(totals.lines)


async def _log_export(settings: Settings, size: int) -> None:
    store = await open_store(settings)
    try:
        await store.commit(Transition(None, None, (LogEvent("log.exported", OPERATOR, data={"size": size}),)))
    finally:
        await store.close()
