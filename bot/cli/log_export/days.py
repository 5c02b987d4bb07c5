"""Days as options of a command."""

from __future__ import annotations

from datetime import date

import typer


def day(text: str | None, option: str) -> date | None:
    """The day of an option `YYYY-MM-DD`; None where it was left out. Raises BadParameter."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it like 2026-07-01.", param_hint=option) from None
