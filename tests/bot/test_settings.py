"""Settings: one clear sentence a fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.domain.errors import SettingsError
from bot.ports.database import PostgresServer
from bot.runtime.setting_typos import strays
from bot.settings import Settings, load


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine and no .env file."""
    import os

    for name in list(os.environ):
        if name.startswith(("COUNTERSIGN_", "SLACK_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def loaded(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load()


def test_the_defaults_are_the_documented_ones() -> None:
    settings = load()
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.database_url == "sqlite:///countersign.db"
    assert settings.database == Path("countersign.db")
    assert (settings.listen, settings.ops_listen) == ("127.0.0.1:3000", "127.0.0.1:3001")
    assert (settings.runbooks_dir, settings.state_dir) == (Path("runbooks"), Path(".countersign"))
    assert (settings.log_origin, settings.log_format, settings.command_prefix, settings.time_scale) == (None, None, "", 1)


def test_slacks_own_names_are_kept_and_the_rest_has_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, SLACK_BOT_TOKEN="xoxb-1", COUNTERSIGN_COMMAND_PREFIX="cs-")
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1"
    assert settings.command_prefix == "cs-"


def test_a_dotenv_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("COUNTERSIGN_LISTEN=127.0.0.1:9000\nSLACK_APP_TOKEN=xapp-2\n")
    settings = loaded(monkeypatch, SLACK_APP_TOKEN="xapp-1")
    assert settings.listen == "127.0.0.1:9000"
    assert settings.slack_app_token is not None
    assert settings.slack_app_token.get_secret_value() == "xapp-1"


def test_a_secrets_directory_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "slack_bot_token").write_text("xoxb-9\n")
    settings = loaded(monkeypatch, COUNTERSIGN_SECRETS_DIR=str(secrets))
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value().strip() == "xoxb-9"


def test_a_set_but_empty_setting_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, SLACK_BOT_TOKEN="", COUNTERSIGN_TIME_SCALE="").slack_bot_token is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLACK_BOT_TOKEN", "verysecret", r"SLACK_BOT_TOKEN: must start with xoxb-"),
        ("SLACK_APP_TOKEN", "verysecret", r"SLACK_APP_TOKEN: must start with xapp-"),
        ("SLACK_BOT_TOKEN", "xapp-verysecret", r"SLACK_BOT_TOKEN: .* swapped"),
        ("SLACK_APP_TOKEN", "xoxb-verysecret", r"SLACK_APP_TOKEN: .* swapped"),
        ("SLACK_API_URL", "slack.com", r"SLACK_API_URL: must be an address"),
        ("SLACK_API_URL", "http://slack.com/api/", r"SLACK_API_URL: must be an address that starts with https://"),
        ("SLACK_API_URL", "http://127.0.0.1.evil.example/api/", r"SLACK_API_URL: must be an address"),
        ("SLACK_API_URL", "http://10.0.0.1/api/", r"SLACK_API_URL: must be an address"),
        ("SLACK_API_URL", "http://127.0.0.1@evil.example/", r"SLACK_API_URL: must be an address"),
        ("SLACK_API_URL", "https:///api/", r"SLACK_API_URL: must be an address"),
        ("SLACK_API_URL", "https://[::1/api/", r"SLACK_API_URL: must be an address"),
        ("COUNTERSIGN_DATABASE_URL", "mysql://x", r"COUNTERSIGN_DATABASE_URL: must start with sqlite:///"),
        ("COUNTERSIGN_LOG_FORMAT", "xml", r"COUNTERSIGN_LOG_FORMAT: is json or console"),
        ("COUNTERSIGN_TIME_SCALE", "fast", r"^COUNTERSIGN_TIME_SCALE: is not a number: leave it out, or write 1\.$"),
    ],
)
def test_a_malformed_setting_is_one_sentence_that_names_it_and_hides_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says) as told:
        loaded(monkeypatch, **{name: value})
    assert "\n" not in str(told.value)
    assert "verysecret" not in str(told.value)


def test_two_faults_are_two_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as told:
        loaded(monkeypatch, SLACK_BOT_TOKEN="nonsense", COUNTERSIGN_LOG_FORMAT="xml")
    assert len(str(told.value).splitlines()) == 2
    assert "nonsense" not in str(told.value)


@pytest.mark.parametrize("scale", ["0.5", "0", "-1", "nan", "inf"])
def test_policy_times_are_never_stretched(monkeypatch: pytest.MonkeyPatch, scale: str) -> None:
    with pytest.raises(SettingsError, match="TIME_SCALE"):
        loaded(monkeypatch, COUNTERSIGN_TIME_SCALE=scale, SLACK_API_URL="http://127.0.0.1:1/api/")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "http://localhost/api/", "http://[::1]:9/api/"])
def test_time_runs_faster_only_against_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = loaded(monkeypatch, COUNTERSIGN_TIME_SCALE="60", SLACK_API_URL=url)
    assert settings.time_scale == 60
    assert settings.slack_api_url.endswith("/api/")


@pytest.mark.parametrize("url", ["https://slack.com/api/", "https://127.0.0.1.evil.example/api/"])
def test_time_does_not_run_faster_against_anybody_else(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(SettingsError, match="TIME_SCALE above 1"):
        loaded(monkeypatch, COUNTERSIGN_TIME_SCALE="60", SLACK_API_URL=url)


def test_a_server_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, COUNTERSIGN_DATABASE_URL="postgresql://bot:secret@db.example/countersign")
    assert isinstance(settings.database, PostgresServer)
    assert str(settings.database) == "countersign on db.example"
    assert "secret" not in repr(settings.database)


