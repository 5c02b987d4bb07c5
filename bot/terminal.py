"""The one door to the terminal: everything that the program prints goes through `say` or `say_json`.

Names from Slack, texts that people typed, file names and exports are hostile input: an escape sequence would move the cursor,
a bidirectional sign would reverse the text beside it. Such characters are printed as `\\uXXXX`. Line breaks and tabs stay.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Literal, Protocol

_PATIENCE = 2.0  # seconds before something is said to take long
_OFTEN = 500  # steps between two looks at the bar
_UNSAFE = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab and line break
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they reorder the text beside them
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # line ends that are none, and marks that show nothing
    "\U000e0000-\U000e007f"  # tags that show nothing
    "\ud800-\udfff]"  # halves of a character: no encoding has them
)


def visible(text: str) -> str:
    """The text with each character that a terminal would obey, or not show, as JSON escapes it: a JSON text keeps its value."""
    return _UNSAFE.sub(_escaped, text)


def say(text: object = "", *, end: str = "\n", error: bool = False, flush: bool = False) -> None:
    """Prints a text for a person, on standard error with `error`. What the terminal's encoding lacks is escaped too."""
    stream = sys.stderr if error else sys.stdout
    encoding = stream.encoding or "utf-8"
    shown = visible(str(text)) + end
    stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
    if flush:
        stream.flush()


def say_aside(text: str) -> None:
    """Prints on standard error what only a person at a terminal wants to know; nothing where a script reads it."""
    if sys.stderr.isatty():
        say(text, error=True)


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]], plain: str, colours: Mapping[str, str]) -> None:
    """Prints rows as a table to a person at a terminal, as wide as it is; `plain` where the output is piped. `colours`: of cells
    by their first word; none where NO_COLOR is set."""
    if not is_terminal() or not rows:
        say(plain)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell), style=colours.get(cell.split(" ")[0], "")) for cell in row))
    colour: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    how = Console(file=sys.stdout, force_terminal=True, color_system=colour, markup=False, highlight=False, emoji=False)
    how.print(table)


COLOURS = {"error": "31", "warning": "33"}  # SGR: red, yellow


def say_finding(text: str, severity: str) -> None:
    """Prints the line of a finding; on a terminal without NO_COLOR its severity is coloured."""
    if not is_terminal() or os.environ.get("NO_COLOR") or severity not in COLOURS:
        say(text)
        return
    before, word, after = visible(text).partition(f" {severity}:")
    stream = sys.stdout
    stream.write(f"{before}\x1b[{COLOURS[severity]}m{word}\x1b[0m{after}\n")


class Step(Protocol):
    """Counts steps, one unless more are named. Returns False, so that it fits where somebody is asked whether to stop."""

    def __call__(self, done: int = 1, /) -> bool: ...


@contextmanager
def working(what: str, total: int = 0, after: float = _PATIENCE) -> Iterator[Step]:
    """Shows on a terminal, on standard error, that something takes longer than `after` seconds: how far it is and how long it will
    still take, where `total` steps are known, else for how long it has run. The function that it yields counts steps."""
    if not sys.stderr.isatty():
        yield lambda _=1: False
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    how = (BarColumn(), TimeRemainingColumn()) if total else (TimeElapsedColumn(),)
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), *how, console=Console(stderr=True), transient=True
    )
    task, done, shown = progress.add_task(what, total=total or None), 0, 0

    def step(count: int = 1, /) -> bool:
        nonlocal done, shown
        done += count
        if done - shown >= _OFTEN:
            progress.update(task, completed=done)
            shown = done
        return False

    timer = Timer(after, progress.start)
    timer.start()
    try:
        yield step
    finally:
        timer.cancel()
        timer.join()
        progress.stop()


def say_json(value: object, *, indent: int | None = None) -> None:
    """Prints a value as JSON for a program; its escapes are JSON's own."""
    say(json.dumps(value, ensure_ascii=False, indent=indent))


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
