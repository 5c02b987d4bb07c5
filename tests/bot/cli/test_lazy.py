"""Commands are imported when they run; `--help` and `check` do without the modules and libraries that they do not need."""

import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from bot import __version__
from bot.cli.lazy import COMMANDS, EXAMPLE, GROUPS, PANELS, loaded, loading
from bot.cli.main import app
from tests.repository.test_docs import parsed

ROOT = Path(__file__).parents[3]
HEAVY = (
    "aiohttp",
    "apprise",
    "cryptography",
    "icalendar",
    "recurring_ical_events",
    "ruamel",
    "slack_bolt",
    "slack_sdk",
    "structlog",
)


def imported(*arguments: str) -> set[str]:
    """The top-level modules that a command leaves imported."""
    code = (
        "import sys\nfrom bot.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('modules', *{name.partition('.')[0] for name in sys.modules}, *(n for n in sys.modules if n.startswith('bot.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_the_listed_help_is_the_commands_own(name: str) -> None:
    own = loaded(name).help.partition("\n\n")[0].replace("\n", " ")
    assert own == {**{known: text for known, (_, text) in COMMANDS.items()}, **GROUPS}[name]


def test_help_imports_no_library_beyond_the_command_line() -> None:
    found = imported("--help")
    assert "typer" in found
    assert not found & {*HEAVY, "pydantic_settings", "asyncio"}
    assert not any(name.startswith(("bot.domain.case", "bot.service", "bot.cli.log")) for name in found)


def test_check_imports_what_reads_policy_files_only() -> None:
    found = imported("check", "runbooks")
    assert "ruamel" in found
    assert not found & {*set(HEAVY) - {"ruamel"}, "pydantic_settings"}


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_a_command_shows_its_own_options(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"countersign {name} [OPTIONS]" in shown.output


def test_a_mistyped_lazy_command_is_suggested() -> None:
    refused = CliRunner().invoke(app, ["requets"])
    assert refused.exit_code == 2
    assert "'requests'" in refused.output


def test_the_version_is_printed() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"countersign {__version__}\n")


HOSTILE = "ev\x1b]0;own\x07\u202e\x9b31m"


@pytest.mark.parametrize(
    "words", [("check", "x", HOSTILE), (f"--{HOSTILE}",), (HOSTILE,), ("log", "verify", f"--{HOSTILE}"), ("requests", HOSTILE)]
)  # fmt: skip
def test_what_is_said_of_wrong_use_holds_nothing_that_a_terminal_obeys(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 2
    assert not [sign for sign in done.output if sign != "\n" and not sign.isprintable()]


@pytest.mark.parametrize("name", PANELS)
def test_each_command_shows_an_example_that_it_takes(name: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output.split())
    assert f"Example: `countersign {EXAMPLE[name]}`" in shown
    parsed(f"countersign {EXAMPLE[name]}")


def test_garbage_is_collected_again_once_everything_is_imported() -> None:
    with loading():
        within = gc.isenabled()
    assert (within, gc.isenabled()) == (False, True)


@pytest.mark.parametrize("words", [["check"], ["log"], ["backup", "verify"]])
def test_a_commands_module_is_imported_without_garbage_collection(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    within = []

    def seen(module: str) -> ModuleType:
        within.append(gc.isenabled())
        return import_module(module)

    monkeypatch.setattr("bot.cli.lazy.import_module", seen)
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
    assert (set(within), gc.isenabled()) == ({False}, True)
