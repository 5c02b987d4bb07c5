"""`countersign matrix` as a shell sees it: forms, files, exit codes, and the consent in the database."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from tests.conftest import EXAMPLE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def typed(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["matrix", *words])
    return done.exit_code, done.stdout


def test_every_form_is_printed_and_json_has_two_names(folder: Path) -> None:
    code, text = typed(str(folder))
    assert code == 0
    assert text.startswith("Example Health Trust · policy ")
    assert typed(str(folder), "--format", "text") == (0, text)
    assert json.loads(typed(str(folder), "--json")[1]) == json.loads(typed(str(folder), "--format", "json")[1])
    assert len(list(csv.DictReader(io.StringIO(typed(str(folder), "--format", "csv")[1])))) > 6
    assert typed(str(folder), "--format", "html")[1].startswith("<!doctype html>")


def test_a_file_gets_the_very_bytes(folder: Path, tmp_path: Path) -> None:
    for form in ("text", "json", "csv", "html"):
        out = tmp_path / f"matrix.{form}"
        assert typed(str(folder), "--format", form, "--out", str(out))[0] == 0
        assert out.read_bytes().decode().replace("\r\n", "\n") == typed(str(folder), "--format", form)[1].replace(
            "\r\n", "\n"
        )
    assert b"\r\n" in (tmp_path / "matrix.csv").read_bytes()


def test_wrong_use_is_2_and_a_refused_policy_1(folder: Path, tmp_path: Path) -> None:
    assert typed(str(folder), "--format", "pdf")[0] == 2
    assert typed(str(folder), "--out", str(tmp_path / "nowhere" / "x"))[0] == 2
    assert typed(str(tmp_path / "nowhere"))[0] == 2
