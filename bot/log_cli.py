"""`countersign log …`: the decision log as somebody on the host reads and checks it. Source: decision-log.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.clock import SystemClock
from bot.exits import misused
from bot.keys import vkeys
from bot.settings import Settings, load

if TYPE_CHECKING:
    from storage.store import SqliteStore

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="The decision log.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command("verify")
def verify(
    database: Annotated[Path | None, typer.Option(help="Another database file than the configured one.")] = None,
    as_json: Json = False,
) -> None:
    """Check every entry of the stored log; exit 1 names each finding."""
    from storage.log_check import check_database

    report = check_database(_database(database or load().sqlite_path))
    for finding in report.findings:
        print(json.dumps({"code": finding.code, "idx": finding.idx, "text": finding.text}) if as_json else finding)
    if not as_json:
        count = len(report.findings)
        print(f"{report.size} entries, {count} finding{'' if count == 1 else 's'}")
    raise typer.Exit(1 if report.findings else 0)


@app.command("checkpoint")
def checkpoint() -> None:
    """Print the newest signed note."""
    note = _reading(lambda store: store.last_checkpoint())
    if note is None:
        typer.echo("Nothing is signed yet: the bot signs when it runs (`countersign run`).", err=True)
        raise typer.Exit(1)
    typer.echo(note, nl=False)


@app.command("vkey")
def vkey() -> None:
    """Print the log's verifier keys, one a line, the one that signs now first."""
    settings = load()
    head = _reading(lambda store: store.log_head(), settings)
    print("\n".join(str(key) for key in vkeys(settings.state_dir, head.origin)))


def _reading(ask: Callable[[SqliteStore], Awaitable[T]], settings: Settings | None = None) -> T:
    """What the configured database answers, read beside a running bot."""
    from storage.store import SqliteStore

    path = _database((settings or load()).sqlite_path)

    async def work() -> T:
        store = await SqliteStore.open(path, SystemClock(), read_only=True)
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(work())


def _database(path: Path) -> Path:
    if not path.is_file():
        misused(
            f"There is no database at {path}. Set COUNTERSIGN_DATABASE_URL or give --database; `countersign migrate` makes one."
        )
    return path
