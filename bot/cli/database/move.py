"""`countersign move SOURCE TARGET`: moves a stopped installation from SQLite to an empty PostgreSQL database, log and all.

Exit codes: 0 moved and verified; 1 the moved log has findings, or the server refused; 2 wrong use: the bot runs, the target is
not empty, an address is malformed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.errors import misused, refused
from bot.clock import SystemClock
from bot.domain.errors import SettingsError, StorageError
from bot.ports.database import PostgresServer
from bot.terminal import say


def move(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="sqlite:///FILE, with the bot stopped.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="postgresql://…, an empty database.")],
) -> None:
    """Move a stopped installation from SQLite to PostgreSQL, log and all, and verify it."""
    from storage.log.check import check_database
    from storage.opening import move_to_postgres

    if not source.startswith("sqlite:///") or not target.startswith("postgresql://"):
        misused("countersign move needs sqlite:///FILE and postgresql://…, in this order.")
    file, server = Path(source.removeprefix("sqlite:///")), PostgresServer(target)
    if not file.is_file():
        misused(f"There is no database at {file}.")
    before = check_database(file)
    if before.findings:
        refused(f"{before.findings[0]} Nothing was moved; see `countersign log verify`.")
    try:
        rows = move_to_postgres(file, server, SystemClock())
    except SettingsError as error:
        misused(str(error))
    except StorageError as error:
        refused(str(error))
    after = check_database(server)
    if after.findings or (after.origin, after.size, after.root) != (before.origin, before.size, before.root):
        refused(f"The moved log is not the one that was moved: {after.findings[0] if after.findings else 'another root'}.")
    say(f"{sum(rows.values())} rows of {len(rows)} tables moved; the log of {after.size} entries has the same root.")
    say(f"Set COUNTERSIGN_DATABASE_URL to {server}, keep COUNTERSIGN_STATE_DIR, and start the bot.")
