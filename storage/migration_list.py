"""The migrations, one list for every database: numbered files, each applied whole, noted in `schema_version`.

They are written for SQLite. What differs for another database is in its own folder: `storage/postgres/schema.py`
translates the types and takes triggers from `storage/postgres/migrations/`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import SchemaError
from storage.session import Session

_COMPATIBLE = re.compile(r"^-- compatible_from: (\d+)$", re.MULTILINE)
FOLDER = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def compatible_from(self) -> int | None:
        """The oldest version of a program that may run with it; None: only one that knows it."""
        found = _COMPATIBLE.search(self.sql)
        return int(found[1]) if found else None


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


def compare(version: int, known: int, compatible_from: int | None = None) -> None:
    """Raises SchemaError, with both versions, unless a program that knows `known` may run with a schema of `version`.

    `compatible_from`: what the schema says of older programs (`Migration.compatible_from`)."""
    if version > known and (compatible_from is None or compatible_from > known):
        raise SchemaError(
            f"The database is of version {version}, this program knows {known}: run the newer program that made it."
        )
    if version < known:
        raise SchemaError(
            f"The database is of version {version}, this program needs {known}: back it up, then run `countersign migrate`."
        )


def check(session: Session, version: int, known: int) -> None:
    """As `compare`, with what the schema itself says of older programs."""
    row = session.row("schema_compatible", version=version) if version > known else None
    compare(version, known, None if row is None else row["compatible_from"])


def note(session: Session, migration: Migration, now_ms: int) -> None:
    """A migration is applied."""
    session.run("insert_schema_version", version=migration.version, name=migration.name, applied_ms=now_ms)
    if migration.compatible_from is not None:
        session.run("insert_schema_compatible", version=migration.version, compatible_from=migration.compatible_from)
