"""Where the database is: a SQLite file, or a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database on a PostgreSQL server, by its address `postgresql://…`; as text it shows no password."""

    url: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2] or "the local socket"
        return f"{parts.path.lstrip('/') or 'the default database'} on {host}"

    def __repr__(self) -> str:
        return f"PostgresServer({self})"


Location: TypeAlias = Path | PostgresServer


def may_exist(place: Location) -> bool:
    """False where there is certainly no database: no file. A server is asked when it is opened."""
    return not isinstance(place, Path) or place.is_file()
