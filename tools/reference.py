#!/usr/bin/env python3
"""Writes the reference pages of the documentation from the code: `python tools/reference.py`; `--check` only compares.

Commands come from the command line itself, settings from `bot.settings`, policy keys from the schemas that `countersign schema`
prints, entry types from their table, pages and metrics from the HTTP server. What code cannot say, what a setting
means, is in `tools/reference_words.py`; a name without its word fails. Every sentence that people read: `tools/words.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import click  # noqa: E402
import typer  # noqa: E402

from bot.cli.lazy import loaded  # noqa: E402
from bot.cli.main import app  # noqa: E402
from bot.clock import SystemClock  # noqa: E402
from bot.domain.decision_log.entry_types import ENTRY_TYPES  # noqa: E402
from bot.http.log_tiles import ROOT as LOG_ROOT  # noqa: E402
from bot.http.metrics import Metrics  # noqa: E402
from bot.http.operations_server import JWKS  # noqa: E402
from bot.settings import Settings  # noqa: E402
from handlers.transport.http import PATH as SLACK_PATH  # noqa: E402
from runbooks.parsing.json_schema import schemas  # noqa: E402
from tools import words  # noqa: E402
from tools.reference_words import OTHER_SETTINGS, PAGES, SETTINGS  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Written by tools/reference.py from the code. Change it there. -->\n\n"


def cell(text: object) -> str:
    """One cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|") or "–"


def table(columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cell(one) for one in row)} |" for row in rows)]) + "\n"


def commands() -> str:
    """Every command with its arguments and options, as `--help` knows them."""
    root = typer.main.get_command(app)
    said = [
        HEAD,
        "# Commands\n\n`countersign COMMAND --help` prints the same. Exit codes: 0 yes, 1 no (a finding, a refusal), 2 wrong use.\n",
    ]
    said += [_command(path, one) for path, one in walked(root, ())]
    return "\n".join(said)


