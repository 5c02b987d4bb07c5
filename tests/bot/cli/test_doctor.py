"""`countersign doctor` as a whole: what it looks at on this machine, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import zoneinfo
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.cli.doctor import DoctorEnvironment, DoctorReport, doctor, examine
from bot.cli.init import begin
from bot.clock import SystemClock
from bot.demo.workspace import workspace
from bot.diagnostics import error, warning
from bot.settings import Settings
from handlers.doctor.check import READS
from handlers.web_api.manifest import manifest
from runbooks.loader import load
from sandbox.driver import Sandbox
from tests.database import open_store

ROOT = Path(__file__).parents[3]
MATRIX = "runbooks/responsibility.yaml"


@pytest.fixture
async def slack(folder: Path) -> AsyncIterator[Sandbox]:
    """The organisation of `folder` in Slack, all of it as its policy says."""
    policy = load(folder / "runbooks").policy
    assert policy is not None
    told = workspace(policy, 1)
    told["app"]["scopes"] = sorted({*manifest(prefix="", url=None)["oauth_config"]["scopes"]["bot"], *READS})
    async with Sandbox(told) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `init` writes, with ids as if they were real; we are in it."""
    begin(tmp_path)
    matrix = tmp_path / MATRIX
    matrix.write_text(matrix.read_text().replace("REPLACE", ""))
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith(("COUNTERSIGN_", "SLACK_"))]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def settings(slack: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in slack.environment.items():
        monkeypatch.setenv(name, value)
    return Settings()


async def report(settings: Settings, **environment: str) -> DoctorReport:
    return await examine(settings, DoctorEnvironment(environment, SystemClock()))


def only(found: DoctorReport, severity: str, area: str) -> str:
    assert [(f.severity, f.area) for f in found.findings] == [(severity, area)], found.findings
    return found.findings[0].text


async def countersign(folder: Path, environment: dict[str, str], *words: str) -> tuple[int, str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, cwd=folder, env={**kept, **environment, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def told(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> tuple[int, str]:
    """The same without a process of its own: exit code and text."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = await doctor(tell=lambda _: None)
    return found.exit_code, "\n".join(found.lines())


# ── the command ──


async def test_a_healthy_installation_is_exit_0(slack: Sandbox, folder: Path) -> None:
    assert await countersign(folder, slack.environment, "doctor") == (0, "doctor: 0 errors, 0 warnings\n", "")


async def test_an_error_is_exit_1_and_comes_before_the_warnings(slack: Sandbox, folder: Path) -> None:
    slack.person("U0OWNER").deleted = True
    slack.world.workspace.app.scopes.append("admin")
    code, out, _ = await countersign(folder, slack.environment, "doctor")
    lines = out.splitlines()
    assert code == 1
    assert lines[0].startswith(
        "error: people: Replace Owner (U0OWNER), owner of `directory`, is deactivated in Slack: name"
    )
    assert lines[1].startswith("warning: scopes: The app holds a scope it never uses:")
    assert lines[2] == "doctor: 1 error, 1 warning"


async def test_findings_as_json(slack: Sandbox, folder: Path) -> None:
    slack.world.workspace.app.scopes.append("admin")
    code, out, _ = await countersign(folder, slack.environment, "doctor", "--json")
    (finding,) = json.loads(out)
    assert code == 0
    assert (finding["severity"], finding["area"]) == ("warning", "scopes")
    assert finding["text"].endswith("remove admin → Reinstall.")


async def test_swapped_tokens_are_named_as_such_and_exit_2(slack: Sandbox, folder: Path) -> None:
    swapped = {"SLACK_BOT_TOKEN": slack.app_token, "SLACK_APP_TOKEN": slack.bot_token}
    code, out, _ = await countersign(folder, {**slack.environment, **swapped}, "doctor", "--json")
    bot, app = (finding["text"] for finding in json.loads(out))
    assert code == 2
    assert bot.startswith("SLACK_BOT_TOKEN: holds an app-level token (xapp-…), the two tokens are swapped: it belongs into")
    assert app.startswith(
        "SLACK_APP_TOKEN: holds a bot token (xoxb-…), the two tokens are swapped: it belongs into SLACK_BOT"
    )
    assert slack.app_token not in out
    assert slack.bot_token not in out


async def test_no_token_is_ever_printed(slack: Sandbox, folder: Path) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_APP_TOKEN": "xapp-hush-2", "SLACK_SIGNING_SECRET": "xoxb-hush-3"}
    code, out, err = await countersign(folder, {**slack.environment, **wrong}, "doctor")
    assert code == 2
    assert "Slack refuses SLACK_APP_TOKEN (invalid_auth)" in out
    assert "hush" not in out + err


# ── settings ──


async def test_a_user_token_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = await told(monkeypatch, {"SLACK_BOT_TOKEN": "xoxp-1"})
    assert code == 2
    assert "SLACK_BOT_TOKEN: holds a user token (xoxp-…), which Countersign never uses. Copy the Bot User" in out


async def test_what_can_be_examined_without_tokens_is_examined(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".countersign").mkdir()
    (folder / ".countersign").chmod(0o755)  # whatever the umask
    code, out = await told(monkeypatch, {})
    assert code == 2
    assert "SLACK_BOT_TOKEN is not set: copy it from" in out
    assert "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: for Socket Mode make" in out
    assert ".countersign has mode 0755" in out


async def test_signed_http_needs_a_signing_secret_and_no_app_token(settings: Settings) -> None:
    over_http = settings.model_copy(update={"slack_app_token": None})
    assert (await report(over_http)).findings == ()
    without = over_http.model_copy(update={"slack_signing_secret": None})
    assert only(await report(without), "error", "settings").startswith("Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET")
    assert (await report(without)).exit_code == 2


async def test_socket_mode_needs_no_signing_secret(settings: Settings) -> None:
    assert (await report(settings.model_copy(update={"slack_signing_secret": None}))).findings == ()


async def test_a_token_in_the_signing_secrets_place_is_named(slack: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = await told(monkeypatch, {**slack.environment, "SLACK_SIGNING_SECRET": "xoxb-1"})
    assert code == 2
    assert "SLACK_SIGNING_SECRET holds a token: copy the Signing Secret from Basic Information" in out


async def test_a_policy_folder_that_is_none_says_init(settings: Settings) -> None:
    found = await report(settings.model_copy(update={"runbooks_dir": Path("nowhere")}))
    assert found.findings[0].text.startswith("COUNTERSIGN_RUNBOOKS_DIR: nowhere is not a folder; run `countersign init`")
    assert found.exit_code == 2


async def test_a_server_that_cannot_be_reached_is_an_error_of_the_database(settings: Settings) -> None:
    found = await report(settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/db"}))
    assert only(found, "error", "database").startswith(
        "The database db on 127.0.0.1:1 cannot be used: The database server cannot be reached"
    )


# ── policy ──


async def test_a_fault_of_the_policy_is_named_with_its_line_and_nobody_is_looked_up(
    settings: Settings, folder: Path
) -> None:
    matrix = folder / MATRIX
    matrix.write_text(matrix.read_text().replace("owner: owner", "owner: nobody"))
    first, second = (await report(settings)).findings
    assert first.area == "policy"
    assert first.text.startswith("runbooks/responsibility.yaml:")
    assert "`nobody` is nobody in `people`" in first.text
    assert second.text == "People and channels were not looked up: fix the policy first."


async def test_an_unset_variable_of_the_policy_is_an_error_and_people_are_looked_up_all_the_same(
    settings: Settings, folder: Path, slack: Sandbox
) -> None:
    matrix = folder / MATRIX
    paged = matrix.read_text().replace("name: Replace Owner}", 'name: Replace Owner, page: "env:PAGE_OLGA"}')
    matrix.write_text(paged)
    slack.person("U0RISK").deleted = True
    found = (await report(settings)).findings
    assert [(f.severity, f.area) for f in found] == [("error", "policy"), ("error", "people")]
    assert "(U0RISK), risk owner of `directory`, is deactivated" in found[1].text
    assert "The environment variable PAGE_OLGA is not set: set it, or remove `page`." in found[0].text
    slack.person("U0RISK").deleted = False
    assert (await report(settings, PAGE_OLGA="mailto://olga@example.org")).findings == ()


# ── this machine ──


@pytest.mark.sqlite  # the command looks at the default file
async def test_a_database_that_is_there_and_well_lacks_an_anchor_at_most(settings: Settings, folder: Path) -> None:
    await (await open_store(folder / "countersign.db", SystemClock(), state_dir=settings.state_dir)).close()
    found = await report(settings)
    assert "can rewrite the whole decision log" in only(found, "warning", "anchors")


@pytest.mark.sqlite  # the command looks at the default file
async def test_a_log_that_the_signer_refuses_is_an_error(settings: Settings, folder: Path) -> None:
    await (await open_store(folder / "countersign.db", SystemClock(), state_dir=settings.state_dir)).close()
    (settings.state_dir / "log.memory").unlink()
    found = await report(settings)
    assert ["nobody can say whether entries were lost" in f.text for f in found.findings if f.area == "log"] == [True]
    assert found.exit_code == 1


async def test_a_file_that_is_no_database_is_an_error(settings: Settings, folder: Path) -> None:
    (folder / "countersign.db").write_text("no database at all, " * 100)
    text = only(await report(settings), "error", "database")
    assert text.startswith(
        "The database countersign.db cannot be used: The file is no SQLite database; check COUNTERSIGN_DATA"
    )


async def test_a_state_folder_that_others_can_enter_is_an_error(settings: Settings, folder: Path) -> None:
    (folder / ".countersign").mkdir()
    (folder / ".countersign").chmod(0o750)
    text = only(await report(settings), "error", "state")
    assert text == ".countersign has mode 0750, and keys live there: chmod 700 .countersign."
    (folder / ".countersign").chmod(0o700)
    assert (await report(settings)).findings == ()


async def test_a_file_in_the_state_folders_place_is_an_error(settings: Settings, folder: Path) -> None:
    (folder / ".countersign").write_text("")
    text = only(await report(settings), "error", "state")
    assert text.startswith("COUNTERSIGN_STATE_DIR is .countersign, which is no folder: remove the file")


async def test_tokens_that_others_can_read_are_a_warning(settings: Settings, folder: Path) -> None:
    (folder / ".env").chmod(0o644)
    assert only(await report(settings), "warning", "state").endswith("can read the tokens in .env: chmod 600 .env.")


@pytest.fixture
def no_time_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.split(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, name)  # a part that is loaded already would be found without its whole
    monkeypatch.setitem(sys.modules, "tzdata", None)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    yield
    zoneinfo.reset_tzpath(to=before)


async def test_a_machine_without_time_zones_learns_what_to_install(
    slack: Sandbox, settings: Settings, no_time_zones: None
) -> None:
    texts = [f.text for f in (await report(settings)).errors if f.area == "time zones"]
    assert len(texts) == 1
    assert texts[0].startswith("There is no time zone data, so rotas and working hours cannot be read: install the Python")


def test_the_exit_code_is_the_gravest() -> None:
    settings, people, spare = error("settings", "a"), error("people", "b"), warning("scopes", "c")
    assert DoctorReport((settings, people, spare)).exit_code == 2
    assert DoctorReport((people, spare)).exit_code == 1
    assert DoctorReport((spare,)).exit_code == 0
    assert DoctorReport(()).exit_code == 0
