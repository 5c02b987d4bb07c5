"""`countersign log export`: all of the log, one case, or what began between two days, of one provider or in one domain."""

from __future__ import annotations

import asyncio
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.dates import day
from bot.cli.log_export.database import existing
from bot.clock import read_request_id
from bot.settings import load
from bot.terminal import say, working

if TYPE_CHECKING:
    from bot.reports.reading import Scope


class ExportFormat(StrEnum):
    """What an export looks like."""

    TILES = "tiles"
    OCSF = "ocsf"
    CSV = "csv"


def export(
    out: Annotated[Path, typer.Option(help="An empty folder, or the name of a new one.", show_default=False)],
    case: Annotated[str | None, typer.Option(help="Only this request, R-…, with a proof of each of its entries.")] = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="Everything, or one file for monitoring or a spreadsheet.")
    ] = ExportFormat.TILES,
    first: Annotated[
        str | None, typer.Option("--from", help="Only requests filed on or after this day, YYYY-MM-DD (UTC).")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Only requests filed on or before this day, YYYY-MM-DD (UTC).")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only requests of this provider, by its id.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only requests in this domain, by its id.")] = None,
) -> None:
    """Write the evidence for an outsider into a folder, after every byte was checked again."""
    from bot.evidence.prepare import exported
    from bot.reports.selection import exported_selection
    from bot.runtime.log_verification import entries_of

    case_id, scope = _one_case(case, form), _scope(first, last, provider, domain)
    if scope is not None and case_id is not None:
        said = "One request is exported whole: leave --from, --to, --provider and --domain out."
        raise typer.BadParameter(said, param_hint="--case")
    settings = load()
    existing(settings.database)
    with working("Checking the log, then writing the export", entries_of(settings.database)) as step:
        if scope is None:
            report = asyncio.run(exported(settings, out, case_id, form.value, step))
        else:
            report = asyncio.run(exported_selection(settings, out, scope, form.value, step))
    say(report.text)
    raise typer.Exit(1 if report.findings else 0)


def _one_case(case: str | None, form: ExportFormat) -> str | None:
    case_id = None if case is None else read_request_id(case)
    if case is not None and case_id is None:
        raise typer.BadParameter(f"{case!r} is no id; it is R- and eight characters.", param_hint="--case")
    if case is not None and form is not ExportFormat.TILES:
        raise typer.BadParameter("One case has one form; leave --format out.", param_hint="--format")
    return case_id


def _scope(first: str | None, last: str | None, provider: str | None, domain: str | None) -> Scope | None:
    from bot.reports.reading import scope_of

    scope = scope_of(_day(first, "--from"), _day(last, "--to"), provider, domain)
    if scope is not None and scope.last < scope.first:
        raise typer.BadParameter(f"{last} is before --from {first}: correct one of the two.", param_hint="--to")
    return scope


def _day(text: str | None, option: str) -> date | None:
    return None if text is None else day(text, option)
