"""A folder of policy files as bytes.

Policy files are the matrix, the Markdown files directly in the folder (`README.md` and hidden files are ignored) and
every file that these name. A file is read only when it is a regular file of at most 1 MB whose real path is inside
the real folder: a symbolic link that stays inside is followed, one that leaves is refused. What cannot be read
becomes a problem that travels with the set, so that a runbook which turns unreadable refuses the set and does not
just vanish.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from runbooks.parsing.file_references import named_files
from runbooks.parsing.findings import PolicyFinding

MATRIX = "responsibility.yaml"
MAX_BYTES = 1_000_000


@dataclass(frozen=True, eq=False)
class FileSet(Mapping[str, bytes]):
    """Relative path to bytes, and what could not be read."""

    files: Mapping[str, bytes]
    problems: tuple[PolicyFinding, ...] = field(default=())

    def __getitem__(self, path: str) -> bytes:
        return self.files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self) == dict(other) and self.problems == problems_of(other)

    __hash__ = None  # type: ignore[assignment]


def problems_of(files: Mapping[str, bytes]) -> tuple[PolicyFinding, ...]:
    return files.problems if isinstance(files, FileSet) else ()


def is_runbook(path: str) -> bool:
    """A Markdown file directly in the folder, except `README.md` and hidden files."""
    return path.endswith(".md") and "/" not in path and path != "README.md" and not path.startswith(".")


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of the lines `<hex sha256>  <path>\\n`, sorted by path bytes (design, section 2)."""
    ordered = sorted(files, key=lambda path: path.encode())
    lines = (f"{sha256(files[path]).hexdigest()}  {path}\n" for path in ordered)
    return sha256("".join(lines).encode()).hexdigest()


def read_folder(folder: Path) -> FileSet:
    """The policy files of `folder`; never raises on what it finds there."""
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError) as error:
        return FileSet({}, (_problem(".", f"The policy folder cannot be read: {_reason(error)}."),))
    files: dict[str, bytes] = {}
    problems: list[PolicyFinding] = []
    for name in names:
        if name == MATRIX or is_runbook(name):
            _take(folder, name, files, problems)
    for name in sorted(named_files(files) - files.keys()):
        _take(folder, name, files, problems)
    return FileSet(files, tuple(problems))


def fingerprint(folder: Path) -> str:
    """One text that changes whenever a policy file, or what cannot be read of one, changes."""
    found = read_folder(folder)
    return f"{digest(found)}/{sha256(repr(found.problems).encode()).hexdigest()}"


def _take(folder: Path, name: str, files: dict[str, bytes], problems: list[PolicyFinding]) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        problems.append(_problem(".", f"The file name {name!a} is not UTF-8: rename the file."))
        return
    try:
        files[name] = _read(folder, name)
    except _Unfit as unfit:
        problems.append(_problem(name, str(unfit)))
    except FileNotFoundError:
        if os.path.islink(folder / name):
            problems.append(_problem(name, "This link points at nothing: fix it or remove it."))
    except (OSError, ValueError) as error:
        problems.append(_problem(name, f"The file cannot be read: {_reason(error)}."))


class _Unfit(Exception):
    """The file of this name is not a policy file."""


def _read(folder: Path, name: str) -> bytes:
    root, real = os.path.realpath(folder), os.path.realpath(folder / name)
    if os.path.commonpath([root, real]) != root:
        raise _Unfit("The file leads out of the policy folder: put the file itself into the folder.")
    if not stat.S_ISREG(os.stat(real).st_mode):
        raise _Unfit("This is not a regular file: put a plain file here, or rename what stands here.")
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _Unfit("The file is larger than 1 MB: split it or shorten it.")
    return content


def _problem(file: str, text: str) -> PolicyFinding:
    return PolicyFinding("error", file, 1, text)


def _reason(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error)
    return f"{said}; put it right, or give another folder"
