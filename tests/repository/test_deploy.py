"""The service unit gives the bot what it needs and nothing else."""

import shlex
from collections import defaultdict
from pathlib import Path

import pytest

from bot.settings import Settings, load

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docs" / "deploy" / "countersign.service"


def unit() -> dict[str, list[str]]:
    """Every directive with all its values, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


def test_the_procfile_and_the_unit_start_the_same_command() -> None:
    assert (ROOT / "Procfile").read_text() == "web: countersign run\n"
    assert shlex.split(unit()["ExecStart"][0])[1:] == ["run"]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("User", "countersign"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"), ("PrivateDevices", "yes"), ("CapabilityBoundingSet", ""), ("MemoryDenyWriteExecute", "yes"),
        ("RestrictSUIDSGID", "yes"), ("UMask", "0077"), ("StateDirectory", "countersign"), ("StateDirectoryMode", "0700"),
        ("Restart", "on-failure"), ("RestartPreventExitStatus", "2"), ("KillSignal", "SIGTERM"),
    ],
)  # fmt: skip
def test_the_unit_says(directive: str, value: str) -> None:
    assert unit()[directive] == [value]


def test_a_stop_has_more_time_than_the_bot_takes() -> None:
    from bot.http import server

    assert int(unit()["TimeoutStopSec"][0]) > 3 * server.STOPPING


def test_no_secret_is_in_the_environment_and_each_credential_is_a_setting() -> None:
    assert not [value for value in unit()["Environment"] if value.startswith("SLACK_")]
    names = [value.partition(":")[0] for value in unit()["LoadCredential"]]
    assert {name.lower() for name in names} <= set(Settings.model_fields)


def test_the_settings_of_the_unit_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd would set them, with its specifiers filled in."""
    monkeypatch.chdir(tmp_path)
    for assignment in unit()["Environment"]:
        name, _, value = assignment.partition("=")
        monkeypatch.setenv(name, value.replace("%S", "/var/lib").replace("%d", str(tmp_path)))
    (tmp_path / "SLACK_BOT_TOKEN").write_text("xoxb-of-a-file\n")
    settings = load()
    assert settings.database == Path("/var/lib/countersign/countersign.db")
    assert settings.state_dir == Path("/var/lib/countersign/state")
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-of-a-file"
