"""`countersign backup verify BACKUP`: is a copy of the database whole, and is its log a beginning of the one that runs?

A file is read where it is; a dump of PostgreSQL is restored into a database of its own first. Nothing is changed. Exit codes: 0 it
can be restored, 1 it has findings, 2 wrong use.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.errors import misused
from bot.ports.database import Location, PostgresServer
from bot.settings import Settings, load
from bot.terminal import say, say_json, working

if TYPE_CHECKING:
    from storage.log.check import LogCheck

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@dataclass(frozen=True, slots=True)
class Judged:
    """`behind`: how many entries were signed that the backup lacks; None where this host has no memory of the log."""

    findings: tuple[str, ...]
    behind: int | None


def verify(
    backup: Annotated[str, typer.Argument(metavar="BACKUP", help="A database file, or postgresql://… of a restored dump.")],
    as_json: Json = False,
) -> None:
    """Check a backup entry by entry, and that its log is a beginning of the one that was signed."""
    from bot.runtime.backups import checked_file
    from bot.runtime.log_verification import TrustBase
    from bot.runtime.log_verification import verify as checked

    settings, place = load(), _place(backup)
    with working("Checking every entry of the backup"):
        trust = TrustBase(None, settings.state_dir, remembers=False)
        report = checked_file(place, lambda p: checked(p, trust)) if isinstance(place, Path) else checked(place, trust)
        judged = _judged(settings, report)
    if as_json:
        say_json({
            "origin": report.origin, "entries": report.size, "root": report.root.hex(), "behind": judged.behind,
            "findings": list(judged.findings),
        })  # fmt: skip
    else:
        say("\n".join(_lines(report, judged)))
    raise typer.Exit(1 if judged.findings else 0)


def _place(text: str) -> Location:
    if text.startswith("postgresql://"):
        return PostgresServer(text)
    file = Path(text.removeprefix("sqlite:///"))
    if not file.is_file():
        misused(f"There is no file {file}. Write a database file, or postgresql://… of a restored dump.")
    return file


def _judged(settings: Settings, report: LogCheck) -> Judged:
    from bot.decision_log.signer_memory import recall
    from bot.domain.errors import NoteError

    findings = [str(finding) for finding in report.findings]
    try:
        memory = recall(settings.state_dir)
    except NoteError as error:
        return Judged((*findings, f"The signer's memory in {settings.state_dir} is damaged: {error}"), None)
    if memory is None:
        return Judged(tuple(findings), None)
    if memory.origin != report.origin:
        findings.append(f"The backup is of the log {report.origin}; this host signs {memory.origin}.")
    elif memory.size == report.size and memory.root != report.root:
        findings.append(f"The {report.size} entries of the backup are not those that were signed.")
    elif memory.size > report.size and not _begins(settings.database, report):
        findings.append("The log that runs does not begin with the entries of the backup: one of them was rewritten.")
    return Judged(tuple(findings), max(memory.size - report.size, 0))


def _begins(live: Location, report: LogCheck) -> bool:
    """Whether the log that runs begins with the backup's entries; True where it cannot be read: then nobody can say."""
    from bot.domain.decision_log.inclusion_proof import consistency, extends
    from bot.domain.decision_log.merkle_tree import root
    from bot.domain.errors import SchemaError, StorageError
    from storage.log.append import read_head
    from storage.log.tree_rows import Tree
    from storage.snapshot import snapshot

    try:
        with snapshot(live) as session:
            head = read_head(session)
            if head.origin != report.origin or not 0 < report.size <= head.size:
                return report.size == 0
            path = consistency(report.size, head.size, Tree(session).whole)
    except (StorageError, SchemaError):
        return True
    return extends(report.size, head.size, report.root, root(head.edge), path)


def _lines(report: LogCheck, judged: Judged) -> list[str]:
    if judged.findings:
        return [*judged.findings, f"{report.size} entries, {len(judged.findings)} problems: do not restore this backup."]
    lines = [f"{report.size} entries of {report.origin}, no problems found."]
    if judged.behind is None:
        lines.append("This host has no memory of what was signed, so nobody can say here how much is missing.")
    elif judged.behind:
        lines.append(
            f"{judged.behind} entries were signed after it. Restored, the log is stopped until two people confirm a new epoch."
        )
    return lines
