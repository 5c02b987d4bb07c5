"""The list of targets that a form offers, a CSV file of this folder with the columns `target,domain`.

A file may serve several runbooks: each is offered the targets of its own domain. Slack shows at most 100 of them, of
at most 75 characters each.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text
from bot.domain.policy.same_text import confusing, folded
from runbooks.parsing.findings import PolicyReport, did_you_mean
from runbooks.parsing.folder import problems_of
from runbooks.parsing.parsed_file import ParsedFile
from runbooks.parsing.scalars import LINE

MAX_TARGETS = 100
MAX_LENGTH = 75
HEADER = ["target", "domain"]


def read_targets(
    sheet: ParsedFile, name: str, domain: str, known: Collection[str], files: Mapping[str, bytes]
) -> tuple[str, ...]:
    """The targets of `domain` in the file `name`, in its order."""
    if name not in files:
        if name not in {problem.file for problem in problems_of(files)}:
            sheet.error(("targets",), f"The file {name} is not in this folder: add it, or correct `targets`.")
        return ()
    rows = _rows(name, files[name], known, sheet.report)
    found = tuple(target for target, of in rows if of == domain)
    if not found and not sheet.report.names(name):
        sheet.error(("targets",), f"{name} has no target of domain `{domain}`: add one, or remove `targets`.")
    if len(found) > MAX_TARGETS:
        sheet.error(
            ("targets",),
            f"{name} has {len(found)} targets of domain `{domain}` and a form shows {MAX_TARGETS}: split the runbook.",
        )
    return found


def _rows(name: str, content: bytes, known: Collection[str], report: PolicyReport) -> list[tuple[str, str]]:
    try:
        text = file_text(content)
    except TextFileError as error:
        report.error(name, error.line, str(error))
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: dict[tuple[str, str], int] = {}
    looks: dict[tuple[str, str], tuple[str, int]] = {}
    try:
        if next(reader, None) != HEADER:
            report.error(name, 1, "The first line must be `target,domain`: write it.")
            return []
        for row in reader:
            if row and (wrong := _row_fault(row, known, found)):
                report.error(name, reader.line_num, wrong)
            elif row:
                _look(name, reader.line_num, row, looks, report)
                found[row[0], row[1]] = reader.line_num
    except csv.Error as error:
        report.error(name, max(reader.line_num, 1), f"This line is no CSV ({error}): fix its quotes.")
    return list(found)


def _look(
    name: str, line: int, row: list[str], looks: dict[tuple[str, str], tuple[str, int]], report: PolicyReport
) -> None:
    """Warns of a target that looks like an earlier one, or that mixes scripts whose letters look alike."""
    target, domain = row
    other, at = looks.setdefault((folded(target), domain), (target, line))
    if other != target:
        text = f"{target} looks like {other} of line {at} and counts as the same target: rename one of them."
        report.warning(name, line, text)
    if doubt := confusing(target):
        report.warning(name, line, f"{doubt}: write it with letters of one script.")


def _row_fault(row: list[str], known: Collection[str], found: Mapping[tuple[str, str], int]) -> str | None:
    if len(row) != len(HEADER):
        return f"This line has {len(row)} columns: write a target, a comma and its domain."
    target, domain = row
    if not re.fullmatch(LINE, target) or len(target) > MAX_LENGTH:
        return f"A target is one line of 1 to {MAX_LENGTH} characters without spaces at its ends: correct it."
    if domain not in known:
        return f"The domain {domain!r} is unknown: write one of the matrix.{did_you_mean(domain, known)}"
    if (target, domain) in found:
        return f"{target} stands in line {found[target, domain]} already: remove one of them."
    return None
