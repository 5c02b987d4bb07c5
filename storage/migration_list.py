"""The migrations, one list for every database: numbered files, each applied whole, noted in `schema_version`.

They are written for SQLite. What differs for another database is in its own folder: `storage/postgres/schema.py`
translates the types and takes triggers from `storage/postgres/migrations/`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import SchemaError

FOLDER = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str


def migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The files `NNNN_name.sql` in order; raises SchemaError for a gap or a double number."""
    found = [Migration(int(f.stem[:4]), f.stem[5:], f.read_text("utf-8")) for f in sorted(folder.glob("*.sql"))]
    if [m.version for m in found] != list(range(1, len(found) + 1)):
        raise SchemaError(f"The migrations in {folder.name} are not numbered 1, 2, 3 …; this installation is damaged.")
    return tuple(found)


def statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's inner semicolons end none."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def compare(version: int, known: int) -> None:
    """Raises SchemaError, with both versions, unless the database is of exactly this program's version."""
    if version > known:
        raise SchemaError(
            f"The database is of version {version}, this program knows {known}: run the newer program that made it."
        )
    if version < known:
        raise SchemaError(f"The database is of version {version}, this program needs {known}: run `countersign migrate`.")
