"""The lock that commits take."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.domain.errors import StorageError
from storage.sqlite.lock import FileLock


@pytest.mark.usefixtures("no_umask")
def test_two_holders_of_one_directory_exclude_each_other(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "state"), FileLock(tmp_path / "state")
    with first, pytest.raises(BlockingIOError):
        fcntl.flock(second._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with second:
        pass
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    first.close()
    second.close()


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    child = (
        "import os, signal, sys; from pathlib import Path; from storage.sqlite.lock import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); lock.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", child, str(tmp_path)], cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == -9
    lock = FileLock(tmp_path)
    with lock:
        pass
    lock.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be opened"):
        FileLock(tmp_path / "file")
    assert os.listdir(tmp_path) == ["file"]
