"""`countersign init`: the first files are right as written, say what to put where, and never replace anything."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import settings
from bot.cli.init import STARTS, StarterFile, begin, template
from bot.domain.errors import SettingsError
from bot.settings import Settings
from runbooks.loader import load

ROOT = Path(__file__).parents[3]
MATRIX = Path("runbooks/responsibility.yaml")
RUNBOOK = Path("runbooks/directory-emergency-admin.md")


def countersign(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=folder, env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_three_files_are_written_and_the_next_step_is_reported(tmp_path: Path) -> None:
    done = countersign(tmp_path, "init")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [f"wrote {path}" for path in (".env", MATRIX, RUNBOOK)]
    assert done.stdout.splitlines()[3].startswith("Next: run `countersign manifest`, make the Slack app of it, put its two")


def test_the_policy_as_written_lacks_nothing_but_real_ids(tmp_path: Path) -> None:
    begin(tmp_path)
    loaded = load(tmp_path / "runbooks", environment={}, require_env=True, today=datetime.now(UTC).date())
    assert loaded.policy is not None
    assert {(f.severity, f.file) for f in loaded.findings} == {("warning", "responsibility.yaml")}
    marked = re.findall(r"^[^#\n]*?\b([A-Z]0REPLACE[A-Z]*)", (tmp_path / MATRIX).read_text(), re.MULTILINE)
    assert [f.text.split("`")[1] for f in loaded.findings] == marked
    assert all("put the real id there" in f.text for f in loaded.findings)


def test_check_accepts_the_policy_as_written(tmp_path: Path) -> None:
    assert countersign(tmp_path, "init").returncode == 0
    done = countersign(tmp_path, "check")
    assert done.returncode == 0
    *named, last = done.stdout.splitlines()
    assert last.startswith(f"runbooks: 0 errors, {len(named)} warnings; policy ")
    workspace = "runbooks/responsibility.yaml:13:14: warning: `T0REPLACEHOME` is a placeholder of `init`: put the real id there (Slack in"
    assert named[0].startswith(workspace)


def test_there_is_one_of_each_to_begin_with(tmp_path: Path) -> None:
    begin(tmp_path)
    policy = load(tmp_path / "runbooks").policy
    assert policy is not None
    parts = (policy.domains, policy.providers, policy.escalation_policies, policy.runbooks)
    assert [len(part) for part in parts] == [1, 1, 1, 1]


def test_every_id_as_written_is_marked_to_be_replaced(tmp_path: Path) -> None:
    begin(tmp_path)
    ids = re.findall(r"\b[UWCGTE]0[A-Z0-9]+\b", (tmp_path / MATRIX).read_text())
    assert len(ids) >= 7
    assert all("REPLACE" in id_ for id_ in ids)


def test_the_matrix_says_how_to_find_an_id(tmp_path: Path) -> None:
    begin(tmp_path)
    assert "/countersign whoami @name" in (tmp_path / MATRIX).read_text()


def test_the_commented_lines_are_right_when_they_are_taken_in(tmp_path: Path) -> None:
    begin(tmp_path)
    text = (
        (tmp_path / MATRIX)
        .read_text()
        .replace("    # workspaces: [T", "    workspaces: [T")
        .replace("leads: []", "leads: [U0L]")
    )
    for key in ("requesters", "leads", "channel", "contract", "contract_until"):
        text, count = re.subn(rf"^    # {key}:", f"    {key}:", text, flags=re.MULTILINE)
        assert count == 1, key
    (tmp_path / MATRIX).write_text(text)
    assert load(tmp_path / "runbooks").errors == ()


@pytest.mark.usefixtures("no_umask")
def test_only_this_account_can_read_the_tokens(tmp_path: Path) -> None:
    begin(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_every_setting_that_the_env_file_names_exists() -> None:
    names = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", template("env.txt").decode(), re.MULTILINE))
    known = {name.upper() if name.startswith("slack_") else f"COUNTERSIGN_{name.upper()}" for name in Settings.model_fields}
    assert names <= known
    assert {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"} <= names


def test_the_defaults_that_the_env_file_shows_are_the_defaults() -> None:
    shown = dict(re.findall(r"^# COUNTERSIGN_([A-Z_]+)=(.*)$", template("env.txt").decode(), re.MULTILINE))
    assert len(shown) >= 5
    assert {k: str(Settings.model_fields[k.lower()].default) for k in shown} == shown


def test_the_env_file_as_written_is_read_and_lacks_only_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(("COUNTERSIGN_", "SLACK_"))]:
        monkeypatch.delenv(name)
    begin(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN is not set"):
        settings.load().require_slack()
    (tmp_path / ".env").write_text((tmp_path / ".env").read_text().replace("N=\n", "N=x\n"))
    with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN: must start with xoxb-"):
        settings.load()


@pytest.mark.parametrize("start", STARTS, ids=lambda s: s.path.name)
def test_a_file_that_exists_is_named_and_kept(tmp_path: Path, start: StarterFile) -> None:
    path = tmp_path / start.path
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine\n")
    begun = begin(tmp_path)
    assert begun.exit_code == 1
    assert f"kept {path}: it exists, and nothing in it was changed" in list(begun.lines())
    assert path.read_text() == "mine\n"


def test_a_second_time_nothing_needs_doing(tmp_path: Path) -> None:
    countersign(tmp_path, "init", "here")
    before = {path: path.read_bytes() for path in (tmp_path / "here").rglob("*") if path.is_file()}
    done = countersign(tmp_path, "init", "here")
    assert done.returncode == 0
    assert "Nothing to do." in done.stdout
    assert "Next: cd here, then run" in done.stdout
    assert {path: path.read_bytes() for path in (tmp_path / "here").rglob("*") if path.is_file()} == before


def test_a_start_that_was_left_half_way_is_completed(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / RUNBOOK).unlink()
    begun = begin(tmp_path)
    assert begun.written == (tmp_path / RUNBOOK,)
    assert begun.exit_code == 1


def test_nothing_is_added_to_a_policy_of_somebodys_own(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / RUNBOOK).unlink()
    (tmp_path / MATRIX).write_text((tmp_path / MATRIX).read_text().replace("Your organisation", "Example Health Trust"))
    begun = begin(tmp_path)
    assert begun.written == ()
    assert begun.apart == (tmp_path / RUNBOOK,)
    assert not (tmp_path / RUNBOOK).exists()
    assert f"left out {tmp_path / RUNBOOK}: the policy there is your own already" in list(begun.lines())


def test_runbooks_of_somebodys_own_get_no_neighbour(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "own.md").write_text("mine\n")
    begun = begin(tmp_path)
    assert begun.apart == (tmp_path / RUNBOOK,)
    assert begun.exit_code == 1


def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    begun = begin(tmp_path)
    assert begun.kept == (tmp_path / ".env",)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_in_the_folders_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runbooks").write_text("no folder\n")
    with pytest.raises(SettingsError, match="runbooks is a file and not a folder: remove it, or choose another folder"):
        begin(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_sentence_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = countersign(tmp_path, "init", "file/deeper")
    assert done.returncode == 2
    assert done.stderr.startswith("file/deeper/.env cannot be written (Not a directory): choose a folder")
