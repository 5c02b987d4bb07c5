"""Reads `queries.sql`: statements by name. Each has `-- name: …`, a line that says what it is for, and its SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


def parse(text: str) -> Mapping[str, str]:
    """Name to statement; raises ValueError for a name that stands twice or a statement without a comment."""
    parts = _NAME.split(text)[1:]
    found: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        lines = body.strip("\n").splitlines()
        if name in found:
            raise ValueError(f"queries.sql has two statements named {name}")
        if not lines or not lines[0].startswith("-- "):
            raise ValueError(f"the statement {name} in queries.sql has no comment")
        found[name] = "\n".join(line for line in lines if not line.startswith("--")).strip().removesuffix(";")
    return found


QUERIES = parse((Path(__file__).parent / "sqlite" / "queries.sql").read_text(encoding="utf-8"))
