"""`countersign report …`: papers made from the log alone. Exit codes: 0 yes, 1 a finding, 2 wrong use."""

from __future__ import annotations

import asyncio
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.errors import misused
from bot.settings import load
from bot.terminal import say

app = typer.Typer(no_args_is_help=True, help="Reports, made from the log alone.")


class FrameworkName(StrEnum):
    """Whose controls are listed."""

    CSF = "csf"
    ISO27001 = "iso27001"
    SOC2 = "soc2"
    PCI = "pci"
    NHI = "nhi"
    MAESTRO = "maestro"


@app.callback()
def options() -> None:
    """Reports, made from the log alone."""


@app.command()
def evidence(
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD (UTC).", show_default=False)],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD (UTC).", show_default=False)],
    out: Annotated[Path, typer.Option(help="An empty folder, or the name of a new one.", show_default=False)],
    provider: Annotated[str | None, typer.Option(help="Only requests of this provider.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only requests in this domain.")] = None,
    framework: Annotated[FrameworkName | None, typer.Option(help="Only controls of this framework.")] = None,
    sample: Annotated[int, typer.Option(min=0, max=10_000, help="How many requests are drawn for proofs.")] = 25,
    seed: Annotated[str, typer.Option(help="Another seed than the checkpoint's root; it is marked as chosen.")] = "",
    with_findings: Annotated[bool, typer.Option("--with-findings", help="Write it although the log has findings.")] = False,
) -> None:
    """Write the evidence pack: files by kind, controls, a sample with proofs, and a page to begin from."""
    from bot.domain.errors import CountersignError, SettingsError
    from bot.reports.contents import Options
    from bot.reports.prepare import packed
    from bot.reports.reading import Scope

    scope = Scope(_day(first, "--from"), _day(last, "--to"), provider, domain)
    if scope.last < scope.first:
        misused(f"--to {last} is before --from {first}: correct one of the two.")
    settings = load()
    if not settings.sqlite_path.is_file():
        misused(f"There is no database at {settings.sqlite_path}. Set COUNTERSIGN_DATABASE_URL.")
    wanted = Options(scope, framework.value if framework else None, sample, seed)
    try:
        report = asyncio.run(packed(settings, wanted, out, with_findings=with_findings))
    except SettingsError as error:
        misused(str(error))
    except CountersignError as error:
        say(str(error), error=True)
        raise typer.Exit(1) from None
    say(report.text)
    raise typer.Exit(1 if report.findings else 0)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it like 2026-12-31.", param_hint=option) from None
