"""The command line. Exit codes: 0 yes, 1 no (a finding, a refusal), 2 wrong use. `--json` wherever one might pipe."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import print_policy
from bot.cli.drill import drill
from bot.cli.errors import misused
from bot.cli.exceptions import exceptions
from bot.cli.keys import app as keys_app
from bot.cli.log import app as log_app
from bot.cli.permit import app as permit_app
from bot.cli.reconcile import reconcile
from bot.cli.requests import app as requests_app
from bot.clock import SystemClock
from bot.domain.authority.person_lookup import named
from bot.domain.errors import CountersignError, PolicyError, SlackRefused, Stopped
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.workflow.timeline import explain as explained
from runbooks.parsing.addresses import is_file

app = typer.Typer(
    name="countersign", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="The provider asks. The owner signs.",
)  # fmt: skip
app.add_typer(requests_app, name="requests")
app.command()(drill)
app.command()(reconcile)
app.command()(exceptions)
app.add_typer(log_app, name="log")
app.add_typer(keys_app, name="keys")
app.add_typer(permit_app, name="permit")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Dir = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="The policy folder, as in `check`.")]
Folder = Annotated[Path | None, typer.Option("--runbooks", help="The policy folder (COUNTERSIGN_RUNBOOKS_DIR).")]


@app.command()
def check(directory: Annotated[Path | None, typer.Argument(metavar="[DIR]")] = None, as_json: Json = False) -> None:
    """Validate the policy files of DIR; print every finding."""
    from runbooks.calendars.ical import prepared
    from runbooks.calendars.on_call_coverage import coverage
    from runbooks.loader import load

    folder = _folder(directory)
    now = SystemClock().now()
    loaded = load(folder, environment=os.environ, today=now.date())
    ahead = list(coverage(prepared(loaded.policy, now), now)) if loaded.policy else []
    findings = (*loaded.findings, *ahead)
    if as_json:
        print(json.dumps([_finding(f) for f in findings], ensure_ascii=False))
    else:
        for finding in findings:
            print(finding)
        counts = f"{_count(len(loaded.errors), 'error')}, {_count(len(loaded.warnings) + len(ahead), 'warning')}"
        print(f"{folder}: {counts}" + (f"; policy {loaded.policy.digest[:12]}" if loaded.policy else "; refused"))
    raise typer.Exit(1 if loaded.policy is None else 0)


@app.command()
def schema(out: Annotated[Path | None, typer.Option(help="Write the two files into this folder.")] = None) -> None:
    """Print JSON Schemas of both policy formats, for editors."""
    from runbooks.parsing.json_schema import schemas

    found = schemas()
    if out is None:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, value in found.items():
        (out / f"{name}.schema.json").write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        print(out / f"{name}.schema.json")


@app.command()
def matrix(directory: Dir = None, runbooks: Folder = None, as_json: Json = False) -> None:
    """Print who answers for what."""
    now = SystemClock().now()
    policy = _policy(directory or runbooks, now)
    if as_json:
        print(json.dumps(print_policy.matrix(policy, now), ensure_ascii=False))
    else:
        print("\n".join(print_policy.matrix_lines(policy, now)))


@app.command()
def explain(
    runbook: str,
    directory: Dir = None,
    at: Annotated[
        str | None, typer.Option(help="File it at this time: 2026-12-01T03:00 (UTC unless it says otherwise).")
    ] = None,
    absent: Annotated[
        list[str] | None, typer.Option(metavar="PERSON", help="Said to be away; repeat it for several.")
    ] = None,
    asleep: Annotated[
        list[str] | None, typer.Option(metavar="PERSON", help="Has paused notifications; repeat it for several.")
    ] = None,
    runbooks: Folder = None,
    as_json: Json = False,
) -> None:
    """Print what the engine would do with a request under RUNBOOK that nobody answers.

    PERSON is a label of the responsibility matrix, an id, or TEAM/USER.
    """
    policy = _policy(directory or runbooks, _moment(at))
    found = policy.runbooks.get(runbook)
    if found is None:
        known = ", ".join(policy.runbooks)
        misused(f"There is no runbook {runbook!r}. There are: {known}.")
    away = Presence({_person(policy, text, "--absent"): "absent" for text in absent or []})
    sleepers = frozenset(_person(policy, text, "--asleep") for text in asleep or [])
    told = explained(policy, found, _moment(at), away, asleep=sleepers)
    if as_json:
        print(json.dumps(print_policy.timeline(policy, found, told), ensure_ascii=False))
    else:
        print("\n".join(print_policy.timeline_lines(policy, found, told)))


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    from bot.runtime.open_log import open_store

    async def work() -> None:
        store = await open_store(_settings())
        await store.close()
        print("The database is up to date.")

    _run(work)


@app.command()
def manifest(
    url: Annotated[str | None, typer.Option(help="Your public address, for signed HTTP instead of Socket Mode.")] = None,
) -> None:
    """Print the Slack app manifest, with exactly the scopes in use."""
    from handlers.web_api.manifest import manifest as made

    if url is not None and not (url.startswith("https://") and url.removeprefix("https://").strip("/")):
        misused(f"--url {url!r} is no public address; write https://countersign.example.org.")
    print(json.dumps(made(prefix=_settings().command_prefix, url=url), indent=2, ensure_ascii=False))


@app.command()
def init(directory: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path()) -> None:
    """Write a first .env, responsibility matrix and runbook into DIR; nothing is overwritten."""
    from bot.cli.init import begin

    begun = begin(directory)
    print("\n".join(begun.lines()))
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

        raise typer.Exit(asyncio.run(accept_clock(print)))
    from bot.cli.doctor import doctor as examined

    report = asyncio.run(examined(lambda text: print(text, file=sys.stderr), live=live, me=me))
    print(json.dumps(report.as_json(), ensure_ascii=False) if as_json else "\n".join(report.lines()))
    raise typer.Exit(report.exit_code)


@app.command()
def run() -> None:
    """Serve."""
    from bot.app import serve

    _run(lambda: serve(_settings()))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the sandbox's page on 127.0.0.1.")] = 8642,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Play all three people in a browser: the sandbox, the example organisation, no account, no network."""
    from bot.demo.run import play

    _run(lambda: play(port, browser=browser))


