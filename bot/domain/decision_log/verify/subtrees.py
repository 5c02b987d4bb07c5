"""Roots of subtrees over nodes of one level, for what is hashed by the million: `merkle_tree` says the same in the words of RFC 9162."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_sha = hashlib.sha256


def push(edge: list[bytes], count: int, node: bytes) -> None:
    """Adds a node to the edge over the `count` nodes of its level before it."""
    while count & 1:
        node, count = _sha(b"\x01" + edge.pop() + node).digest(), count >> 1
    edge.append(node)


def block_edge(nodes: Sequence[bytes]) -> list[bytes]:
    """Roots of the complete subtrees over these nodes of one level, largest first."""
    edge: list[bytes] = []
    for count, node in enumerate(nodes):
        push(edge, count, node)
    return edge


def complete_root(nodes: Sequence[bytes]) -> bytes:
    """The root over a complete subtree: its nodes of one level, whose count is a power of two."""
    while len(nodes) > 1:
        pairs = iter(nodes)
        nodes = [_sha(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return nodes[0]


def folded(edge: Sequence[bytes], node: bytes = b"") -> bytes:
    """The root over an edge, and over `node` after it."""
    for left in reversed(edge):
        node = _sha(b"\x01" + left + node).digest() if node else left
    return node
