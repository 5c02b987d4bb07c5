"""`countersign backup FILE` and `countersign restore FILE`. Exit codes: 0 done, 1 a finding, 2 wrong use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.errors import misused, refused
from bot.cli.log_export.database import existing
from bot.domain.errors import LogDamaged
from bot.settings import load
from bot.terminal import say, working


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the copy of the database.")],
    keys: Annotated[
        Path | None, typer.Option(help="Also write the keys, into this new file. Keep it in another place.")
    ] = None,
) -> None:
    """Copy the SQLite database beside a running bot, and verify the copy.

    `countersign backup verify BACKUP` checks a copy again, also a restored dump of PostgreSQL, against the log that was signed.
    """
    from bot.runtime.backups import back_up
    from bot.runtime.log_verification import entries_of

    settings = load()
    existing(settings.database)
    with working("Copying the database, then checking the copy", entries_of(settings.database)) as step:
        try:
            checked = back_up(settings.database, settings.state_dir, file, keys, step)
        except LogDamaged as error:
            refused(str(error))
    say(f"OK: {file} holds the database; its log of {checked.size} entries is verified.")
    if keys is None:
        say("The keys are not in it: keep a copy of the state folder in another place, or give --keys.")
    else:
        say(f"{keys} holds the private keys. Encrypt it, and keep it where the database's copy is not.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `countersign backup` made.")],
    keys: Annotated[Path | None, typer.Option(help="Also put the keys of this file into an empty state folder.")] = None,
) -> None:
    """Put a backup in place while the bot is stopped; the database that was there is kept."""
    from bot.runtime.backups import restore as put_back
    from bot.runtime.log_verification import entries_of

    settings = load()
    if not file.is_file():
        misused(f"There is no file {file}.")
    with working("Checking the backup, then putting it in place", entries_of(file)) as step:
        try:
            done = put_back(settings.database, settings.state_dir, file, keys, step)
        except LogDamaged as error:
            refused(str(error))
    say(f"OK: {settings.database} is restored; its log of {done.size} entries is verified.")
    if done.aside is not None:
        say(f"The database that was there is {done.aside}.")
    if done.stopped:
        say(f"The bot will start stopped, because {done.stopped}: it opens nothing; taking access away still works.")
        say(
            'Start it, then: countersign log new-epoch --reason "Restored a backup". An auditor and a risk owner confirm it.'
        )
