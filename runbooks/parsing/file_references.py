"""Which files a policy file names: `targets` of a runbook, `feed` of a rota, `attestation` of `signing`.

A named path is relative, made of plain segments and ends as its kind does, so it can never point out of the folder.
The names are needed before anything is judged, because the bytes must be read first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runbooks.parsing.frontmatter import split
from runbooks.parsing.yaml_positions import parse

SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
CSV_PATH = rf"^(?:{SEGMENT}/){{0,8}}[A-Za-z0-9_][A-Za-z0-9_.-]*\.csv$"
ICS_PATH = rf"^(?:{SEGMENT}/){{0,8}}[A-Za-z0-9_][A-Za-z0-9_.-]*\.ics$"
PEM_PATH = rf"^(?:{SEGMENT}/){{0,8}}[A-Za-z0-9_][A-Za-z0-9_.-]*\.pem$"


def named_files(files: Mapping[str, bytes]) -> frozenset[str]:
    """The well-formed paths that these files name; a file that cannot be parsed names nothing."""
    return frozenset(path for name, content in files.items() for path in _named(name, content))


def _named(name: str, content: bytes) -> Iterator[str]:
    found = split(name, content)
    value: Any = parse(name, found.head, found.first_line).value if found.head is not None else None
    if not isinstance(value, dict):
        return
    candidates = [(CSV_PATH, value.get("targets"))] if name.endswith(".md") else []
    rotas = value.get("rotas")
    if isinstance(rotas, dict) and not name.endswith(".md"):
        candidates += [(ICS_PATH, rota.get("feed")) for rota in rotas.values() if isinstance(rota, dict)]
    signing = value.get("signing")
    if isinstance(signing, dict) and not name.endswith(".md"):
        candidates.append((PEM_PATH, signing.get("attestation")))
    for shape, path in candidates:
        if isinstance(path, str) and re.fullmatch(shape, path):
            yield path
