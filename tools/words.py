#!/usr/bin/env python3
"""Collects every sentence that people read, from the code: `make words` prints them, `tools/reference.py` writes them as a page.

A sentence is a string or f-string of two words or more that is no docstring; what is filled in is shown as `{name}`. They are grouped
by who reads them, so that somebody can read them in one place and knows the file in which each is changed.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
READERS: Mapping[str, tuple[str, ...]] = {
    "In Slack": ("handlers/views", "handlers/outbound", "handlers/inbound"),
    "Why something is refused, and what the engine says": ("bot/domain", "bot/service"),
    "Pages and alarms beside Slack": ("bot/background",),
    "On the page where a decision is signed": ("bot/http", "bot/templates"),
    "In the terminal": ("bot/cli", "bot/runtime", "bot/decision_log", "bot/reports", "bot/evidence", "bot/settings.py", "handlers/doctor"),
    "What `check` says of policy files": ("runbooks",),
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z][a-z’']+")
_CODE = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA)\b|\(\?|\\d|^[\w./-]+$|^%|</|/>|^text/|^<(!doctype|script|link|meta)", re.IGNORECASE)  # fmt: skip


def pages() -> str:
    """The page: each reader's sentences, by file."""
    said = [
        "# Words\n\nEvery sentence that people read, from the code. `{…}` is filled in. `make words` prints the same.\n"
    ]
    for reader, places in READERS.items():
        said.append(f"## {reader}\n")
        for path in _files(places):
            found = list(dict.fromkeys(sentences(path)))
            if found:
                lines = "\n".join(f"- {_shown(one)}" for one in found)
                said.append(f"### `{path.relative_to(ROOT)}`\n\n{lines}\n")
    return "\n".join(said)


def _files(places: tuple[str, ...]) -> Iterator[Path]:
    for place in places:
        here = ROOT / place
        yield from [here] if here.is_file() else sorted(here.rglob("*.py"))


def sentences(path: Path) -> Iterator[str]:
    """The sentences of a module in their order."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = _no_words(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in ast.walk(node) if part is not node)
    texts = [(n.lineno, n.col_offset, _text(n)) for n in ast.walk(tree) if id(n) not in skipped and _is_text(n)]
    yield from (text for *_, text in sorted(texts) if _for_people(text))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _no_words(tree: ast.AST) -> set[int]:
    """Docstrings, type annotations and what is written to the program's own log."""
    found = set[int]()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            found.add(id(body[0].value))
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and getattr(node.func.value, "id", "") == "log"
        ):
            found.update(id(part) for part in ast.walk(node))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("compile", "run", "row", "rows", "stream"):
            found.update(id(part) for arg in node.args for part in ast.walk(arg))
    return found


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    return "".join(str(p.value) if isinstance(p, ast.Constant) else f"{{{_name(p)}}}" for p in node.values)


def _name(part: ast.AST) -> str:
    """A short name for what is filled in."""
    names = [
        n.attr if isinstance(n, ast.Attribute) else n.id for n in ast.walk(part) if isinstance(n, ast.Attribute | ast.Name)
    ]
    return next((name for name in names if not name.startswith("_")), "…")


def _for_people(text: str) -> bool:
    plain = re.sub(r"\{[^}]*\}", " ", text)
    return len(_WORD.findall(plain)) >= 2 and " " in plain.strip() and not _CODE.search(plain)


def _shown(text: str) -> str:
    """One line of Markdown that shows the text as it is."""
    line = " ⏎ ".join(part.strip() for part in text.strip().splitlines() if part.strip())
    return f"`` {line} ``" if "`" in line else f"`{line}`"


if __name__ == "__main__":
    sys.stdout.write(pages())
