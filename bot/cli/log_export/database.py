"""The database that a command on the host reads."""

from __future__ import annotations

from bot.cli.errors import misused
from bot.ports.database import Location, may_exist


def existing(path: Location) -> Location:
    """The database, if there may be one; else a sentence and exit 2."""
    if not may_exist(path):
        misused(
            f"There is no database at {path}. Set COUNTERSIGN_DATABASE_URL or give --database; `countersign migrate` makes one."
        )
    return path
