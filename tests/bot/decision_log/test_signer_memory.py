"""The signer's memory is whole or as it was."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bot.decision_log.signer_memory import MEMORY, begin, recall, remember
from bot.domain.decision_log.signed_note import Checkpoint
from bot.domain.errors import NoteError, StorageError

SIGNED = Checkpoint("test.example/log", 7, bytes(range(32)))


@pytest.mark.usefixtures("no_umask")
def test_what_was_signed_last_is_remembered(tmp_path: Path) -> None:
    assert recall(tmp_path) is None
    remember(tmp_path, SIGNED)
    assert recall(tmp_path) == SIGNED
    assert stat.S_IMODE((tmp_path / MEMORY).stat().st_mode) == 0o600


def test_a_new_log_begins_at_nothing_and_never_forgets_what_was_signed(tmp_path: Path) -> None:
    begin(tmp_path, "made.example/first")
    begin(tmp_path, "made.example/second")  # a kill came between the memory and the commit of the log
    begun = recall(tmp_path)
    assert begun is not None
    assert (begun.origin, begun.size) == ("made.example/second", 0)
    remember(tmp_path, SIGNED)
    begin(tmp_path, "made.example/third")
    assert recall(tmp_path) == SIGNED


def test_a_memory_that_cannot_be_written_keeps_the_old_one(tmp_path: Path) -> None:
    remember(tmp_path, SIGNED)
    (tmp_path / (MEMORY + ".new")).mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        remember(tmp_path, Checkpoint("test.example/log", 8, bytes(32)))
    assert recall(tmp_path) == SIGNED


def test_a_damaged_memory_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / MEMORY).write_bytes(b"\xff\x00")
    with pytest.raises(NoteError):
        recall(tmp_path)
