"""Reads an export without trusting it: names, sizes and file types are checked."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from bot.domain.decision_log.entry_reader import parsed, read_stamp
from bot.domain.decision_log.merkle_tree import Node
from bot.domain.decision_log.tiles import ENTRIES, Tile, hashes, tiles_of, unbundle
from bot.domain.decision_log.verify.log import Row, Shown
from bot.domain.errors import SettingsError, TextFileError
from bot.domain.policy.handed_in import file_text, is_litter

SMALL, LARGE = 1_000_000, 256 * (2 + 65_535)
_LINE = 1_000_000  # bytes; a longer line is no disclosure and no event, and what follows it is not read
_POLICY_FILES, _POLICY_BYTES = 2_000, 64 * SMALL


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `disclosures.jsonl` that could not be read, by its number from 1."""

    number: int


class Export:
    """The files of one export. Raises SettingsError if the folder holds none.

    Reading is bounded: devices and pipes are never opened, and a size that the checkpoint claims counts only as far as there
    are tiles for it (`most_entries`).

    `strays`: relative paths of what file managers and editors left in the folders that were listed; they are not read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.strays: set[str] = set()
        if not folder.is_dir() or self.read("checkpoint") is None:
            raise SettingsError(f"{folder} holds no export: there is no file `checkpoint` in it.")

    def read(self, name: str, most: int = SMALL) -> bytes | None:
        """The bytes of a regular file of at most `most` bytes; None for anything else."""
        path = self.folder / name
        try:
            if not stat.S_ISREG(path.stat().st_mode) or path.stat().st_size > most:
                return None
            return path.read_bytes()
        except OSError:
            return None

    def text(self, name: str) -> str:
        """The text of a small file as `file_text` reads what people hand us, so that an editor or a transfer that added a byte order
        mark or Windows line ends accuses nobody; empty where there is none, unchanged where it is no UTF-8."""
        content = self.read(name) or b""
        try:
            return file_text(content)
        except TextFileError:
            return content.decode(errors="replace")

    def opened(self, name: str, most: int) -> BufferedReader | None:
        """A regular file of at most `most` bytes, open for reading, to be closed by the caller; None for anything else."""
        path = self.folder / name
        try:
            if not stat.S_ISREG(path.stat().st_mode) or path.stat().st_size > most:
                return None
            return path.open("rb")
        except (OSError, ValueError):
            return None

    def names(self, under: str) -> list[str]:
        """Relative paths, with `/`, of the files below a folder, sorted."""
        found = (path for path in (self.folder / under).rglob("*") if not path.is_dir())
        names = sorted(path.relative_to(self.folder).as_posix() for path in found)
        self.strays.update(name for name in names if is_litter(name))
        return [name for name in names if not is_litter(name)]

    def most_entries(self) -> int:
        """The size of the largest log for which the folder could have all tiles of level 0."""
        return 256 * sum(name.startswith("tile/0/") for name in self.names("tile"))

    def rows(self, size: int) -> Iterator[Row]:
        """The entries as `bot.domain.decision_log.verify.log` checks them, up to the first incomplete tile or bundle.

        If a bundle is missing, its entries have no bytes, as after a pruning; the audit checks whether there was one.
        """
        for start in range(0, size, 256):
            width = min(256, size - start)
            leaves = self._hashes(Tile(0, start // 256, width))
            path = Tile(ENTRIES, start // 256, width).path
            data = self.read(path, LARGE)
            entries = [None] * width if data is None else unbundle(data)
            if leaves is None or len(leaves) != width or entries is None or len(entries) != width:
                return
            for place, (leaf, entry) in enumerate(zip(leaves, entries, strict=True)):
                yield _row(start + place, leaf, entry)

    def nodes(self, size: int) -> Iterator[Node]:
        """The hashes of the higher tiles, which the audit recomputes from the entries."""
        for tile in tiles_of(size):
            if isinstance(tile.level, int) and 1 <= tile.level <= 3:
                for place, found in enumerate(self._hashes(tile) or ()):
                    yield Node(8 * tile.level, tile.n * 256 + place, found)

    def disclosures(self) -> Iterator[Shown | Line]:
        """The lines of `disclosures.jsonl`, in their order."""
        yield from (_shown(number, text) for number, text in self._lines("disclosures.jsonl"))

    def events(self) -> Iterator[str]:
        """The lines of `ocsf.ndjson`, without their ends."""
        yield from (text.decode(errors="replace") for _, text in self._lines("ocsf.ndjson"))

    def policy(self, digest: str) -> Mapping[str, bytes]:
        """The files of a policy set by relative path; empty if it is missing."""
        prefix = f"policy/{digest}/"
        found, left = dict[str, bytes](), _POLICY_BYTES
        for name in self.names(prefix)[:_POLICY_FILES]:
            data = self.read(name, min(SMALL, left))
            if data is not None:
                found[name.removeprefix(prefix)] = data
                left -= len(data)
        return found

    def _hashes(self, tile: Tile) -> list[bytes] | None:
        data = self.read(tile.path)
        return None if data is None else hashes(data)

    def _lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        path = self.folder / name
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                return
            with path.open("rb") as file:
                for number, line in enumerate(iter(lambda: file.readline(_LINE), b""), 1):
                    yield number, line.rstrip(b"\n")
                    if len(line) == _LINE and not line.endswith(b"\n"):
                        return
        except OSError:
            return


def _row(idx: int, leaf: bytes, data: bytes | None) -> Row:
    """A row as in the database, its columns taken from the entry."""
    entry = None if data is None else parsed(data)[0]
    if entry is None:
        return Row(idx, leaf, data, "", None, 0)
    case = entry.get("case")
    return Row(
        idx, leaf, data, str(entry.get("type")), case if isinstance(case, str) else None, read_stamp(entry.get("ts")) or 0
    )


def _shown(number: int, text: bytes) -> Shown | Line:
    try:
        told = json.loads(text)
        idx, digest, disclosure = told["i"], told["digest"], told["disclosure"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Line(number)
    if type(idx) is not int or not isinstance(digest, str) or not isinstance(disclosure, str) or not disclosure.isascii():
        return Line(number)
    return Shown(digest, idx, disclosure)
