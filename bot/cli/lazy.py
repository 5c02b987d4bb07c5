"""Commands whose modules are imported only when they run, so that `--help` and the other commands start fast.

The table repeats the first paragraph of each command's help, and a test compares the two.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from bot.terminal import visible

POLICY, RUN, PEOPLE, LOG, EVIDENCE = "Policy", "Run", "People", "Log", "Evidence"
PANELS: Mapping[str, str] = {  # the heading under which `--help` shows each command
    "init": POLICY, "check": POLICY, "explain": POLICY, "matrix": POLICY, "schema": POLICY, "demo": RUN, "manifest": RUN,
    "doctor": RUN, "run": RUN, "status": RUN, "backup": RUN, "restore": RUN, "migrate": RUN, "move": RUN, "replicas": RUN,
    "inbox": RUN, "requests": PEOPLE, "exceptions": PEOPLE, "reviews": PEOPLE, "drill": PEOPLE, "provider": PEOPLE, "passkey": PEOPLE, "log": LOG, "keys": LOG, "permit": LOG, "reconcile": EVIDENCE, "report": EVIDENCE,
}  # fmt: skip
EXAMPLES = """Examples

Policy: `countersign check runbooks`

Run: `countersign status`

People: `countersign requests list`

Log: `countersign log verify`

Evidence: `countersign log export --out evidence`
"""
EXAMPLE: Mapping[str, str] = {  # how each command is typed, under its own help
    "init": "init .", "check": "check runbooks", "explain": "explain directory-admin-emergency --at 2026-12-01T03:00",
    "matrix": "matrix --format html --out matrix.html", "schema": "schema --out schemas", "demo": "demo --port 0",
    "manifest": "manifest --url https://countersign.example.org", "doctor": "doctor --live --me olga", "run": "run",
    "status": "status --json", "backup": "backup /mnt/safe/countersign.db", "restore": "restore /mnt/safe/countersign.db",
    "migrate": "migrate", "move": "move sqlite:///countersign.db postgresql://countersign@db/countersign",
    "replicas": "replicas excuse web-2 --reason 'The host was scrapped'", "inbox": "inbox list", "requests": "requests revoke R-7K3M9QX2 --reason 'Laptop stolen'",
    "exceptions": "exceptions --csv", "reviews": "reviews --json", "drill": "drill directory-admin-emergency --only-me --me olga",
    "provider": "provider suspend northgate --reason 'Their account was taken over'", "passkey": "passkey enrol olga",
    "log": "log export --out evidence --from 2026-10-01 --to 2026-12-31", "keys": "keys show",
    "permit": "permit issue R-7K3M9QX2 --out permit", "reconcile": "reconcile access.csv", "report": "report provider northgate --month 2026-11",
}  # fmt: skip
COMMANDS: Mapping[str, tuple[str, str]] = {  # the module of bot.cli that holds the function, and its help
    "drill": ("drill", "Rehearse RUNBOOK's ladder: real people, real pages, the word DRILL in every line, and no access."),
    "reconcile": ("reconciliation.command", "Compare who has access now with the open grants, and print both differences."),
    "exceptions": ("exceptions", "Print the register of policy exceptions, the next to end first."),
    "reviews": ("reviews.command", "Print the reviews of what providers may do without asking, or the record of one."),
    "move": ("database.move", "Move a stopped installation from SQLite to PostgreSQL, log and all, and verify it."),
    "backup": ("backups.command", "Copy the SQLite database beside a running bot, and verify the copy."),
    "restore": ("backups.command", "Put a backup in place while the bot is stopped; the database that was there is kept."),
    "status": ("status", "Print on one screen whether the bot is ready, and what is open, overdue and due."),
    "check": ("policy", "Validate the policy files of DIR; print every finding."),
    "schema": ("policy", "Print JSON Schemas of both policy formats, for editors."),
    "matrix": ("matrix.command", "Print who answers for what."),
    "explain": ("policy", "Print what the engine would do with a request under RUNBOOK that nobody answers."),
}
NESTED: Mapping[tuple[str, str], str] = {
    ("backup", "verify"): "backups.verifying"
}  # below a command, the module that holds it
GROUPS: Mapping[str, str] = {
    "inbox": "Messages that this version could not read: list them, retry them, or discard them.",
    "requests": "Requests on the host, for when Slack is down. Nobody can approve here.",
    "provider": "Providers on the host: suspend one at once, or end its contract.",
    "replicas": "Print the replicas: id, host, role, last beat, checkpoint, lines of the emergency file.",
    "log": "The decision log.",
    "keys": "The keys that sign the log and permits.",
    "passkey": "Passkeys that sign decisions.",
    "report": "Reports, made from the log alone.",
    "permit": "Permits: what the requester's tool shows to the system that lets them in.",
}
_MODULES = {"inbox": "inbox.command"}  # of groups whose module is not named after them


class LazyGroup(TyperGroup):
    """A command group that lists COMMANDS first and GROUPS last, beside what is registered in the usual way."""

    def __init__(self, *, commands: Any = None, **attributes: Any) -> None:
        first = {name: _listed(name, text) for name, (_, text) in COMMANDS.items()}
        last = {name: _listed(name, text) for name, text in GROUPS.items()}
        for name, command in (commands or {}).items():
            command.rich_help_panel, command.epilog = PANELS.get(name), _example(name)
        super().__init__(commands={**first, **(commands or {}), **last}, **attributes)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """As click does; what it says of wrong use holds nothing that a terminal obeys."""
        with _harmless():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """As click does; what it says of wrong use holds nothing that a terminal obeys."""
        with _harmless():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names in the order of the headings, so that `--help` shows them so."""
        order = list(PANELS)
        return sorted(self.commands, key=order.index)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run, its module imported. Raises UsageError for an unknown name."""
        name, command, rest = super().resolve_command(ctx, args)
        with loading():
            if tuple(args[:2]) in NESTED:
                return " ".join(args[:2]), _single(args[1], NESTED[args[0], args[1]]), args[2:]
            return name, command if name is None else loaded(name) or command, rest


@contextmanager
def loading() -> Iterator[None]:
    """While modules are imported nothing is garbage-collected: they stay anyway, and walking them again and again takes a
    seventh of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _harmless() -> Iterator[None]:
    """Makes the words of click's errors visible: an argument may be a file name that somebody else chose."""
    try:
        yield
    except TyperException as error:
        error.message = visible(error.message)
        raise


def _example(name: str) -> str:
    return f"Example: `countersign {EXAMPLE[name]}`"


def _listed(name: str, text: str) -> TyperCommand:
    return TyperCommand(name, help=text, rich_help_panel=PANELS.get(name))


def loaded(name: str) -> Any:
    """The command whose function or `app` is in a module of bot.cli; None if `name` is not lazy."""
    if name in GROUPS:
        group = typer.main.get_group(import_module(f"bot.cli.{_MODULES.get(name, name)}").app)
        group.epilog = _example(name)
        return group
    if name not in COMMANDS:
        return None
    return _single(name, COMMANDS[name][0])


def _single(name: str, module: str) -> Any:
    single = typer.Typer(add_completion=False)
    single.command(name, epilog=_example(name) if name in EXAMPLE else None)(
        getattr(import_module(f"bot.cli.{module}"), name)
    )
    return typer.main.get_command(single)
