"""Inclusion and consistency proofs of RFC 9162 (2.1.3 and 2.1.4), made and judged, pure.

A proof is made from the roots of complete subtrees, which the storage keeps: `whole(level, i)` is the root over the
leaves from i * 2**level to (i + 1) * 2**level. Judging needs no tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.domain.decision_log.merkle_tree import node_hash

Whole = Callable[[int, int], bytes]


def inclusion(index: int, size: int, whole: Whole) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf up (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"There is no entry {index} among {size}.")
    path: list[bytes] = []
    start = 0
    while size > 1:
        left = _split(size)
        if index - start < left:
            path.append(subtree(start + left, size - left, whole))
            size = left
        else:
            path.append(subtree(start, left, whole))
            start, size = start + left, size - left
    return path[::-1]


def consistency(old: int, new: int, whole: Whole) -> list[bytes]:
    """What shows that the tree of `new` leaves extends that of `old`, 0 < old <= new (RFC 9162, 2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"A tree of {new} leaves extends none of {old}.")
    path: list[bytes] = []
    start, known = 0, True
    while old != new:
        left = _split(new)
        if old <= left:
            path.append(subtree(start + left, new - left, whole))
            new = left
        else:
            path.append(subtree(start, left, whole))
            start, old, new, known = start + left, old - left, new - left, False
    return [*([] if known else [subtree(start, new, whole)]), *path[::-1]]


def proven_root(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to (RFC 9162, 2.1.3.2); None where it has not the length that index and size call for."""
    if not 0 <= index < size:
        return None
    at, last, made = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            made = node_hash(step, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, step)
        at, last = at >> 1, last >> 1
    return made if last == 0 else None


def includes(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf to the root."""
    return proven_root(index, size, leaf, path) == root


def extends(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the new tree begins with the old (RFC 9162, 2.1.4.2). Everything extends an empty one."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not path and (old == 0 or old_root == new_root)
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, step)
        at, last = at >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, new_root)


def subtree(start: int, size: int, whole: Whole) -> bytes:
    """The root over the `size` leaves from `start`, where `start` is a multiple of the largest power of two in `size`."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return whole(level, start >> level)
    left = _split(size)
    return node_hash(subtree(start, left, whole), subtree(start + left, size - left, whole))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
