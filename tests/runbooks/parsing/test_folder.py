"""What may lie in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbooks.loader import load
from runbooks.parsing.folder import MAX_BYTES, fingerprint, read_folder


def says(folder: Path) -> list[tuple[str, str]]:
    loaded = load(folder)
    assert loaded.policy is None
    return [(f.file, f.text) for f in loaded.errors]


def test_exactly_the_policy_files_are_read(folder: Path, stored: dict[str, bytes]) -> None:
    (folder / "README.md").write_text("# hello")
    (folder / ".draft.md").write_text("draft")
    (folder / "loader.py").write_text("")
    (folder / "other.csv").write_text("")
    (folder / "sub").mkdir()
    (folder / "sub" / "x.md").write_text("")
    assert read_folder(folder) == stored


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    ((file, text),) = says(tmp_path / "nothing")
    assert file == "."
    assert text.startswith("The policy folder cannot be read: No such file")
    (tmp_path / "file").write_text("")
    assert says(tmp_path / "file")[0][0] == "."


def test_a_directory_called_like_a_runbook(folder: Path) -> None:
    (folder / "x.md").mkdir()
    assert says(folder) == [("x.md", "This is not a regular file: put a plain file here, or rename what stands here.")]


def test_a_pipe_does_not_hang_the_loader(folder: Path) -> None:
    os.mkfifo(folder / "x.md")
    assert says(folder)[0][0] == "x.md"


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "x.md"
    outside.write_text("secret")
    (folder / "x.md").symlink_to(outside)
    assert says(folder) == [("x.md", "The file leads out of the policy folder: put the file itself into the folder.")]


def test_a_link_that_stays_inside_is_followed(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "emergency.md").rename(folder / "..data" / "emergency.md")
    (folder / "emergency.md").symlink_to("..data/emergency.md")
    assert load(folder).findings == ()


def test_a_link_to_nothing_and_a_loop(folder: Path) -> None:
    (folder / "x.md").symlink_to("nowhere")
    (folder / "y.md").symlink_to("y.md")
    assert [file for file, _ in says(folder)] == ["x.md", "y.md"]


def test_a_targets_file_behind_a_link_out_is_one_finding(folder: Path) -> None:
    (folder / "targets.csv").unlink()
    (folder / "targets.csv").symlink_to("/etc/hostname")
    assert [file for file, _ in says(folder)] == ["targets.csv"]


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    (folder / "emergency.md").write_bytes(b"x" * (MAX_BYTES + 1))
    assert says(folder) == [("emergency.md", "The file is larger than 1 MB: split it or shorten it.")]


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "emergency.md").write_bytes(b"---\nid: \xff\n---\n")
    (folder / "responsibility.yaml").write_bytes(b"\x00\x01\x02")
    assert says(folder) == [
        ("emergency.md", "A byte here is not UTF-8: save the file as UTF-8."),
        ("responsibility.yaml", "A control character stands here: remove it."),
    ]


def test_a_file_name_that_is_no_text(folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"\xff.md")).write_text("")
    except OSError:
        pytest.skip("this file system has text names only")
    ((file, text),) = says(folder)
    assert (file, text.isascii()) == (".", True)


def test_the_fingerprint_follows_content_and_what_cannot_be_read(folder: Path) -> None:
    before = fingerprint(folder)
    os.utime(folder / "emergency.md", (1, 1))
    assert fingerprint(folder) == before
    (folder / "targets.csv").write_text("target,domain\nx,directory\n")
    changed = fingerprint(folder)
    assert changed != before
    (folder / "x.md").mkdir()
    assert fingerprint(folder) != changed
