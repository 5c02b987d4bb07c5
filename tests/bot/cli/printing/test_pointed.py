"""A finding of `check` with file, line and column; on a terminal the line itself, with a mark under the place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.cli.printing import pointed as module
from runbooks.parsing.findings import PolicyFinding


def test_the_column_is_that_of_the_word_that_the_finding_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "responsibility.yaml").write_text("people:\n    olga: {id: U0}\n")
    named = PolicyFinding("error", "responsibility.yaml", 2, "`U0` is no id")
    place = f"{tmp_path}/responsibility.yaml:2"
    assert module.pointed(tmp_path, named) == [f"{place}:16: error: `U0` is no id"]
    other = PolicyFinding("warning", "responsibility.yaml", 2, "Nobody is asked")
    assert module.pointed(tmp_path, other) == [f"{place}:5: warning: Nobody is asked"]
    monkeypatch.setattr(module, "is_terminal", lambda: True)
    _, line, mark, _ = module.pointed(tmp_path, named)
    assert line == "    2 |     olga: {id: U0}"
    assert mark.index("^") == line.index("U0")


def test_a_finding_on_the_folder_has_its_first_place(tmp_path: Path) -> None:
    assert module.pointed(tmp_path, PolicyFinding("error", ".", 1, "It is empty")) == [
        f"{tmp_path}:1:1: error: It is empty"
    ]


@pytest.mark.timeout(10)
def test_a_pipe_in_the_folder_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.md")
    [said] = module.pointed(tmp_path, PolicyFinding("error", "a.md", 1, "This is not a regular file."))
    assert said == f"{tmp_path}/a.md:1:1: error: This is not a regular file."
