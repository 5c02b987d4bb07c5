"""Reserves disk space next to a database, so that the database can be opened on the day the disk is full.

SQLite creates its shared memory (`-shm`, 32 KiB) again at the first opening after a clean stop. On a disk that is full to the last
block that fails, and a bot that cannot read its database can take nothing away. So a file of blank bytes is kept next to it, which
gives its room back when opening fails, and is made again when there is space.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SIZE = 48 * 1024  # bytes: the shared memory, and a little for names and the header of the write-ahead log


def keep(database: Path) -> None:
    """Makes the file where it is missing or short. A disk that refuses now changes nothing."""
    file = _room(database)
    with contextlib.suppress(OSError):
        if file.exists() and file.stat().st_size >= SIZE:
            return
        handle = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(bytes(SIZE))  # written and not only reserved: some disks reserve nothing
            out.flush()
            os.fsync(handle)


def give_back(database: Path) -> bool:
    """Gives the room back; False where there is none."""
    try:
        _room(database).unlink()
    except OSError:
        return False
    return True


def _room(database: Path) -> Path:
    return database.with_name(database.name + "-room")
