"""Screens of real commands as text: at a terminal of 80 and of 120 columns, and piped, where nothing is coloured or boxed.

A terminal is a pseudo-terminal with a size; ids and times are masked by as many characters. `SCREENS=1` writes the files anew,
to be read before they are committed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.ports.records import StoredPolicy
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.bot.office import HandClock, Office
from tests.conftest import EXAMPLE

pytestmark = pytest.mark.sqlite  # one file serves the whole module

SCREENS = Path(__file__).parents[1] / "bot" / "screens"
GLASS = "clinical-signin-outage"
FIELDS = {"site": "All sites", "staff_affected": "900", "incident_reference": "INC77"}
COMMANDS = {
    "help": ("--help",),
    "reconcile-help": ("reconcile", "--help"),
    "check": ("check", "faulty"),
    "explain": ("explain", "directory-admin-emergency", "--runbooks", str(EXAMPLE), "--at", "2026-12-01T03:00"),
    "requests-list": ("requests", "list"),
    "reconcile": ("reconcile", "access.csv"),
    "hold-place": ("log", "hold", "place", "T0PROV/U0PE1", "--reason", "Court order 7"),
    "provider-end": ("provider", "end", "northgate", "--reason", "Contract terminated"),
}
_MASKS = (
    (re.compile(r"\b([RHO])-[0-9A-HJKMNP-TV-Z]{8}\b"), r"\1-00000000"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "2026-01-01"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "00:00:00"),
    (re.compile(r"\b\d\d:\d\d UTC"), "00:00 UTC"),
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host with one open grant and one pending request, a list of accesses, and a policy folder with two faults."""
    home = tmp_path_factory.mktemp("screens")
    policy = load_files(read_folder(EXAMPLE)).policy
    assert policy is not None
    glass = policy.runbooks[GLASS]
    assert glass.break_glass is not None
    free = replace(glass, targets=(), break_glass=replace(glass.break_glass, quota=None))
    asker = next(p.person for p in policy.people if p.name.startswith("Pavel"))

    async def work() -> None:
        now = SystemClock().now()
        async with Office(home / "countersign.db", replace(policy, runbooks={**policy.runbooks, GLASS: free}), HandClock(now)) as office:  # fmt: skip
            await office.store.policies.accept(StoredPolicy(policy.digest, now, policy.files), [])
            await office.file(asker, GLASS, target="clinical-sso-prod", fields=FIELDS)
            await office.file(asker, "directory-admin-emergency", target="dc-core-01", fields={"ticket": "INC20417"})

    asyncio.run(work())
    (home / "access.csv").write_text(f"runbook,person,target\n{GLASS},U0NOBODY,clinical-sso-prod\n")
    faulty = home / "faulty"
    faulty.mkdir()
    for path in EXAMPLE.iterdir():
        if path.suffix in (".md", ".yaml", ".csv"):
            (faulty / path.name).write_bytes(path.read_bytes())
    matrix = faulty / "responsibility.yaml"
    matrix.write_text(matrix.read_text().replace("owner: olga", "owner: olgar"))
    (faulty / "account-unlock.md").write_text((EXAMPLE / "account-unlock.md").read_text().replace("limit: 40", "limt: 40"))
    return home


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_", "NO_COLOR", "FORCE_COLOR"))}
    ours = {"COUNTERSIGN_DATABASE_URL": f"sqlite:///{home}/countersign.db", "COUNTERSIGN_STATE_DIR": f"{home}/state",
            "PYTHONPATH": str(EXAMPLE.parent), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}  # fmt: skip
    return {k: v for k, v in kept.items() if k not in ("COLUMNS", "LINES")} | ours | more


def at_a_terminal(home: Path, words: tuple[str, ...], columns: int, **more: str) -> str:
    """What a person sees, with colours."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *words], cwd=home, env=environment(home, **more), stdin=slave, stdout=slave, stderr=slave
    )  # fmt: skip
    os.close(slave)
    said = b""
    while chunk := _read(master):
        said += chunk
    process.wait(60)
    os.close(master)
    return said.decode().replace("\r\n", "\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # Linux's end of a pseudo-terminal
        return b""


def piped(home: Path, words: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=home, env=environment(home), capture_output=True, timeout=60, check=False
    )  # fmt: skip
    return (done.stdout + done.stderr).decode()


def masked(text: str) -> str:
    for found, instead in _MASKS:
        text = found.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def held_to(name: str, shown: str) -> None:
    path = SCREENS / f"{name}.txt"
    if os.environ.get("SCREENS"):
        path.write_text(shown)
    assert shown == path.read_text()


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen_at_a_terminal(place: Path, name: str, columns: int) -> None:
    shown = masked(_COLOUR.sub("", at_a_terminal(place, COMMANDS[name], columns)))
    assert "\x1b" not in shown
    if name not in (
        "check",
        "explain",
        "hold-place",
        "provider-end",
    ):  # sentences and places that are clicked: the terminal itself breaks them
        assert max(map(len, shown.splitlines())) <= columns
    held_to(f"{name}-{columns}", shown)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen_in_a_pipe(place: Path, name: str) -> None:
    shown = piped(place, COMMANDS[name])
    assert "\x1b" not in shown
    held_to(f"{name}-piped", masked(shown))


def test_colours_are_a_terminals_and_no_color_takes_them_away(place: Path) -> None:
    assert "\x1b[3" in at_a_terminal(place, COMMANDS["reconcile"], 100)
    assert "\x1b[3" not in at_a_terminal(place, COMMANDS["reconcile"], 100, NO_COLOR="1")
