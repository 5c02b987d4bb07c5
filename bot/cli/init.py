"""`countersign init`: writes the starter files of a new operator, with comments that say what to fill in.

Nothing is overwritten, not even through a link. A policy folder whose matrix was edited is left alone as a whole: adding a
runbook to somebody's policy would grant a right that nobody gave.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bot.domain.errors import SettingsError

_MATRIX, _RUNBOOK = Path("runbooks/responsibility.yaml"), Path("runbooks/directory-emergency-admin.md")


@dataclass(frozen=True, slots=True)
class StarterFile:
    """A starter file: its path, its template, its file mode."""

    path: Path
    template: str
    mode: int


STARTS = (
    StarterFile(Path(".env"), "env.txt", 0o600),
    StarterFile(_MATRIX, "responsibility.yaml", 0o644),
    StarterFile(_RUNBOOK, "directory-emergency-admin.md", 0o644),
)


@dataclass(frozen=True, slots=True)
class Created:
    """Paths as shown to the person. `apart`: not written, because the policy there was edited."""

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    apart: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        """1 if only a part was written, so that somebody looks at the rest."""
        return 1 if self.written and (self.kept or self.apart) else 0

    def lines(self) -> Iterator[str]:
        yield from (f"wrote {path}" for path in self.written)
        yield from (f"kept {path}: it exists, and nothing in it was changed" for path in self.kept)
        yield from (f"left out {path}: the policy there is your own already" for path in self.apart)
        if not self.written:
            yield "Nothing to do."
        first = "" if self.folder == Path() else f"cd {self.folder}, then "
        yield (
            f"Next: {first}run `countersign manifest`, make the Slack app of it, put its two tokens into .env and your ids"
            " in place of REPLACE in runbooks/responsibility.yaml; `countersign doctor` says what is still missing."
        )


def begin(folder: Path) -> Created:
    """Writes what is missing. Raises SettingsError if the folder cannot be written."""
    apart = tuple(folder / s.path for s in STARTS if s.path == _RUNBOOK and _is_anothers(folder))
    wanted = [start for start in STARTS if folder / start.path not in apart]
    written: list[Path] = []
    kept: list[Path] = []
    for start in wanted:
        path = folder / start.path
        (written if _write(path, start) else kept).append(path)
    return Created(folder, tuple(written), tuple(kept), tuple(path for path in apart if not _stands(path)))


def template(name: str) -> bytes:
    """A template as shipped."""
    return (files("bot") / "templates" / name).read_bytes()


def _is_anothers(folder: Path) -> bool:
    """Whether the policy folder holds any policy but the unedited starter policy."""
    matrix = folder / _MATRIX
    if _stands(matrix):
        return not matrix.is_file() or matrix.read_bytes() != template("responsibility.yaml")
    return any(path.name not in ("README.md", _RUNBOOK.name) for path in matrix.parent.glob("*.md"))


def _write(path: Path, start: StarterFile) -> bool:
    """Writes a file. Returns False and does nothing if the path exists, a dangling link included."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, start.mode)
    except FileExistsError:
        if not _stands(path):
            raise SettingsError(f"{path.parent} is a file and not a folder: remove it, or choose another folder.") from None
        return False
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}): choose a folder that you may write.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(template(start.template))
    return True


def _stands(path: Path) -> bool:
    return os.path.lexists(path)
