"""`env:NAME` comes from the environment, `.env` or the secrets directory, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import settings
from bot.runtime import named_values as module
from bot.runtime.named_values import named_values
from runbooks.loader import load_files
from runbooks.parsing.folder import read_folder
from tests.conftest import EXAMPLE


def test_the_environment_wins_over_env_and_env_over_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    for name in ("PAGE_A", "PAGE_B", "PAGE_C"):
        (tmp_path / "secrets" / name).write_text("secret\n")
    (tmp_path / ".env").write_text("PAGE_A=file\nPAGE_B=file\nPAGE_EMPTY=\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("PAGE_A", "environment")
    found = named_values()
    assert [found[name] for name in ("PAGE_A", "PAGE_B", "PAGE_C")] == ["environment", "file", "secret"]
    assert "PAGE_EMPTY" not in found


def test_an_address_in_env_satisfies_the_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = dict(read_folder(EXAMPLE))
    matrix = files["responsibility.yaml"].decode()
    files["responsibility.yaml"] = matrix.replace("{id: U0OWNER,", '{id: U0OWNER, page: "env:PAGE_OLGA",').encode()
    monkeypatch.chdir(tmp_path)
    assert load_files(files, environment=named_values(), require_env=True).policy is None
    (tmp_path / ".env").write_text("PAGE_OLGA=ntfy://olga\n")
    assert load_files(files, environment=named_values(), require_env=True).policy is not None


def test_what_cannot_be_read_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes("PAGE_A=file\n".encode("utf-16"))
    monkeypatch.chdir(tmp_path)
    assert "PAGE_A" not in named_values()


def test_the_file_is_the_settings_own() -> None:
    assert settings.ENV_FILE == module.ENV_FILE
