"""Proofs of one entry: accepted by a foreign implementation, made by one, and refused when forged."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from bot.domain.inclusion import TlogProof, inclusion, proven_root
from bot.domain.ledger import leaf_hash, subtree_root

LEAVES = [leaf_hash(b"%d" % n) for n in range(700)]


def subtree(level: int, i: int) -> bytes:
    """A complete subtree's root from the leaves; it fails where one is asked for that is not there."""
    part = LEAVES[i << level : (i + 1) << level]
    assert len(part) == 1 << level
    return subtree_root(part)


@given(st.integers(1, 700), st.data())
def test_a_proof_leads_to_the_root(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion(index, size, subtree)
    assert proven_root(index, size, LEAVES[index], path) == subtree_root(LEAVES[:size])
    if path:
        flipped = data.draw(st.integers(0, len(path) - 1))
        forged = [*path[:flipped], bytes(32), *path[flipped + 1 :]]
        assert proven_root(index, size, LEAVES[index], forged) != subtree_root(LEAVES[:size])
        assert proven_root(index, size, LEAVES[index], path[:-1]) is None
    assert proven_root(index, size, LEAVES[index], [*path, bytes(32)]) is None


@pytest.mark.parametrize("index", [-1, 5])
def test_what_is_not_in_the_tree_is_not_proven(index: int) -> None:
    with pytest.raises(ValueError, match="no entry"):
        inclusion(index, 5, subtree)
    assert proven_root(index, 5, LEAVES[0], []) is None


@pytest.mark.parametrize(
    ("index", "size"), [(0, 1), (0, 2), (1, 3), (4, 7), (255, 256), (256, 257), (300, 700), (699, 700)]
)
def test_a_foreign_tree_makes_the_same_proof(index: int, size: int) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for n in range(size):
        tree.append_entry(b"%d" % n)
    foreign = tree.prove_inclusion(index + 1, size)
    assert list(foreign.path[1:]) == inclusion(index, size, subtree)


def test_a_proof_file_has_exactly_this_text() -> None:
    proof = TlogProof(5, (b"\x01" * 32, b"\x02" * 32), "origin\n8\nroot\n\n— origin sig\n", b"{}")
    one, two = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    assert proof.text() == f"c2sp.org/tlog-proof@v1\nextra e30=\nindex 5\n{one}\n{two}\n\norigin\n8\nroot\n\n— origin sig\n"
    assert TlogProof.parse(proof.text()) == proof
    bare = TlogProof(0, (), "note\n")
    assert bare.text() == "c2sp.org/tlog-proof@v1\nindex 0\n\nnote\n"
    assert TlogProof.parse(bare.text()) == bare


@pytest.mark.parametrize(
    "text",
    ["", "x", "c2sp.org/tlog-proof@v1\n\nnote", "c2sp.org/tlog-proof@v1\nindex 01\n\nnote", "c2sp.org/tlog-proof@v1\nindex 1\nAA==\n\nn",
     "c2sp.org/tlog-proof@v2\nindex 1\n\nnote", "c2sp.org/tlog-proof@v1\nindex 1\n!\n\nnote"],
)  # fmt: skip
def test_what_is_no_proof_is_none(text: str) -> None:
    assert TlogProof.parse(text) is None
