"""The log as files that foreign tools read: names, bytes and roots."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from bot.domain.decision_log.merkle_tree import leaf_hash, subtree_root
from bot.domain.decision_log.tiles import ENTRIES, HASH, Tile, Tiler, bundle, hashes, tiles_of, unbundle
from bot.domain.errors import EntryError


def files_of(entries: list[bytes]) -> dict[str, bytes]:
    tiler = Tiler()
    found = [file for entry in entries for file in tiler.add(entry)]
    return dict([*found, *tiler.end()])


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 5), "tile/1/999.p/5"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(2, 1234067), "tile/2/x001/x234/067"),
        (Tile(ENTRIES, 70000, 255), "tile/entries/x070/000.p/255"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0", "tile/00/000", "tile/64/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/x000/001",
        "tile/0/000/", "/tile/0/000", "tile/0/001/000", "tile/entries/../000", "tile/0/٣00", "tile/-1/000", "checkpoint", "tile/0/000\n",
    ],
)  # fmt: skip
def test_another_spelling_names_no_tile(path: str) -> None:
    assert Tile.parse(path) is None


@given(st.integers(0, 10**12), st.one_of(st.just(ENTRIES), st.integers(0, 63)), st.integers(1, 256))
def test_a_path_is_read_back(n: int, level: int | str, width: int) -> None:
    tile = Tile(level, n, width)
    assert Tile.parse(tile.path) == tile


def test_the_bytes_of_a_small_log_are_these() -> None:
    assert files_of([b"one", b""]) == {
        "tile/entries/000.p/2": b"\x00\x03one\x00\x00",
        "tile/0/000.p/2": hashlib.sha256(b"\x00one").digest() + hashlib.sha256(b"\x00").digest(),
    }


def test_the_bytes_of_a_log_with_three_levels_are_these() -> None:
    found = files_of([b"%d" % n for n in range(256 * 256 + 257)])
    assert sorted(path for path in found if path.startswith(("tile/1", "tile/2"))) == [
        "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1",
    ]  # fmt: skip
    assert "tile/0/256" in found
    assert found["tile/0/257.p/1"] == leaf_hash(b"65792")
    whole = hashlib.sha256(b"".join(found[path] for path in sorted(found))).hexdigest()
    assert whole == "4169c56d344f7cf1018ef4aaa50251bc48300bbe97c0616083eeba03e30e6f29"


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_536, 65_537])
def test_the_files_are_those_that_the_size_calls_for(size: int) -> None:
    entries = [b"%d" % n for n in range(size)]
    assert set(files_of(entries)) == {tile.path for tile in tiles_of(size)}


@pytest.mark.parametrize("size", [1, 3, 256, 300, 600])
def test_a_foreign_tree_has_the_root_of_the_tiles(size: int) -> None:
    foreign = InmemoryTree(algorithm="sha256")
    entries = [b"entry %d" % n for n in range(size)]
    for entry in entries:
        foreign.append_entry(entry)
    found = files_of(entries)
    leaves = [h for tile in tiles_of(size) if tile.level == 0 for h in hashes(found[tile.path]) or ()]
    assert subtree_root(leaves) == foreign.get_root()
    for tile in tiles_of(size):
        if tile.level == 1:
            for place, root in enumerate(hashes(found[tile.path]) or ()):
                assert root == subtree_root(leaves[place * 256 : place * 256 + 256])


def test_an_entry_whose_bytes_are_gone_leaves_its_leaf_and_no_bundle() -> None:
    tiler = Tiler()
    leaf = leaf_hash(b"gone")
    found = dict([*tiler.add(None, leaf), *tiler.end()])
    assert found == {"tile/0/000.p/1": leaf}


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_a_bundle_is_read_back(entries: list[bytes]) -> None:
    assert unbundle(bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x03on", b"\x00\x01a\x00"])
def test_a_bundle_whose_lengths_do_not_add_up_is_none(data: bytes) -> None:
    assert unbundle(data) is None


def test_a_bundle_takes_the_longest_entry_and_no_longer() -> None:
    assert unbundle(bundle([b"a" * 65_535])) == [b"a" * 65_535]
    with pytest.raises(EntryError, match="65,535"):
        bundle([b"a" * 65_536])


def test_a_tile_is_a_whole_number_of_hashes() -> None:
    assert hashes(b"a" * HASH * 2) == [b"a" * HASH] * 2
    assert hashes(b"a" * 33) is None
