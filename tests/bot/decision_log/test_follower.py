"""What a replica remembers of what others signed: it copies only what extends its memory, and begins only on the key's word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.decision_log.follower import SharedLog, believe, catch_up, vouched_note
from bot.decision_log.keys import make_keys, signing_keys
from bot.decision_log.signer_memory import recall, remember
from bot.domain.decision_log.inclusion_proof import consistency
from bot.domain.decision_log.merkle_tree import leaf_hash, root, subtree_root
from bot.domain.decision_log.signed_note import Checkpoint, sign
from bot.domain.errors import NoteError

ORIGIN, NONCE = "test.example/log", "ab" * 16
LEAVES = [leaf_hash(bytes([n])) for n in range(8)]


def point(size: int, leaves: Sequence[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root(leaves[:size]) if size < 2 else tree(leaves[:size]))


def tree(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, written out."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return subtree_root([tree(leaves[:split]), tree(leaves[split:])])


def signed(folder: Path, checkpoint: Checkpoint) -> str:
    return str(sign(checkpoint.text, [(key.vkey(checkpoint.origin), key.sign) for key in signing_keys(folder)]))


class Log(SharedLog):
    """The newest note of a leader, and proofs from its leaves."""

    def __init__(self, note: str | None) -> None:
        self._note = note

    async def last_checkpoint(self) -> str | None:
        return self._note

    async def between(self, old: int, new: int) -> Sequence[bytes]:
        return consistency(old, new, lambda level, i: tree(LEAVES[i << level : (i + 1) << level]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_keys(tmp_path)
    return tmp_path


async def test_a_checkpoint_that_extends_the_memory_is_copied(folder: Path) -> None:
    remember(folder, point(3))
    assert await catch_up(Log(signed(folder, point(7))), folder) == 7
    assert recall(folder) == point(7)
    assert await catch_up(Log(signed(folder, point(5))), folder) == 7  # an older one changes nothing


async def test_a_fork_is_not_copied(folder: Path) -> None:
    remember(folder, point(3))
    other = [*LEAVES[:2], leaf_hash(b"another"), *LEAVES[3:]]
    with pytest.raises(NoteError, match="does not extend"):
        await catch_up(Log(signed(folder, point(7, other))), folder)
    assert recall(folder) == point(3)


async def test_a_note_of_another_key_is_not_copied(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    remember(folder, point(3))
    stranger = tmp_path_factory.mktemp("stranger")
    make_keys(stranger)
    with pytest.raises(NoteError):
        await catch_up(Log(signed(stranger, point(7))), folder)


async def test_without_a_memory_nothing_is_copied(folder: Path) -> None:
    assert await catch_up(Log(signed(folder, point(7))), folder) is None
    assert recall(folder) is None


def test_a_replica_without_a_memory_believes_the_leaders_answer_about_its_own_nonce(folder: Path) -> None:
    remember(folder, point(5))
    note, other = vouched_note(folder, NONCE), vouched_note(folder, "cd" * 16)
    assert note is not None
    assert other is not None
    (folder / "log.memory").unlink()
    with pytest.raises(NoteError, match="another replica"):
        believe(folder, ORIGIN, NONCE, other)
    with pytest.raises(NoteError):
        believe(folder, ORIGIN, NONCE, signed(folder, point(5)))  # a checkpoint is no answer to a nonce
    believe(folder, ORIGIN, NONCE, note)
    assert recall(folder) == point(5)


def test_who_has_no_memory_vouches_for_nobody(folder: Path) -> None:
    assert vouched_note(folder, NONCE) is None
