"""The database is opened on a disk that is full to the last block, with the room beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import DiskRefuses
from storage.sqlite import room
from storage.sqlite.driver import SqliteDatabase
from storage.store import SqliteStore
from tests.bot.office import HandClock


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database on a disk whose only free block is the room: opening fails as SQLite fails, until the room is given back."""
    file, real = tmp_path / "bot.db", SqliteDatabase.open

    async def opened(path: Path, **how: Any) -> SqliteDatabase:
        if room._room(file).exists():
            raise DiskRefuses("The disk refused to read or write; it is full or broken. Nothing was written.")
        return await real(path, **how)

    monkeypatch.setattr(SqliteDatabase, "open", opened)
    return file


async def stored(file: Path, *, read_only: bool = False) -> None:
    await (await SqliteStore.open(file, HandClock(), "test.example/log", read_only=read_only)).close()


@pytest.mark.usefixtures("no_umask")
@pytest.mark.parametrize("read_only", [False, True])
async def test_a_full_disk_hinders_no_opening(tmp_path: Path, full: Path, read_only: bool) -> None:
    await stored(full)
    assert room._room(full).stat().st_size == room.SIZE
    assert room._room(full).stat().st_mode & 0o777 == 0o600
    await stored(full, read_only=read_only)
    assert room._room(full).exists() is not read_only  # made again where something may be written


async def test_without_room_the_disks_own_message_is_shown(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await stored(full)
    monkeypatch.setattr(room, "give_back", lambda _file: False)
    with pytest.raises(DiskRefuses, match="full or broken"):
        await stored(full)


def test_a_room_that_is_short_is_filled_and_one_that_cannot_be_made_is_none(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    room._room(file).write_bytes(b"short")
    room.keep(file)
    assert room._room(file).read_bytes() == bytes(room.SIZE)
    assert room.give_back(file)
    assert not room.give_back(file)
    room.keep(tmp_path / "missing" / "bot.db")
    assert not (tmp_path / "missing").exists()
