"""The log as plain files: C2SP `tlog-tiles`, pure.

A tile holds up to 256 hashes of one level (level L counts subtrees of 256**L entries), an entry bundle up to 256 entries,
each behind its length in two bytes, big end first. A tile that is not full yet is named after its width (`.p/<W>`).
Index `1234067` is written `x001/x234/067`. Who has the files can compute every root and every proof without us.
Source: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from bot.domain.errors import EntryError

WIDTH = 256
HASH = 32
ENTRIES = "entries"
_PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """Which tile: `level` is a number or `entries`, `n` its index in the level, `width` 1 to 256."""

    level: int | str
    n: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its place in the tree of files, with `/`."""
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{_index(self.n)}{part}"

    @classmethod
    def parse(cls, path: str) -> Tile | None:
        """The tile that a path names in its one right spelling, else None."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        level, index, width = found.groups()
        number = int(index.replace("/", "").replace("x", ""))
        tile = cls(level if level == ENTRIES else int(level), number, int(width or WIDTH))
        return tile if tile.path == path else None


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles and bundles of a log of `size` entries: the full ones, then the partial one, of each level."""
    for level in (ENTRIES, *range(64)):
        count = size if level == ENTRIES else size >> (8 * int(level))
        if count == 0:
            return
        yield from (Tile(level, n) for n in range(count // WIDTH))
        if count % WIDTH:
            yield Tile(level, count // WIDTH, count % WIDTH)


def bundle(entries: list[bytes]) -> bytes:
    """An entry bundle's bytes. Raises EntryError for an entry whose length does not fit its prefix."""
    if any(len(entry) > 0xFFFF for entry in entries):
        raise EntryError("An entry of a bundle has at most 65,535 bytes.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes] | None:
    """The entries of a bundle; None where the lengths do not add up."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            return None
        entries.append(data[at + 2 : end])
        at = end
    return entries


def hashes(data: bytes) -> list[bytes] | None:
    """The hashes of a tile; None where it is no whole number of them."""
    return None if len(data) % HASH else [data[at : at + HASH] for at in range(0, len(data), HASH)]


@dataclass(slots=True)
class Tiler:
    """Makes the files of a log from its entries, one by one and in order; holds one open tile a level, never the log.

    An entry whose bytes are gone (`log.pruned`) leaves its leaf in the tree and no bundle.
    """

    size: int = 0
    _bundle: list[bytes | None] = field(default_factory=list)
    _open: list[list[bytes]] = field(default_factory=list)

    def add(self, data: bytes | None, leaf: bytes | None = None) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of every file that this entry completes. `leaf` replaces bytes that were deleted."""
        self.size += 1
        self._bundle.append(data)
        if len(self._bundle) == WIDTH:
            yield from self._bundled(WIDTH)
        node = leaf_hash(data) if data is not None else leaf
        assert node is not None, "an entry without bytes has a leaf"
        yield from self._grown(0, node)

    def end(self) -> Iterator[tuple[str, bytes]]:
        """The partial files."""
        if self._bundle:
            yield from self._bundled(len(self._bundle))
        for level, open_tile in enumerate(self._open):
            if open_tile:
                yield Tile(level, self.size >> (8 * level + 8), len(open_tile)).path, b"".join(open_tile)

    def _bundled(self, width: int) -> Iterator[tuple[str, bytes]]:
        kept = [entry for entry in self._bundle if entry is not None]
        if len(kept) == len(self._bundle):
            yield Tile(ENTRIES, (self.size - 1) // WIDTH, width).path, bundle(kept)
        self._bundle = []

    def _grown(self, level: int, node: bytes) -> Iterator[tuple[str, bytes]]:
        if level == len(self._open):
            self._open.append([])
        self._open[level].append(node)
        if len(self._open[level]) == WIDTH:
            full, self._open[level] = self._open[level], []
            yield Tile(level, (self.size >> (8 * level + 8)) - 1).path, b"".join(full)
            yield from self._grown(level + 1, subtree_root(full))


def _index(n: int) -> str:
    """Three digits a folder, all but the last behind an x."""
    text = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03d}/{text}"
    return text
