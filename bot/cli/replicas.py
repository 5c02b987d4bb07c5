"""`countersign replicas`: which processes serve this database, and which of them leads."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli.errors import misused
from bot.clock import SystemClock
from bot.ports.database import PostgresServer
from bot.ports.replication import ReplicaRow
from bot.settings import load
from bot.terminal import say, say_json


def replicas(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Print the replicas: id, host, role, last beat, checkpoint, lines of the emergency file."""
    place = load().database
    if not isinstance(place, PostgresServer):
        misused("With SQLite one process serves; replicas need PostgreSQL.")
    found = asyncio.run(_found(place))
    if as_json:
        say_json([_told(one) for one in found])
    else:
        say("\n".join(_line(one) for one in found) or "No replica has served yet.")


async def _found(place: PostgresServer) -> list[ReplicaRow]:
    from storage.opening import open_database
    from storage.postgres.replicas import listed

    store = await open_database(place, SystemClock(), read_only=True)
    try:
        return await store.transactions.read(listed)
    finally:
        await store.close()


def _role(one: ReplicaRow) -> str:
    return "leader" if one.leads else "standby" if one.alive else "gone"


def _told(one: ReplicaRow) -> dict[str, object]:
    return {
        "id": one.id, "host": one.host, "role": _role(one), "last_beat": one.beat_at.isoformat(timespec="milliseconds"),
        "checkpoint": one.size, "emergency_lines": one.emergency,
    }  # fmt: skip


def _line(one: ReplicaRow) -> str:
    size = "no checkpoint" if one.size is None else f"checkpoint {one.size}"
    return (
        f"{one.id}  {_role(one)}  {one.host}  {one.beat_at:%Y-%m-%d %H:%M:%S} UTC  {size}  {one.emergency} emergency lines"
    )
