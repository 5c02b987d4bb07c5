"""Backs up and restores an SQLite installation: the database, checked before and after; its keys only when asked.

Keys are not stored with the database's copy unless asked for: a holder of both can sign another log. The signer's memory is in no backup: it is
what shows that a restored database is older than what was signed last, and a folder without it starts stopped, until two people
say with `log new-epoch` what was lost. Source: decision-log.md; design, section 8.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.clock import SystemClock
from bot.decision_log.keys import LOG_KEY, PERMIT_KEY, RETIRED
from bot.decision_log.signer_memory import recall
from bot.domain.errors import CountersignError, LogDamaged, NoteError, SettingsError, StorageError
from bot.ports.database import Location
from bot.runtime.log_verification import TrustBase, verify
from storage.log.check import LogCheck, check_database
from storage.sqlite import backup
from storage.values import ms

_KEYS = (LOG_KEY, PERMIT_KEY, RETIRED)
_MOST = 1_000_000  # bytes of one file of keys


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: entries of the log, where the earlier database is now, why the bot will start stopped ("": it will not)."""

    size: int
    aside: Path | None
    stopped: str


def back_up(database: Location, state_dir: Path, file: Path, keys: Path | None, over: Callable[[], bool]) -> LogCheck:
    """Copies the database into the new `file` and checks the copy, its signed checkpoints included; `keys`: where the keys go.
    The database may be of an earlier version, before an upgrade: the copy stays as that version wrote it.

    Raises SettingsError (not SQLite, a file exists), StorageError, LogDamaged (the copy fails its check, and is gone again).
    """
    source = _sqlite(database, "Use pg_dump or base backups for PostgreSQL.")
    if keys is not None and keys.exists():
        raise SettingsError(f"{keys} exists. Name a new file; nothing is overwritten.")
    backup.copy(source, file)
    try:
        checked = checked_file(file, lambda place: verify(place, TrustBase(None, state_dir, remembers=False, over=over)))
    except CountersignError:
        file.unlink()
        raise
    if checked.findings:
        file.unlink()
        raise LogDamaged(f"The copy fails its check, and was removed: {checked.findings[0]} See `countersign log verify`.")
    if keys is not None:
        _pack(state_dir, keys)
    return checked


def checked_file(file: Path, check: Callable[[Path], LogCheck]) -> LogCheck:
    """Checks a file of this version or of an earlier one, which is not changed. Raises StorageError, SchemaError (a newer one)."""
    with backup.readable(file, ms(SystemClock().now())) as place:
        return check(place)


def restore(database: Location, state_dir: Path, file: Path, keys: Path | None, over: Callable[[], bool]) -> Restored:
    """Puts the database of a backup in place; an existing one is kept next to it. `keys`: a file of keys to unpack.

    Raises SettingsError (not SQLite, no such file, the bot runs, keys are there already), StorageError, LogDamaged.
    """
    target = _sqlite(database, "Use pg_restore for PostgreSQL.")
    if not file.is_file():
        raise SettingsError(f"There is no file {file}.")
    checked = checked_file(file, lambda place: check_database(place, over=over))
    if checked.findings:
        raise LogDamaged(f"{file} fails its check, so nothing was restored: {checked.findings[0]}")
    if keys is not None:
        _unpack(keys, state_dir)
    aside = target.with_name(f"{target.name}.before-restore") if target.exists() else None
    if aside is not None:
        backup.set_aside(target, aside)
    backup.copy(file, target)
    return Restored(checked.size, aside, _stopped(state_dir, checked.size))


def _sqlite(database: Location, instead: str) -> Path:
    if not isinstance(database, Path):
        raise SettingsError(f"This command is for SQLite. {instead}")
    return database


def _stopped(state_dir: Path, size: int) -> str:
    """Why the bot opens nothing after this restore; empty if it works normally."""
    try:
        memory = recall(state_dir)
    except NoteError as error:
        return f"the signer's memory is damaged: {error}"
    if memory is None:
        return f"{state_dir} has no memory of what was signed last" if size else ""
    return f"{memory.size} entries were signed, and the backup has {size}" if memory.size > size else ""


def _pack(state_dir: Path, file: Path) -> None:
    """The keys as a tar archive, mode 0600. Raises StorageError."""
    try:
        with (
            open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out,
            tarfile.open(fileobj=out, mode="w") as tar,
        ):
            for name in _KEYS:
                if (state_dir / name).is_file():
                    data = (state_dir / name).read_bytes()
                    info = tarfile.TarInfo(name)
                    info.size, info.mode = len(data), 0o600
                    tar.addfile(info, io.BytesIO(data))
            out.flush()
    except OSError as error:
        raise StorageError(f"The keys cannot be written to {file}: {error.strerror}.") from error


def _unpack(file: Path, state_dir: Path) -> None:
    """Writes the keys of an archive into a state folder that has none. Raises SettingsError."""
    if (state_dir / LOG_KEY).exists():
        raise SettingsError(f"{state_dir} has keys already. Move them away first; nothing is overwritten.")
    try:
        with tarfile.open(file) as tar:
            found = {m.name: tar.extractfile(m) for m in tar if m.name in _KEYS and m.isfile() and m.size < _MOST}
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, data in found.items():
                with open(os.open(state_dir / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
                    out.write(b"" if data is None else data.read())
    except (OSError, tarfile.TarError) as error:
        raise SettingsError(f"{file} is no archive of keys made by `countersign backup --keys`: {error}") from None
