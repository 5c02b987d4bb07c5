"""Policy files into a policy, or into everything that is wrong with them.

One error refuses the whole set. No content of a file makes the loader raise. The same bytes give the same
policy whether they come from a folder or from the store, and the policy carries the exact bytes of every file it was
made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from bot.domain.policy.model import Policy, PolicyFile, Runbook
from runbooks.calendars.ical import feed_findings
from runbooks.parsing.file_references import named_files
from runbooks.parsing.findings import PolicyFinding, PolicyReport
from runbooks.parsing.folder import MATRIX, digest, is_runbook, problems_of, read_folder
from runbooks.parsing.frontmatter import RunbookParts, split
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.runbook_schema import RunbookShape
from runbooks.parsing.schema_messages import validated
from runbooks.parsing.units import seconds
from runbooks.parsing.yaml_positions import parse
from runbooks.rules.cross_checks import Circumstances, RunbookFile, read_books, read_ground
from runbooks.rules.environment import placeholders
from runbooks.rules.governance import read_agreement, read_review
from runbooks.rules.matrix_salvage import Matrix, read_matrix
from runbooks.rules.runbook import RunbookContext


@dataclass(frozen=True, slots=True)
class Loaded:
    """`policy` is None when any finding is an error. `findings` are sorted by file and line."""

    policy: Policy | None
    findings: tuple[PolicyFinding, ...]

    @property
    def errors(self) -> tuple[PolicyFinding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[PolicyFinding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")


def load(
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    require_env: bool = False,
    today: date | None = None,
) -> Loaded:
    """Reads and judges a folder.

    With `environment`, `env:NAME` references that it does not hold are warnings, or errors with `require_env`. With
    `today`, contracts that have ended are warnings.
    """
    return load_files(read_folder(folder), environment=environment, require_env=require_env, today=today)


def load_files(
    files: Mapping[str, bytes],
    *,
    environment: Mapping[str, str] | None = None,
    require_env: bool = False,
    today: date | None = None,
) -> Loaded:
    """The same from bytes by relative path, such as a stored set. Pure."""
    around = Circumstances(environment, require_env, today)
    report = PolicyReport()
    report.add(problems_of(files))
    placeholders(files, report)
    matrix = _matrix(files, report)
    books = [book for path in sorted(files) if is_runbook(path) and (book := _book(path, files[path], report))]
    if not any(is_runbook(path) for path in files):
        report.warning(".", 1, "There is no runbook, nothing can be asked for: add one Markdown file per runbook.")
    policy = None
    if matrix is not None:
        ground = read_ground(matrix, files, around)
        runbooks = read_books(books, ground, around)
        policy = None if report.refused else _policy(ground, runbooks)
        report.add(feed_findings(policy, today) if policy else ())
    return Loaded(None if report.refused else policy, report.sorted())


def _matrix(files: Mapping[str, bytes], report: PolicyReport) -> Matrix | None:
    if MATRIX not in files:
        if not report.names(MATRIX) and not report.names("."):
            report.error(MATRIX, 1, f"The responsibility matrix is missing: add {MATRIX} to the folder.")
        return None
    sheet, _ = _sheet(MATRIX, files[MATRIX], report)
    return read_matrix(sheet) if sheet is not None else None


def _book(path: str, content: bytes, report: PolicyReport) -> RunbookFile | None:
    sheet, parts = _sheet(path, content, report)
    if sheet is None:
        return None
    shape, _ = validated(RunbookShape, sheet)
    return RunbookFile(sheet, shape, parts) if shape is not None else None


def _sheet(path: str, content: bytes, report: PolicyReport) -> tuple[ParsedFile | None, RunbookParts]:
    parts = split(path, content)
    if parts.head is None:
        report.add([parts.finding] if parts.finding else [])
        return None, parts
    document = parse(path, parts.head, parts.first_line)
    report.add(document.findings)
    broken = document.value is None and document.findings
    return (None if broken else ParsedFile(document, report)), parts


def _policy(ground: RunbookContext, runbooks: Mapping[str, Runbook]) -> Policy:
    shape, parties = ground.parties.matrix.shape, ground.parties
    files = _used(ground.files)
    return Policy(
        organisation=shape.organisation,
        contact=shape.contact,
        workspaces=tuple(shape.workspaces),
        people=ground.people,
        providers=parties.providers,
        auditors=ground.auditors,
        domains=ground.domains,
        rotas=ground.rotas,
        escalation_policies=ground.ladders,
        runbooks=runbooks,
        humans=parties.humans,
        files=files,
        digest=digest({file.path: file.content for file in files}),
        policy_delay=seconds(shape.policy_delay),
        hold=seconds(shape.hold),
        retention=seconds(shape.retention),
        agreement=read_agreement(shape.agreement),
        review=read_review(shape.review),
        default_escalation=shape.default_escalation,
        reports=shape.reports,
        report_thresholds=tuple(shape.report_thresholds.model_dump(exclude_none=True).items())
        if shape.report_thresholds
        else (),
        signing=ground.signing,
    )


def _used(files: Mapping[str, bytes]) -> tuple[PolicyFile, ...]:
    """The matrix, the runbooks and every file they name, by the bytes of their paths."""
    used = {path for path in files if path == MATRIX or is_runbook(path)} | (named_files(files) & files.keys())
    ordered = sorted(used, key=lambda path: path.encode())
    return tuple(PolicyFile(path, sha256(files[path]).hexdigest(), files[path]) for path in ordered)
