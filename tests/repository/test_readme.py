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
ALONE = [c for c in COMMANDS if c.startswith("countersign")]


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
    assert {"make demo", "make test", "countersign check runbooks", "countersign init"} <= set(COMMANDS)


@pytest.mark.parametrize("command", ALONE)
def test_a_command_of_the_readme_works(command: str, folder: Path) -> None:
    if command == "countersign init":  # it begins a folder, and says so with exit 1 where one is there already
        shutil.rmtree(folder / "runbooks")
    done = run(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


@pytest.mark.parametrize("target", [c.split()[1] for c in COMMANDS if c.startswith("make ")])
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_readme_stays_short() -> None:
    assert len(README.encode()) <= 5_500


def test_every_page_that_the_readme_leads_to_exists() -> None:
    led = re.findall(r"\]\(([^)#]+\.md)(?:#[^)]*)?\)", README)
    assert len(led) > 15
    assert [path for path in led if not (ROOT / path).is_file()] == []


def test_the_pictures_of_the_readme_exist() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()