def main() -> None:
    """The console script."""
    try:
        app()
    except (PolicyError, SlackRefused, Stopped) as error:
        _stop(str(error), 1)
    except CountersignError as error:
        _stop(str(error), 2)


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def _stop(text: str, code: int) -> None:
    print(text, file=sys.stderr)
    sys.exit(code)


def _settings() -> Any:
    from bot.settings import load

    return load()


def _folder(directory: Path | None) -> Path:
    folder: Path = directory or _settings().runbooks_dir
    if not folder.is_dir():
        misused(f"There is no folder {folder}. Name the one that holds responsibility.yaml, or run `countersign init`.")
    return folder


def _policy(directory: Path | None, now: datetime) -> Policy:
    """The policy of a folder, its feeds read around `now`."""
    from runbooks.calendars.ical import prepared
    from runbooks.loader import load

    loaded = load(_folder(directory))
    if loaded.policy is None:
        raise PolicyError("\n".join([*(str(f) for f in loaded.errors), "The policy is refused; mend it and try again."]))
    return prepared(loaded.policy, now, _calendars(loaded.policy))


def _calendars(policy: Policy) -> dict[str, bytes]:
    """What the bot beside us kept of the addresses of rotas, and goes by today."""
    if all(rota.feed is None or is_file(rota) for rota in policy.rotas.values()):
        return {}
    from bot.cli.doctor_calendars import known

    return asyncio.run(known(_settings().sqlite_path, policy, os.environ, SystemClock().now()))


def _person(policy: Policy, text: str, option: str) -> Person:
    person = named(policy, text)
    if person is None:
        misused(f"{option}: the policy names nobody by {text!r}; `countersign matrix` shows whom.")
    return person


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _finding(finding: Any) -> dict[str, object]:
    return {"severity": finding.severity, "file": finding.file, "line": finding.line, "text": finding.text}


def _moment(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        misused(f"{text!r} is not a time; write 2026-12-01T03:00.")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
