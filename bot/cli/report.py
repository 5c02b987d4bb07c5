"""`countersign report …`: papers made from the log alone. Exit codes: 0 yes, 1 a finding, 2 wrong use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from bot.cli.dates import day
from bot.cli.errors import misused, refused
from bot.ports.database import Location, may_exist
from bot.settings import load
from bot.terminal import say, say_json

if TYPE_CHECKING:
    from bot.reports.paper import Paper

T = TypeVar("T")
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

    scope = Scope(day(first, "--from"), day(last, "--to"), provider, domain)
    if scope.last < scope.first:
        misused(f"--to {last} is before --from {first}: correct one of the two.")
    settings = load()
    if not may_exist(settings.database):
        misused(f"There is no database at {settings.database}. Set COUNTERSIGN_DATABASE_URL.")
    wanted = Options(scope, framework.value if framework else None, sample, seed)
    try:
        report = asyncio.run(packed(settings, wanted, out, with_findings=with_findings))
    except SettingsError as error:
        misused(str(error))
    except CountersignError as error:
        refused(str(error))
    say(report.text)
    raise typer.Exit(1 if report.findings else 0)


Month = Annotated[str, typer.Option(help="The month, like 2026-11.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Html = Annotated[Path | None, typer.Option(help="Write one page that prints into this file instead.")]


@app.command()
def provider(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The provider's id in the matrix.")],
    month: Month,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """Print a provider's month: what was asked, how it was answered, what is owed."""
    _monthly("provider", name, month, as_json, html)


@app.command()
def owner(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Label, id or TEAM/USER of an owner.")],
    month: Month,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """Print an owner's month: the requests in their domains, and how they were answered."""
    _monthly("owner", person, month, as_json, html)


@app.command("exit")
def leaving(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The provider's id or name in the matrix.")],
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """Print what was open when a provider ended and how it ended, people, rights, what is owed; before, what would end."""
    from bot.cli.host_store import opened_store
    from bot.cli.provider import policy_of, provider_of
    from bot.clock import SystemClock
    from bot.reports.provider_exit import ExitRecord, exit_record, lines, page

    async def work() -> ExitRecord:
        async with opened_store(read_only=True) as store:
            policy = await policy_of(store)
            return await exit_record(store, policy, provider_of(policy, name), SystemClock().now())

    record = asyncio.run(work())
    if html is not None:
        _written(html, page(record))
    elif as_json:
        say_json(record.as_json())
    else:
        say("\n".join(lines(record)))


OfProvider = Annotated[str | None, typer.Option("--provider", help="Only what is of this provider.")]
OfDomain = Annotated[str | None, typer.Option("--domain", help="Only what is of this domain.")]


@app.command()
def reviews(of_provider: OfProvider = None, of_domain: OfDomain = None, as_json: AsJson = False, html: Html = None) -> None:
    """Print the reviews: those after use, and those of what providers may do without asking."""
    from bot.reports.registers import reviews_paper

    _paper(reviews_paper, of_provider, of_domain, as_json, html)


@app.command()
def exceptions(
    of_provider: OfProvider = None, of_domain: OfDomain = None, as_json: AsJson = False, html: Html = None
) -> None:
    """Print the policy exceptions: those that are live, and those that ended."""
    from bot.reports.registers import exceptions_paper

    _paper(exceptions_paper, of_provider, of_domain, as_json, html)


@app.command()
def matrix(as_json: AsJson = False, html: Html = None) -> None:
    """Print who answers for what, as `countersign matrix` does, of the policy that the log named last."""
    from bot.cli.matrix.command import reported_matrix

    form = "html" if html is not None else "json" if as_json else "text"
    text = _made(lambda _: reported_matrix(form), anywhere=True)
    if html is None:
        say(text, end="")
    else:
        _written(html, text)


def _paper(
    made: Callable[[Location, str | None, str | None], Paper], provider: str | None, domain: str | None, as_json: bool,
    html: Path | None,
) -> None:  # fmt: skip
    from bot.reports.paper import lines, page

    paper = _made(lambda place: made(place, provider, domain))
    stamp = _stamp()
    paper = replace(paper, flags=(*stamp, *paper.flags))
    if html is not None:
        _written(html, page(paper))
    elif as_json:
        say_json(paper.as_json())
    else:
        say("\n".join(lines(paper)))
    raise typer.Exit(1 if stamp else 0)


def _stamp() -> tuple[str, ...]:
    """The flag of a report over a log that contradicts itself; none where it does not."""
    from bot.reports.prepare import stamped, verified_here

    settings = load()
    findings = _made(lambda place: verified_here(place, settings.state_dir))
    return (stamped(findings),) if findings else ()


def _made(make: Callable[[Location], T], *, anywhere: bool = False) -> T:
    """Makes a report from the database; exits with 2 for an unknown name, with 1 for a log that cannot be read. `anywhere`: also
    where there is no database."""
    from bot.domain.errors import CountersignError, SettingsError

    settings = load()
    if not anywhere and not may_exist(settings.database):
        misused(f"There is no database at {settings.database}. Set COUNTERSIGN_DATABASE_URL.")
    try:
        return make(settings.database)
    except SettingsError as error:
        misused(str(error))
    except CountersignError as error:
        refused(str(error))


def _written(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        misused(f"{file} cannot be written ({error.strerror}). Name another file with --html.")
    say(f"Written to {file}.")


def _monthly(whose: Literal["provider", "owner"], name: str, month: str, as_json: bool, html: Path | None) -> None:
    from bot.reports.monthly import lines, monthly_report, page

    report = _made(lambda place: monthly_report(place, whose, name, month))
    stamp = _stamp()
    report = replace(report, flags=(*stamp, *report.flags))
    if html is not None:
        _written(html, page(report))
    elif as_json:
        say_json(report.as_json())
    else:
        say("\n".join(lines(report)))
    raise typer.Exit(1 if stamp else 0)
