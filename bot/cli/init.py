"""`countersign init`: the first files of a new operator, each with comments that say what to put where.

Nothing is ever overwritten, not even through a link. A policy folder whose matrix is no longer ours is left alone as a
whole: a runbook added to somebody's policy would be a right to ask that nobody gave.
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
    """A file to begin with: where it goes, from which template, how private it is."""

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
    """Paths as the person sees them. `apart`: not written, because the policy there is somebody's own."""

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    apart: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        """1 where only a part could be written: somebody should look at the rest."""
        return 1 if self.written and (self.kept or self.apart) else 0

    def lines(self) -> Iterator[str]:
        yield from (f"wrote {path}" for path in self.written)
        yield from (f"kept {path}: it exists, and nothing in it was changed" for path in self.kept)
        yield from (f"left out {path}: the policy there is your own already" for path in self.apart)
        if not self.written:
            yield "Nothing needed doing."
        first = "" if self.folder == Path() else f"cd {self.folder}, then "
        yield (
            f"Next: {first}run `countersign manifest`, make the Slack app of it, put its two tokens into .env and your ids"
            " in place of REPLACE in runbooks/responsibility.yaml; `countersign doctor` says what is still missing."
        )


def begin(folder: Path) -> Created:
    """Writes what is missing. Raises SettingsError where the folder cannot be written."""
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
    """Whether the policy folder holds a policy that is not the one we begin with, untouched."""
    matrix = folder / _MATRIX
    if _stands(matrix):
        return not matrix.is_file() or matrix.read_bytes() != template("responsibility.yaml")
    return any(path.name not in ("README.md", _RUNBOOK.name) for path in matrix.parent.glob("*.md"))


def _write(path: Path, start: StarterFile) -> bool:
    """False, and nothing done, where something stands already, a dangling link too."""
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
