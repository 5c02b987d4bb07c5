"""What editors, file managers and shells add to what a person meant."""

from __future__ import annotations

import pytest

from bot.domain.errors import TextFileError
from bot.domain.policy.handed_in import file_text, is_litter, trimmed, value_of


@pytest.mark.parametrize("content", [b"a\nb\n", b"\xef\xbb\xbfa\nb\n", b"a\r\nb\r\n", b"\xef\xbb\xbfa\r\nb\r\n"])
def test_a_mark_and_windows_line_ends_are_dropped(content: bytes) -> None:
    assert file_text(content) == "a\nb\n"


def test_tabs_and_other_signs_stay() -> None:
    assert file_text("\tcut -d'\t' é\r".encode()) == "\tcut -d'\t' é\r"


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(code: str) -> None:
    with pytest.raises(TextFileError, match="UTF-16: save it as UTF-8"):
        file_text("log.example+0a1b2c3d".encode(code))


def test_another_code_page_is_named_with_its_line() -> None:
    with pytest.raises(TextFileError, match="not UTF-8: save the file as UTF-8") as caught:
        file_text(b"a\nb\nZo\xeb\n")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "path",
    [
        ".DS_Store", "tile/.DS_Store", "policy/ab/._matrix.md", "Thumbs.db", "thumbs.db", "tile/desktop.ini", "__MACOSX/x/y",
        "responsibility.yaml~", ".runbook.md.swp", "#notes#", ".~lock.targets.csv#", "$RECYCLE.BIN/x",
        "tile/.localized", "checkpoint:Zone.Identifier", "checkpoint.Zone.Identifier", "~$notes.docx", "@eaDir/checkpoint@SynoEAStream",
        ".Trash-1000/x", "lost+found", "System Volume Information/x", ".stfolder", ".dropbox.attr",
    ],
)  # fmt: skip
def test_what_file_managers_and_editors_leave_is_litter(path: str) -> None:
    assert is_litter(path)


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/001.p/3", "policy/ab/responsibility.yaml", "a.DS_Store", "notes.txt", "x.db"]
)
def test_everything_else_is_none(path: str) -> None:
    assert not is_litter(path)


def test_white_space_at_the_ends_of_a_value_is_dropped() -> None:
    assert trimmed("\ufeff xoxb-1\r\n") == "xoxb-1"
    assert trimmed("\u200b\n \u2060xoxb-1\u200e \u00ad\n") == "xoxb-1"
    assert value_of("env:URL", {"URL": "https://a.example/x\n"}) == "https://a.example/x"
    assert value_of("env:URL", {}) == ""
    assert value_of("ntfy://x", {"ntfy://x": "no"}) == "ntfy://x"
