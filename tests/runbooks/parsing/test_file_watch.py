"""The watcher: two scans agree, then a set counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from runbooks.loader import load_files
from runbooks.parsing.file_watch import changes
from runbooks.parsing.folder import read_folder


class Script:
    """Stands for the second between scans: does one thing per scan, then ends the watch."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts = list(acts)
        self.slept: list[float] = []

    async def sleep(self, span: float) -> None:
        self.slept.append(span)
        if not self.acts:
            raise asyncio.CancelledError
        self.acts.pop(0)()


async def seen(folder: Path, script: Script, **known: object) -> list[dict[str, bytes]]:
    found: list[dict[str, bytes]] = []
    try:
        async with aclosing(changes(folder, sleep=script.sleep, **known)) as sets:  # type: ignore[arg-type]
            async for files in sets:
                found.append(dict(files))
    except asyncio.CancelledError:
        pass
    return found


def nothing() -> None:
    pass


async def test_the_first_set_counts_after_two_scans(folder: Path, stored: dict[str, bytes]) -> None:
    script = Script(nothing)
    assert await seen(folder, script) == [stored]
    assert script.slept == [1.0, 1.0]


async def test_a_known_set_is_not_announced_again(folder: Path, stored: dict[str, bytes]) -> None:
    assert await seen(folder, Script(nothing, nothing), since=stored) == []


async def test_a_half_written_file_is_never_announced(folder: Path, stored: dict[str, bytes]) -> None:
    book = folder / "emergency.md"
    script = Script(
        lambda: book.write_text("---\nid: em"),
        lambda: book.write_text("---\nid: emergency\ntit"),
        lambda: book.write_bytes(stored["emergency.md"] + b"2. Act.\n"),
        nothing,
        nothing,
    )
    assert await seen(folder, script, since=stored) == [stored | {"emergency.md": stored["emergency.md"] + b"2. Act.\n"}]


async def test_a_change_is_announced_within_three_scans_and_its_return_too(folder: Path, stored: dict[str, bytes]) -> None:
    csv = folder / "targets.csv"
    other = b"target,domain\nad-prod,directory\n"
    script = Script(lambda: csv.write_bytes(other), nothing, lambda: csv.write_bytes(stored["targets.csv"]), nothing)
    assert await seen(folder, script, since=stored) == [stored | {"targets.csv": other}, stored]


async def test_a_file_and_a_folder_that_vanish_are_announced_and_refused(folder: Path, stored: dict[str, bytes]) -> None:
    moved = folder.with_name("moved")
    script = Script(lambda: (folder / "targets.csv").unlink(), nothing, lambda: folder.rename(moved), nothing, nothing)
    sets = await seen(folder, script, since=stored)
    assert [sorted(files) for files in sets] == [sorted(stored.keys() - {"targets.csv"}), []]
    assert all(load_files(files).policy is None for files in sets)


async def test_a_runbook_that_becomes_unreadable_refuses_the_set_and_does_not_vanish(folder: Path) -> None:
    (folder / "unlock.md").unlink()
    (folder / "unlock.md").mkdir()
    files = read_folder(folder)
    assert "unlock.md" not in files
    assert load_files(files).policy is None


async def test_what_cannot_be_read_is_announced_although_no_bytes_changed(folder: Path, stored: dict[str, bytes]) -> None:
    script = Script(lambda: (folder / "x.md").mkdir(), nothing, nothing)
    assert await seen(folder, script, since=read_folder(folder)) == [stored]
    assert load_files(read_folder(folder)).policy is None
