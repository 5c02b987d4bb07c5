"""`countersign keys` and the log's public side, as somebody on the host types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.decision_log.keys import LOG_KEY, read_key
from bot.domain.decision_log.signed_note import read_note, read_vkey
from tests.database import url


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DATABASE_URL", url(tmp_path / "countersign.db"))
    monkeypatch.setenv("COUNTERSIGN_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def type_(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def test_init_makes_keys_once_and_says_so() -> None:
    assert type_("keys", "init")[1].count(": made") == 2
    assert type_("keys", "init")[1].count(": stands already") == 2


def test_show_prints_what_is_public(here: Path) -> None:
    type_("keys", "init")
    code, said = type_("keys", "show", "--json")
    assert code == 0
    public = read_key(here / "state" / LOG_KEY).public.hex()
    assert json.loads(said)["log"] == public
    code, said = type_("keys", "show")
    assert (code, said.splitlines()[0].split()) == (0, ["log", public])


@pytest.mark.sqlite  # the command begins the log; on PostgreSQL the first bot does
def test_vkey_names_the_log_by_its_origin(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_LOG_ORIGIN", "test.example/log")
    type_("keys", "init")
    type_("migrate")
    code, said = type_("log", "vkey")
    assert code == 0
    assert read_vkey(said) == read_key(here / "state" / LOG_KEY).vkey("test.example/log")


@pytest.mark.sqlite  # the command begins the log; on PostgreSQL the first bot does
def test_the_checkpoint_covers_what_nobody_signed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_LOG_ORIGIN", "test.example/log")
    type_("migrate")
    code, said = type_("log", "checkpoint")
    assert code == 0
    note = read_note(said)
    assert note.text.splitlines()[:2] == ["test.example/log", "1"]
    assert type_("log", "checkpoint") == (0, said)
