"""A folder that is written completely or not at all.

Files are written under a hidden name inside it and moved up at the end; a failure before that leaves the folder unchanged.
Only the owner can read it: an export contains personal data, which the log keeps apart from its entries.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from bot.domain.errors import SettingsError, StorageError

_UNDER_WAY = ".under-way"


class Folder:
    """A context manager: its files appear when the context ends without an error.

    Raises SettingsError if `path` is not an empty folder, StorageError if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._within = path, path / _UNDER_WAY
        self._made = False
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> Folder:
        try:
            if self._path.exists() and (not self._path.is_dir() or any(self._path.iterdir())):
                raise SettingsError(f"{self._path} is not an empty folder. Name a new one; nothing is overwritten.")
            self._made = not self._path.exists()
            self._within.mkdir(mode=0o700, parents=True)
            self._path.chmod(0o700)
        except OSError as error:
            raise _explained(self._path, error) from error
        return self

    def write(self, name: str, data: bytes) -> None:
        """Writes a file; `name` is relative, with `/`."""
        with self._opened(name) as file:
            file.write(data)

    def append(self, name: str, data: bytes) -> None:
        """Appends to a file."""
        if name not in self._open:
            self._open[name] = self._opened(name)
        self._open[name].write(data)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            for file in self._open.values():
                file.close()
            if error is None:
                for child in sorted(self._within.iterdir()):
                    child.rename(self._path / child.name)
                self._within.rmdir()
                return
        except OSError as fault:
            self._undo()
            raise _explained(self._path, fault) from fault
        self._undo()
        if isinstance(error, OSError):
            raise _explained(self._path, error) from error

    def _at(self, name: str) -> Path:
        if ".." in name.split("/") or name.startswith("/"):
            raise StorageError(f"{name!r} is no place inside an export; the database is damaged.")
        path = self._within / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _opened(self, name: str) -> BinaryIO:
        """A new file that only its owner can read, also once somebody copies it out of the folder."""
        return open(os.open(self._at(name), os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb")

    def _undo(self) -> None:
        for child in list(self._path.iterdir()):
            shutil.rmtree(child, ignore_errors=True) if child.is_dir() else child.unlink(missing_ok=True)
        if self._made:
            self._path.rmdir()


def _explained(path: Path, error: OSError) -> StorageError:
    return StorageError(f"The export in {path} was not written ({error.strerror or error}); nothing of it is left there.")
