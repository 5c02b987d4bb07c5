"""Loads the named SQL: `*.sql` in this folder, one file a subject, and a backend's `dialect.sql`.

Every statement has `-- name: …`, a comment that says what it does, and named parameters (`:name`) only; values are never
written into the text. Times are integer milliseconds since 1970 UTC. The files of this folder are meant for SQLite and
PostgreSQL; a statement that the two write differently is in the dialect file of each, under the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


def load(dialect: Path, folder: Path = FOLDER) -> Mapping[str, str]:
    """Statements by name: those of `folder` and those of the file `dialect`. Raises ValueError, see `parse`."""
    return parse_all((file.name, file.read_text(encoding="utf-8")) for file in (*sorted(folder.glob("*.sql")), dialect))


def parse_all(files: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The statements of several files (name, text). Raises ValueError for a name that is used twice."""
    found: dict[str, str] = {}
    for file, text in files:
        for name, statement in parse(text, file).items():
            if name in found:
                raise ValueError(f"{file}: there are two statements named {name}")
            found[name] = statement
    return found


def parse(text: str, file: str = "queries") -> Mapping[str, str]:
    """The statements of one file. Raises ValueError for a name that is used twice or a statement without a comment."""
    parts = _NAME.split(text)[1:]
    found: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = body.strip("\n").splitlines()
        if name in found:
            raise ValueError(f"{file}: there are two statements named {name}")
        if not lines or not lines[0].startswith("-- "):
            raise ValueError(f"{file}: the statement {name} has no comment")
        found[name] = "\n".join(line for line in lines if not line.startswith("--")).strip().removesuffix(";")
    return found
