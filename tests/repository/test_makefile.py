"""`make demo` installs what the bot runs on, everything else the tools too; in either order nothing is missed or done twice."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME, DEVELOPMENT = "-r requirements.lock", "-r requirements-dev.lock"


def plan(folder: Path, target: str) -> str:
    """The commands that make would run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-n", target], cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def stamp(folder: Path, *names: str, age: int = 0) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        seconds = 2_000_000_000 - age
        os.utime(path, (seconds, seconds))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone whose interpreter is there and has nothing installed."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
        stamp(tmp_path, name, age=100)
    stamp(tmp_path, ".venv/bin/python")
    return tmp_path


def test_the_demo_installs_what_it_runs_on_and_no_tools(clone: Path) -> None:
    commands = plan(clone, "demo")
    assert RUNTIME in commands
    assert DEVELOPMENT not in commands


def test_the_tests_install_the_tools_after_a_demo(clone: Path) -> None:
    stamp(clone, ".venv/.runs")
    assert DEVELOPMENT in plan(clone, "test")


def test_a_demo_after_the_tests_installs_nothing(clone: Path) -> None:
    assert "touch .venv/.runs .venv/.installed" in plan(clone, "test")
    stamp(clone, ".venv/.runs", ".venv/.installed")
    assert "pip install" not in plan(clone, "demo")
    assert "pip install" not in plan(clone, "test")


@pytest.mark.parametrize("target", ["demo", "test"])
def test_a_changed_lock_is_installed_again(clone: Path, target: str) -> None:
    stamp(clone, ".venv/.runs", ".venv/.installed", age=50)
    stamp(clone, "requirements.lock")
    assert "pip install" in plan(clone, target)


def test_a_demo_after_a_changed_lock_leaves_the_tools_to_the_tests(clone: Path) -> None:
    stamp(clone, ".venv/.installed", age=50)
    stamp(clone, "requirements.lock", age=20)
    stamp(clone, ".venv/.runs")
    assert DEVELOPMENT in plan(clone, "test")


def test_the_demo_needs_no_installed_command(clone: Path) -> None:
    assert "-m bot demo" in plan(clone, "demo")
