"""The command line. Exit codes: 0 yes, 1 no (a finding, a refusal), 2 wrong use. `--json` wherever output may be piped."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot import __version__
from bot.cli.errors import misused
from bot.cli.lazy import EXAMPLES, LazyGroup, loading
from bot.domain.errors import CountersignError, PolicyError, SlackRefused, Stopped
from bot.terminal import say, say_json

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(
    cls=LazyGroup, name="countersign", no_args_is_help=True, pretty_exceptions_enable=False, epilog=EXAMPLES,
    help="The provider asks. The owner signs.",
)  # fmt: skip

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def _version(wanted: bool) -> None:
    if wanted:
        say(f"countersign {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options before a command."""


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    from bot.runtime.open_log import bring_up_to_date

    async def work() -> None:
        await bring_up_to_date(_settings())
        say("The database is up to date.")

    _run(work())


@app.command()
def manifest(
    url: Annotated[str | None, typer.Option(help="Your public address, for signed HTTP instead of Socket Mode.")] = None,
) -> None:
    """Print the Slack app manifest, with exactly the scopes in use."""
    from handlers.web_api.manifest import manifest as made

    if url is not None and not (url.startswith("https://") and url.removeprefix("https://").strip("/")):
        misused(f"--url {url!r} is no public address; write https://countersign.example.org.")
    say_json(made(prefix=_settings().command_prefix, url=url), indent=2)


@app.command()
def init(directory: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path()) -> None:
    """Write a first .env, responsibility matrix and runbook into DIR; nothing is overwritten."""
    from bot.cli.init import begin

    begun = begin(directory)
    say("\n".join(begun.lines()))
    raise typer.Exit(begun.exit_code)


@app.command()
def doctor(
    as_json: Json = False,
    accept: Annotated[
        bool, typer.Option("--accept-clock", help="The clock jumped, and this machine's time is right now: give again.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Also let Slack judge samples of forms and cards, and send you one message.")
    ] = False,
    me: Annotated[str, typer.Option(metavar="PERSON", help="Who you are, for --live (COUNTERSIGN_ME): label or id.")] = "",
) -> None:
    """Check settings, policy, database and Slack; print each finding with the next step."""
    if accept:
        from bot.cli.accept_clock import accept_clock

        raise typer.Exit(_run(accept_clock(say)))
    from bot.cli.doctor import doctor as examined

    report = _run(examined(lambda text: say(text, error=True), live=live, me=me))
    say_json(report.as_json()) if as_json else say("\n".join(report.lines()))
    raise typer.Exit(report.exit_code)


@app.command()
def run() -> None:
    """Serve."""
    with loading():
        from bot.app import serve

    _run(serve(_settings()))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the sandbox's page on 127.0.0.1.")] = 8642,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    reviews: Annotated[
        bool, typer.Option("--reviews", help="On a clock that shows a review of rights to its end: a day lasts 30 seconds.")
    ] = False,
    year: Annotated[bool, typer.Option("--year", help="Write a large organisation's year and every report on it.")] = False,
    requests: Annotated[int, typer.Option(min=1, help="With --year: how many requests it has.")] = 60_000,
) -> None:
    """Play all three people in a browser: the sandbox, the example organisation, no account, no network."""
    if year:
        from bot.demo.year.show import show_year

        _run(show_year(requests, browser=browser))
        return
    from bot.demo.run import play

    _run(play(port, browser=browser, reviews=reviews))


def main() -> None:
    """The console script. Whatever the umask, not everybody may change what a command makes."""
    os.umask(os.umask(0o077) | 0o002)
    try:
        app()
    except (PolicyError, SlackRefused, Stopped) as error:
        _stop(str(error), 1)
    except CountersignError as error:
        _stop(str(error), 2)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    return asyncio.run(work)


def _stop(text: str, code: int) -> None:
    say(text, error=True)
    sys.exit(code)


def _settings() -> Settings:
    from bot.settings import load

    return load()
