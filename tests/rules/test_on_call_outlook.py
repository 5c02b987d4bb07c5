"""What `check` and `doctor` see coming: gaps of the next 14 days, owners who have no deputy, people who are gone."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import runbooks
from bot.cli import policy as commands
from bot.cli.doctor import DoctorEnvironment, examine
from bot.cli.main import app
from bot.demo.workspace import workspace
from bot.settings import Settings
from handlers.doctor.check import READS
from handlers.web_api.manifest import manifest
from runbooks.loader import load
from sandbox.driver import Sandbox
from tests.bot.office import HandClock

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)  # a Wednesday
HOLE = (
    "Nobody is on call in rota `platform` from Fri 2026-03-13 00:00 to Mon 2026-03-16 00:00 (Europe/London), 1 gap in the"
)
ALONE = "Domain `lab` has no deputies, nobody stands in for the owner: add `deputies`."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example organisation; every other weekend nobody is on call for its machines, and its laboratory has an owner only."""
    found = tmp_path / "runbooks"
    shutil.copytree(Path(runbooks.__file__).parent, found, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (found / "responsibility.yaml").read_text()
    weekend = '{days: [fri, sat, sun], from: "00:00", to: "24:00", person: luca'
    for old, new in (
        (weekend, f"{weekend}, weeks: {{of: 2, on: 1, from: 2026-03-02}}"),
        ("    fallback: amira\n", ""),
        ("domains:\n", "domains:\n  lab: {name: Laboratory, owner: olga, channel: C0LAB}\n"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (found / "responsibility.yaml").write_text(text)
    monkeypatch.setattr(commands, "SystemClock", lambda: HandClock(NOW))
    monkeypatch.chdir(tmp_path)
    return found


def test_check_names_a_gap_of_the_week_after_next_and_an_owner_without_deputies(folder: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(folder), "--json"])
    told = [finding["text"] for finding in json.loads(done.output)]
    assert [text for text in told if text.startswith(HOLE)]
    assert ALONE in told
    assert done.exit_code == 0  # warnings: the next step of a ladder fires at once where nobody is on call


async def test_doctor_names_them_too_and_everybody_whom_slack_no_longer_knows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = load(folder).policy
    assert policy is not None
    told = workspace(policy, 1)
    told["app"]["scopes"] = sorted({*manifest(prefix="", url=None)["oauth_config"]["scopes"]["bot"], *READS})
    async with Sandbox(told) as slack:
        slack.person("U0DEP1").deleted = True
        people = slack.world.workspace.users
        people.remove(next(user for user in people if user.id == "U0RISK"))
        for name, value in slack.environment.items():
            monkeypatch.setenv(name, value)
        report = await examine(Settings(), DoctorEnvironment({}, HandClock(NOW)))
    said = [(f.severity, f.area, f.text) for f in report.findings]
    assert [s for s in said if s[:2] == ("warning", "policy") and s[2].startswith(HOLE)]
    assert [s for s in said if s[:2] == ("warning", "policy") and s[2].endswith(ALONE)]
    gone = {text.split(",")[0] for severity, area, text in said if (severity, area) == ("error", "people")}
    assert gone == {"Slack does not know U0RISK", "Dev Rao (U0DEP1)"}
