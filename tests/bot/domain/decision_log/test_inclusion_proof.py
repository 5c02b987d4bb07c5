"""Proofs against pymerkle, a foreign tree, for every pair of small sizes; and every forged one is refused."""

from __future__ import annotations

import pytest
from pymerkle import InmemoryTree

from bot.domain.decision_log.inclusion_proof import consistency, extends, includes, inclusion
from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root

SIZES = range(1, 41)
DATA = [f"entry {i}".encode() for i in range(40)]
LEAVES = [leaf_hash(data) for data in DATA]


def whole(level: int, i: int) -> bytes:
    return subtree_root(LEAVES[i << level : (i + 1) << level])


def root(size: int) -> bytes:
    return subtree_root(LEAVES[:size])


@pytest.fixture(scope="module")
def foreign() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for data in DATA:
        tree.append_entry(data)
    return tree


@pytest.mark.parametrize("size", SIZES)
def test_every_audit_path_is_the_foreign_one_and_leads_to_the_foreign_root(size: int, foreign: InmemoryTree) -> None:
    for index in range(size):
        path = inclusion(index, size, whole)
        assert path == _foreign(foreign.prove_inclusion(index + 1, size))[1:]
        assert includes(index, size, LEAVES[index], path, foreign.get_root(size))


@pytest.mark.parametrize(("index", "size"), [(255, 256), (256, 257), (300, 700), (699, 700)])
def test_beyond_a_tile_too_the_audit_path_is_the_foreign_one(index: int, size: int) -> None:
    tree, leaves = InmemoryTree(algorithm="sha256"), [leaf_hash(b"%d" % n) for n in range(size)]
    for n in range(size):
        tree.append_entry(b"%d" % n)
    made = inclusion(index, size, lambda level, i: subtree_root(leaves[i << level : (i + 1) << level]))
    assert made == _foreign(tree.prove_inclusion(index + 1, size))[1:]


def _foreign(proof: object) -> list[bytes]:
    return [bytes.fromhex(step) for step in proof.serialize()["path"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("new", SIZES)
def test_every_consistency_path_holds_between_foreign_roots(new: int, foreign: InmemoryTree) -> None:
    for old in range(1, new + 1):
        path = consistency(old, new, whole)
        assert extends(old, new, foreign.get_root(old), foreign.get_root(new), path)


def test_everything_extends_an_empty_log() -> None:
    assert extends(0, 5, subtree_root([]), root(5), [])
    assert not extends(0, 5, subtree_root([]), root(5), [LEAVES[0]])


@pytest.mark.parametrize("size", [1, 2, 7, 8, 33])
def test_a_forged_audit_path_is_refused(size: int) -> None:
    for index in range(size):
        path = inclusion(index, size, whole)
        assert not includes(index, size, leaf_hash(b"another"), path, root(size))
        assert not includes(index + size, size, LEAVES[index], path, root(size))
        assert not includes(index, size, LEAVES[index], [*path, bytes(32)], root(size))
        for at in range(len(path)):
            assert not includes(index, size, LEAVES[index], path[:at] + path[at + 1 :], root(size))
            assert not includes(index, size, LEAVES[index], [*path[:at], bytes(32), *path[at + 1 :]], root(size))


@pytest.mark.parametrize("new", [2, 7, 8, 33])
def test_a_forged_consistency_path_is_refused(new: int) -> None:
    for old in range(1, new):
        path = consistency(old, new, whole)
        assert not extends(old, new, bytes(32), root(new), path)
        assert not extends(old, new, root(old), bytes(32), path)
        assert not extends(old, new, root(old), root(new), [*path, bytes(32)])
        assert not extends(new, old, root(new), root(old), path)
        for at in range(len(path)):
            assert not extends(old, new, root(old), root(new), path[:at] + path[at + 1 :])


def test_the_same_size_with_another_root_is_no_extension() -> None:
    assert extends(5, 5, root(5), root(5), [])
    assert not extends(5, 5, root(5), root(4), [])


def test_a_proof_of_what_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no entry 5"):
        inclusion(5, 5, whole)
    with pytest.raises(ValueError, match="extends none of 6"):
        consistency(6, 5, whole)
