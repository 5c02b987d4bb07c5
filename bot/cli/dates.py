"""Days and moments as people type them after an option."""

from __future__ import annotations

from datetime import UTC, date, datetime

import typer

from bot.cli.errors import misused


def day(text: str, option: str) -> date:
    """The day of an option, `YYYY-MM-DD`. Raises BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it like 2026-12-31.", param_hint=option) from None


def moment(text: str, sentence: str) -> datetime:
    """A date or a date with a time, in UTC where it names no zone. Where it is none, the command ends with `sentence`."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        misused(sentence)
