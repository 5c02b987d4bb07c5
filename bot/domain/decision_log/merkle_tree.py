"""The log's Merkle tree over the entries' exact bytes.

Leaf SHA-256(0x00 ‖ bytes), node SHA-256(0x01 ‖ left ‖ right). Source: RFC 9162, 2.1; decision-log.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

NODE_LEVELS = (8, 16, 24)


@dataclass(frozen=True, slots=True)
class Node:
    """Root of a complete subtree of 2**level leaves; `i` counts such subtrees from 0."""

    level: int
    i: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def edge_sizes(size: int) -> list[int]:
    """Sizes of the complete subtrees of a tree of `size` leaves, largest first: its binary digits."""
    return [1 << bit for bit in range(size.bit_length() - 1, -1, -1) if size >> bit & 1]


def append(size: int, edge: Sequence[bytes], leaf: bytes) -> list[bytes]:
    """The edge (roots of complete subtrees, largest first) after one more leaf."""
    return grow(size, edge, leaf)[0]


def grow(size: int, edge: Sequence[bytes], leaf: bytes) -> tuple[list[bytes], list[Node]]:
    """The edge after one more leaf on a tree of `size`, and the nodes of NODE_LEVELS that it completed."""
    grown, node, level, nodes = list(edge), leaf, 0, list[Node]()
    while size >> level & 1:
        node = node_hash(grown.pop(), node)
        level += 1
        if level in NODE_LEVELS:
            nodes.append(Node(level, size >> level, node))
    grown.append(node)
    return grown, nodes


def root(edge: Sequence[bytes]) -> bytes:
    """The tree's root from its edge; of an empty tree SHA-256 of nothing (RFC 9162, 2.1.1)."""
    if not edge:
        return hashlib.sha256(b"").digest()
    node = edge[-1]
    for left in reversed(edge[:-1]):
        node = node_hash(left, node)
    return node


def subtree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over any number of leaves, as RFC 9162 defines it."""
    edge: list[bytes] = []
    for size, leaf in enumerate(leaves):
        edge = append(size, edge, leaf)
    return root(edge)
