"""How a command ends when it cannot do what was typed: one sentence on stderr, nothing on stdout, also with `--json`.

Exit codes (design, section 7): 0 yes; 1 no, a finding or a refusal, be it ours, Slack's or the policy's; 2 wrong use, which
a missing or malformed setting is too. Slack out of reach is a refusal: trying again may help, and systemd does.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer


def refused(sentence: str) -> NoReturn:
    """Ends the command with 1."""
    _ended(sentence, 1)


def misused(sentence: str) -> NoReturn:
    """Ends the command with 2."""
    _ended(sentence, 2)


def _ended(sentence: str, code: int) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
