"""The exclusive lock in STATE_DIR: held to commit or sign, by the bot and by the command line."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from bot.domain.errors import StorageError


class FileLock:
    """A context that waits for the lock, holds it, and lets go; the kernel lets go of a dead holder's. Not re-entrant."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "lock"
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"The lock {self._path} cannot be opened: {error.strerror}.") from error

    def __enter__(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """After the last use."""
        os.close(self._fd)
