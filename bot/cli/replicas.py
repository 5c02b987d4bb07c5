"""`countersign replicas`: which processes serve this database, which of them leads, and going on without one that is lost.

Exit codes: 0 done, 1 refused, 2 wrong use.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli.errors import misused, refused
from bot.clock import SystemClock
from bot.ports.database import PostgresServer
from bot.ports.replication import ReplicaRow
from bot.settings import load
from bot.terminal import say, say_json, say_table

app = typer.Typer(
    invoke_without_command=True,
    help="Print the replicas: id, host, role, last beat, checkpoint, lines of the emergency file.",
)
_COLUMNS = ("Replica", "Role", "Host", "Last beat", "Checkpoint", "Emergency file")
_COLOURS = {"leader": "green", "gone": "red", "excused": "yellow"}
Reason = Annotated[str, typer.Option("--reason", help="Why it will not come back.", show_default=False)]


@app.callback()
def replicas(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False
) -> None:
    """Print the replicas: id, host, role, last beat, checkpoint, lines of the emergency file."""
    if context.invoked_subcommand is not None:
        return
    rows = asyncio.run(found(_server()))
    if as_json:
        say_json([_told(one) for one in rows])
    else:
        plain = "\n".join("  ".join(_cells(one)) for one in rows)
        say_table(_COLUMNS, [_cells(one) for one in rows], plain or "No replica has served yet.", _COLOURS)


@app.command()
def excuse(
    replica: Annotated[str, typer.Argument(metavar="ID", help="The replica's id, as `countersign replicas` prints it.")],
    reason: Reason,
) -> None:
    """Let the leader give again without a replica that will not come back; what its emergency file holds is not known then."""
    server, why = _server(), reason.strip()
    if not why:
        misused("Give a reason: why it will not come back.")
    one = next((row for row in asyncio.run(found(server)) if row.id == replica.strip()), None)
    if one is None:
        refused(f"There is no replica {replica}. See: countersign replicas")
    if one.alive:
        refused(f"{one.id} on {one.host} is running and reports by itself: nothing is to be excused.")
    asyncio.run(_excused(server, one.id, why))
    say(f"{one.id} on {one.host} is excused. If it comes back, it hands in its emergency file before it is ready.")


def _server() -> PostgresServer:
    place = load().database
    if not isinstance(place, PostgresServer):
        misused("With SQLite one process serves; replicas need PostgreSQL.")
    return place


async def _excused(place: PostgresServer, replica: str, why: str) -> None:
    from storage.opening import open_database
    from storage.postgres.replicas import excuse as excuse_in

    store = await open_database(place, SystemClock())
    try:
        await store.intake.write(lambda tx: excuse_in(tx.session, replica, why))
    finally:
        await store.close()


async def found(place: PostgresServer) -> list[ReplicaRow]:
    """Every replica that ever served, the oldest first. Raises StorageError, SchemaError, SettingsError."""
    from storage.opening import open_database
    from storage.postgres.replicas import listed

    store = await open_database(place, SystemClock(), read_only=True)
    try:
        return await store.transactions.read(listed)
    finally:
        await store.close()


def role(one: ReplicaRow) -> str:
    """`leader` or `standby`; `excused` or `gone` where it does not live."""
    return "leader" if one.leads else "standby" if one.alive else "excused" if one.excused else "gone"


def _told(one: ReplicaRow) -> dict[str, object]:
    return {
        "id": one.id, "host": one.host, "role": role(one), "last_beat": one.beat_at.isoformat(timespec="milliseconds"),
        "checkpoint": one.size, "emergency_lines": one.emergency,
    }  # fmt: skip


def _cells(one: ReplicaRow) -> tuple[str, ...]:
    size = "no checkpoint" if one.size is None else f"checkpoint {one.size}"
    at = f"{one.beat_at:%Y-%m-%d %H:%M:%S} UTC"
    return one.id, role(one), one.host, at, size, f"{one.emergency} emergency lines"
