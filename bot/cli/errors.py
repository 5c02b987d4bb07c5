"""Errors of a command: one sentence on stderr, nothing on stdout, also with `--json`.

Exit codes (design, section 7): 0 yes; 1 no, a finding or a refusal, be it ours, Slack's or the policy's; 2 wrong use, which
a missing or malformed setting is too. Slack unreachable is a refusal: a retry may help, and systemd retries.
"""

from __future__ import annotations

from typing import NoReturn

import typer

from bot.terminal import say


def refused(sentence: str) -> NoReturn:
    """Exits with 1."""
    _ended(sentence, 1)


def misused(sentence: str) -> NoReturn:
    """Exits with 2."""
    _ended(sentence, 2)


def _ended(sentence: str, code: int) -> NoReturn:
    say(sentence, error=True)
    raise typer.Exit(code)