def test_what_slack_needs_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN is not set"):
        load().require_slack()
    with pytest.raises(SettingsError, match="Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set"):
        loaded(monkeypatch, SLACK_BOT_TOKEN="xoxb-1").require_slack()
    loaded(monkeypatch, SLACK_APP_TOKEN="xapp-1").require_slack()


def test_no_token_is_in_the_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, SLACK_BOT_TOKEN="xoxb-verysecret", SLACK_SIGNING_SECRET="alsosecret")
    assert "verysecret" not in repr(settings)
    assert "alsosecret" not in str(settings)


def test_case_env_newline(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        monkeypatch, SLACK_APP_TOKEN="xapp-1-A0EXAMPLE-1\n", SLACK_SIGNING_SECRET="0123456789abcdef\n",
        SLACK_BOT_TOKEN="\ufeffxoxb-1\r\n", COUNTERSIGN_LISTEN=" 127.0.0.1:3000\n", COUNTERSIGN_HEARTBEAT_URL="https://a.example/x\n",
    )  # fmt: skip
    tokens = (settings.slack_app_token, settings.slack_signing_secret, settings.slack_bot_token, settings.heartbeat_url)
    assert [token.get_secret_value() for token in tokens if token] == [
        "xapp-1-A0EXAMPLE-1", "0123456789abcdef", "xoxb-1", "https://a.example/x",
    ]  # fmt: skip
    assert settings.listen == "127.0.0.1:3000"


def test_a_value_of_white_space_alone_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, SLACK_APP_TOKEN=" \n").slack_app_token is None


@pytest.mark.parametrize("name", ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"])
def test_a_line_break_inside_a_token_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: holds a space, a line break or a sign that no token has: copy"):
        loaded(monkeypatch, **{name: "xoxb-1\nX-Header: 2"})


def test_a_byte_order_mark_of_the_env_file_is_dropped(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfSLACK_BOT_TOKEN=xoxb-1\r\nCOUNTERSIGN_LISTEN=127.0.0.1:1\r\n")
    settings = load()
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1"
    assert settings.listen == "127.0.0.1:1"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("SLACK_BOT_TOKEN=xoxb-1\n".encode("utf-16"), r"\.env:1: The file is UTF-16"),
        ("SLACK_BOT_TOKEN=xoxb-1\n".encode("utf-16-be"), r"\.env:1: The file is UTF-16"),
        (b"A=1\nB=\xe9\n", r"\.env:2: A byte here is not UTF-8"),
    ],
)
def test_a_settings_file_in_another_encoding_is_named_and_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(content)
    with pytest.raises(SettingsError, match=why):
        load()


@pytest.mark.timeout(10)
def test_a_pipe_in_the_place_of_the_settings_file_is_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(".env")
    with pytest.raises(SettingsError, match="no regular file"):
        load()
    assert list(strays({})) == []


def test_a_secret_that_is_no_text_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slack_bot_token").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("COUNTERSIGN_SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match="COUNTERSIGN_SECRETS_DIR cannot be read"):
        load()


@pytest.mark.parametrize("name", ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"])
@pytest.mark.parametrize("value", ['"0123456789abcdef"', "'xoxb-1'", "“xapp-1”"])
def test_quotation_marks_around_a_token_are_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(
        SettingsError, match=rf"^{name}: holds quotation marks, which are a part of it here: leave them out.$"
    ):
        loaded(monkeypatch, **{name: value})


@pytest.mark.parametrize("name", ["SLACK_API_URL", "COUNTERSIGN_HEARTBEAT_URL", "COUNTERSIGN_PAGERDUTY_URL"])
@pytest.mark.parametrize(
    "address",
    ["https://", "https://a b/", "https://a/\nHost: x", "https://a:99999/", "http://[bad", "http://127.0.0.1@a.example/"],
)
def test_an_address_that_leads_nowhere_is_one_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        loaded(monkeypatch, **{name: address})


@pytest.mark.parametrize("server", ["smtp://[bad", "smtp://h:bad", "http://h", "smtp://"])
def test_a_mail_server_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    with pytest.raises(SettingsError, match=r"^COUNTERSIGN_SMTP_URL reads"):
        loaded(monkeypatch, COUNTERSIGN_ANCHOR_MAIL="a@b", COUNTERSIGN_SMTP_FROM="c@d", COUNTERSIGN_SMTP_URL=server)


def test_a_folder_of_secrets_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^COUNTERSIGN_SECRETS_DIR: .*is no folder"):
        loaded(monkeypatch, COUNTERSIGN_SECRETS_DIR=str(tmp_path / "nothing"))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", ["slack_bot_token", "countersign_listen"])
def test_a_secret_that_is_no_file_is_named_and_never_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(SettingsError, match=f"^COUNTERSIGN_SECRETS_DIR: {name} in it is no regular file"):
        loaded(monkeypatch, COUNTERSIGN_SECRETS_DIR=str(tmp_path))


@pytest.mark.parametrize("prefix", ["../x", "a b", "/cs-", "a\x1b[2J", "x" * 21])
def test_a_prefix_that_no_command_can_have_is_named(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    with pytest.raises(SettingsError, match=r"^COUNTERSIGN_COMMAND_PREFIX: begins the names of Slack commands"):
        loaded(monkeypatch, COUNTERSIGN_COMMAND_PREFIX=prefix)