def walked(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below `command`, groups before what is in them."""
    context = click.Context(command)
    for name in sorted(command.list_commands(context)):
        found = (None if path else loaded(name)) or command.get_command(context, name)
        yield (*path, name), found
        if hasattr(found, "list_commands"):
            yield from walked(found, (*path, name))


def _command(path: tuple[str, ...], command: Any) -> str:
    level = "##" if len(path) == 1 else "###"
    text = " ".join(str(command.help or "").split("\n\n")[0].split())
    more = "\n\n".join(" ".join(part.split()) for part in str(command.help or "").split("\n\n")[1:])
    said = f"{level} `countersign {' '.join(path)}`\n\n{text}\n" + (f"\n{more}\n" if more else "")
    rows = [_parameter(one) for one in command.params if one.name != "help"]
    return said + ("\n" + table(("argument or option", "means", "default"), iter(rows)) if rows else "")


def _parameter(one: Any) -> tuple[str, str, str]:
    if one.param_type_name == "argument":
        label = one.metavar or str(one.name).upper()
        return f"`{label.strip('[]{}')}`", one.help or "", "required" if one.required else ""
    names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
    given = one.default
    default = "" if given in (None, False, True, (), "") or callable(given) else f"`{given}`"
    return names, one.help or "", "required" if one.required else default


def settings() -> str:
    """Every setting with its default. Raises KeyError for one without words, and for words without one."""
    known = {_setting(name): field.default for name, field in Settings.model_fields.items()}
    _same(set(known), set(SETTINGS), "settings")
    rows = [(f"`{name}`", _default(known[name]), words) for name, words in SETTINGS.items()]
    rows += [(f"`{name}`", "–", words) for name, words in OTHER_SETTINGS.items()]
    return f"{HEAD}# Settings\n\n{PAGES['settings']}\n\n" + table(("setting", "default", "meaning"), iter(rows))


def _setting(name: str) -> str:
    slack = name.startswith("slack_")
    return name.upper() if slack else f"COUNTERSIGN_{name.upper()}"


def _default(value: object) -> str:
    return "–" if value in (None, "") else f"`{value}`"


def policy() -> str:
    """Every key of both formats."""
    found = schemas()
    parts = [f"{HEAD}# Policy files\n\n{PAGES['policy']}\n"]
    for name, title in (("matrix", "`responsibility.yaml`"), ("runbook", "Front matter of a runbook")):
        schema = found[name]
        parts.append(f"## {title}\n\n{_keys(schema)}")
        parts += [f"### {_title(part)}\n\n{_keys(body)}" for part, body in schema["$defs"].items() if "properties" in body]
    return "\n".join(parts)


def _title(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Shape")).capitalize()


def _keys(schema: Mapping[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    properties: Mapping[str, Any] = schema["properties"]
    rows = (
        (f"`{key}`", _kind(one), "yes" if key in needed else "", one.get("description", ""))
        for key, one in properties.items()
    )
    return table(("key", "holds", "required", "meaning"), rows)


def _kind(one: Any) -> str:
    if "$ref" in one:
        return _title(one["$ref"].rsplit("/", 1)[-1]).lower()
    if "enum" in one:
        return " · ".join(f"`{word}`" for word in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    if "anyOf" in one:
        return " or ".join(dict.fromkeys(_kind(each) for each in one["anyOf"]))
    if one.get("type") == "array":
        return f"list of {_kind(one.get('items', {}))}"
    values = [*one.get("patternProperties", {}).values(), one.get("additionalProperties")]
    if one.get("type") == "object" and isinstance(values[0], dict):
        return f"names, each with {_kind(values[0])}"
    return str(one.get("type", "any"))


def log_entries() -> str:
    """Every entry type."""
    rows = ((f"`{name}`", ENTRY_TYPES[name].written) for name in sorted(ENTRY_TYPES))
    return f"{HEAD}# Log entries\n\n{PAGES['log-entries']}\n\n" + table(("type", "is written when"), rows)


def http() -> str:
    """The addresses that a running bot serves, and every metric."""
    rows = [
        (f"`{SLACK_PATH}`", "`COUNTERSIGN_LISTEN`", "POST", "what Slack sends, signed; only with `SLACK_SIGNING_SECRET`"),
        (
            "`/`, `/d`",
            "`COUNTERSIGN_SIGN_LISTEN`",
            "GET",
            "the page where a decision is signed; only while the policy has `signing`",
        ),
        ("`/healthz`", "`COUNTERSIGN_OPS_LISTEN`", "GET", "200 while the process can answer"),
        ("`/readyz`", "`COUNTERSIGN_OPS_LISTEN`", "GET", "200, or 503 with a sentence for each reason"),
        ("`/metrics`", "`COUNTERSIGN_OPS_LISTEN`", "GET", "the metrics below, for Prometheus"),
        (f"`{JWKS}`", "`COUNTERSIGN_OPS_LISTEN`", "GET", "the public keys of permits"),
        (
            f"`{LOG_ROOT}…`",
            "`COUNTERSIGN_OPS_LISTEN`",
            "GET",
            "the signed log as C2SP tiles: `checkpoint`, `tile/…`, `log.vkey`; never what it discloses",
        ),
    ]
    pages = table(("path", "on", "method", "answers"), iter(rows))
    return (
        f"{HEAD}# HTTP\n\n{PAGES['http']}\n\n{pages}\n## Metrics\n\n{table(('metric', 'type', 'labels', 'is'), _metrics())}"
    )


def _metrics() -> Iterator[tuple[object, ...]]:
    registry = Metrics(SystemClock()).registry
    for collector in dict.fromkeys(registry._collector_to_names):
        name = getattr(collector, "_name", "")
        if name.startswith("countersign_"):
            labels = ", ".join(getattr(collector, "_labelnames", ()))
            total = "_total" if collector._type == "counter" else ""
            yield f"`{name}{total}`", collector._type, labels, collector._documentation


def _same(known: set[str], worded: set[str], what: str) -> None:
    if known != worded:
        raise KeyError(
            f"tools/reference_words.py, {what}: missing {sorted(known - worded)}, unknown {sorted(worded - known)}"
        )


REFERENCE: Mapping[str, Callable[[], str]] = {
    "commands": commands, "settings": settings, "policy": policy, "log-entries": log_entries, "http": http,
    "words": lambda: HEAD + words.pages(),
}  # fmt: skip


def main() -> int:
    stale = []
    for name, made in REFERENCE.items():
        path, text = FOLDER / f"{name}.md", made()
        if path.is_file() and path.read_text() == text:
            continue
        stale.append(path.name)
        if "--check" not in sys.argv:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    print(f"{'Differs' if '--check' in sys.argv else 'Written'}: {', '.join(stale) or 'nothing'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
