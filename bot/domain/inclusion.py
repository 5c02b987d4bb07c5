"""That one entry stands in a tree: RFC 9162 inclusion proofs, and the C2SP `tlog-proof` that carries one with its checkpoint.

A proof is the hashes from the leaf's sibling up to the root's child. It needs the roots of complete subtrees only, and the
store keeps those (levels 8, 16 and 24), so a proof in a million entries reads a few hundred rows, never the log.
Source: RFC 9162, 2.1.3; https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.ledger import edge_sizes, node_hash, root

Subtree = Callable[[int, int], bytes]  # (level, i) to the root of the i-th complete subtree of 2**level leaves
_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size`; `index` < `size`."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} among {size}")
    start, stop, path = 0, size, list[bytes]()
    while stop - start > 1:
        middle = start + (1 << ((stop - start - 1).bit_length() - 1))
        if index < middle:
            path.append(_range(middle, stop, subtree))
            stop = middle
        else:
            path.append(_range(start, middle, subtree))
            start = middle
    return path[::-1]


def proven_root(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162, 2.1.3.2); None where it has not the length that index and size call for."""
    if not 0 <= index < size:
        return None
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return node if sn == 0 else None


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index, its proof, and the signed checkpoint that it leads to; `extra` holds the entry's bytes, if any."""

    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    def text(self) -> str:
        """The file's text."""
        extra = [] if self.extra is None else [f"extra {_b64(self.extra)}"]
        return "\n".join([_HEAD, *extra, f"index {self.index}", *map(_b64, self.path), "", self.note])

    @classmethod
    def parse(cls, text: str) -> TlogProof | None:
        """The proof in a text; None where it is none."""
        head, gap, note = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines.pop(0) != _HEAD:
            return None
        extra = _decoded(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        found = _INDEX.fullmatch(lines.pop(0)) if lines else None
        path = [_decoded(line) for line in lines]
        if found is None or any(part is None or len(part) != 32 for part in path):
            return None
        return cls(int(found[1]), tuple(part for part in path if part is not None), note, extra)


def _range(start: int, stop: int, subtree: Subtree) -> bytes:
    """The root over leaves `start` to `stop`, a range as RFC 9162 splits it: its first subtree is aligned at `start`."""
    edge = []
    for width in edge_sizes(stop - start):
        edge.append(subtree(width.bit_length() - 1, start // width))
        start += width
    return root(edge)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
