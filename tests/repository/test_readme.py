"""The README's commands do what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.strip()
    for token in MarkdownIt().parse(README)
    if token.type == "fence" and token.info == "sh"
    for line in token.content.splitlines()
    if line.strip()
]
ALONE = [
    c
    for c in COMMANDS
    if c.startswith("countersign") and c not in ("countersign run", "countersign log verify", "countersign requests list")
]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "bot", *command.split()[1:]]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    return subprocess.run(
        words, cwd=folder, env={**kept, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as an operator has it: policy files, nothing else."""
    shutil.copytree(ROOT / "runbooks", tmp_path / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path


def test_the_readme_names_commands() -> None:
    assert {"make demo", "make test", "countersign check runbooks", "countersign run"} <= set(COMMANDS)


@pytest.mark.parametrize("command", ALONE)
def test_a_command_of_the_readme_works(command: str, folder: Path) -> None:
    done = run(command, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_log_verify_accepts_a_fresh_database(folder: Path) -> None:
    assert run("countersign migrate", folder).returncode == 0
    done = run("countersign log verify", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no problems found" in done.stdout


def test_run_without_tokens_says_in_one_sentence_what_is_missing(folder: Path) -> None:
    done = run("countersign run", folder)
    assert done.returncode == 2
    assert done.stderr.startswith("SLACK_BOT_TOKEN is not set.")


@pytest.mark.parametrize("target", [c.split()[1] for c in COMMANDS if c.startswith("make ")])
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_runbook_in_the_readme_is_accepted(folder: Path) -> None:
    text = re.search(r"```markdown\n(.*?)```", README, re.DOTALL)
    assert text is not None
    (folder / "runbooks" / "vpn-account-unlock.md").write_text(text.group(1))
    done = run("countersign check runbooks", folder)
    assert done.returncode == 0, done.stdout


def test_the_pictures_of_the_readme_exist() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()
