"""Names that are no settings: each is said once, with the one that was meant, and no value is ever shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.app import serve
from bot.domain.errors import SettingsError
from bot.runtime.setting_typos import known, strays
from bot.settings import Settings, load


def said(tmp_path: Path, text: str = "", **environment: str) -> list[tuple[str, bool]]:
    file = tmp_path / ".env"
    file.write_text(text)
    return [(s.text.replace(f"{tmp_path}/", ""), s.others) for s in strays(environment, tmp_path, file)]


def test_every_setting_is_known() -> None:
    assert {"SLACK_BOT_TOKEN", "COUNTERSIGN_LISTEN", "COUNTERSIGN_SECRETS_DIR"} <= known()
    assert len(known()) == len(Settings.model_fields) + 2


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("COUNTERSIGN_RUNBOOK_DIR", "COUNTERSIGN_RUNBOOKS_DIR"), ("COUNTERSIGN_LISTN", "COUNTERSIGN_LISTEN"),
        ("SLACK_APP_TOKN", "SLACK_APP_TOKEN"), ("SLACK_SIGNING_SECERT", "SLACK_SIGNING_SECRET"),
    ],
)  # fmt: skip
def test_a_typing_mistake_is_named_with_what_was_meant(tmp_path: Path, name: str, meant: str) -> None:
    assert said(tmp_path, **{name: "secret"}) == [
        (f"{name} in the environment is no setting and was left out. Did you mean {meant}?", False)
    ]
    assert said(tmp_path, f"# mine\n\n{name}=secret\n") == [
        (f"{name} in .env:3 is no setting and was left out. Did you mean {meant}?", False)
    ]


def test_names_of_other_tools_are_for_doctor_only(tmp_path: Path) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_TOKEN", "SLACK_SOMETHING_ELSE"):
        assert said(tmp_path, **{name: "x"}) == [
            (f"{name} in the environment is no setting of Countersign; it is not read.", True)
        ]
    assert said(tmp_path, PATH="/bin", PAGE_OLGA="x", COUNTERSIG_LISTEN="x") == []


def test_a_prefix_that_is_spelt_wrong_is_seen_in_our_own_file(tmp_path: Path) -> None:
    ((text, _),) = said(tmp_path, "COUNTERSING_LISTEN=127.0.0.1:1\nPAGE_OLGA=x\n")
    assert text.endswith("Did you mean COUNTERSIGN_LISTEN?")


@pytest.mark.parametrize("line", ["xoxb-secret-1", "this is no setting", "'secret", "COUNTERSIGN_LISTEN"])
def test_a_line_that_is_no_setting_is_said_without_what_it_holds(tmp_path: Path, line: str) -> None:
    ((text, _),) = said(tmp_path, f"COUNTERSIGN_LISTEN=127.0.0.1:1\n{line}\n")
    assert text == ".env:2 is no setting and was left out: write NAME=value, or begin the line with #."


def test_a_variable_that_the_policy_names_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "responsibility.yaml").write_text('people:\n  olga: {page: "env:COUNTERSIGN_PAGE_OLGA"}\n  broken: [')
    (tmp_path / "book.md").write_text("---\nexecutor: {secret: env:SLACK_PAM_SECRET}\n---\n")
    named = {"COUNTERSIGN_PAGE_OLGA": "x", "SLACK_PAM_SECRET": "x"}
    assert said(tmp_path, "COUNTERSIGN_PAGE_OLGA=x\n", **named) == []
    [(text, _)] = said(tmp_path, COUNTERSIGN_PAGE_OLG="x")
    assert text.startswith("COUNTERSIGN_PAGE_OLG in the environment is no setting")


def test_settings_as_they_should_be_say_nothing(tmp_path: Path) -> None:
    assert said(tmp_path, "# COUNTERSIGN_X=1\nexport SLACK_BOT_TOKEN=xoxb-1\n", COUNTERSIGN_LISTEN="x") == []
    assert strays({}, tmp_path, tmp_path / "none") == ()
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    assert strays({}, tmp_path, tmp_path / "odd") == ()


def test_a_start_warns_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("no setting at all\nCOUNTERSIGN_LISTN=1\nSLACK_CLIENT_ID=1\n")
    monkeypatch.setattr("bot.app.configure", lambda _: None)
    with capture_logs() as lines, pytest.raises(SettingsError, match="SLACK_BOT_TOKEN is not set"):
        asyncio.run(serve(load()))
    texts = [line["text"] for line in lines if line["event"] == "settings.unknown"]
    assert [t.split()[0] for t in texts] == [".env:1", "COUNTERSIGN_LISTN"]
    assert "dotenv" not in caplog.text
