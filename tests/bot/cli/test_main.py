"""The command line as a shell sees it: exit codes, and one sentence on stderr where a command cannot do what was typed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import runbooks
from bot.cli.main import app
from sandbox.driver import Sandbox
from tests.bot.forwarding import forwarded
from tests.handlers.transport.test_socket_mode import WORKSPACE

EXAMPLE = Path(runbooks.__file__).parent
NONE = "http://127.0.0.1:9/api/"
RUNBOOK = "directory-admin-emergency"
NIGHT = ("--at", "2026-12-25T03:00")


def countersign(folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COUNTERSIGN_", "SLACK_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=folder, env={**kept, **environment, "PYTHONPATH": str(EXAMPLE.parent)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with the example's policy in `runbooks`, and a second name for it."""
    shutil.copytree(EXAMPLE, tmp_path / "runbooks", ignore=shutil.ignore_patterns("*.py", "__pycache__", "py.typed"))
    (tmp_path / "other").symlink_to(tmp_path / "runbooks")
    return tmp_path


def test_every_command_about_policy_takes_the_folder_in_the_same_place(folder: Path) -> None:
    for words in (("check",), ("matrix",), ("explain", "directory-admin-emergency")):
        plain = countersign(folder, *words, "--json")
        assert plain[0] == 0, plain
        named = countersign(folder, *words, "other", "--json")
        assert (named[0], json.loads(named[1]), named[2]) == (0, json.loads(named[1]), "")
    assert countersign(folder, "matrix", "other")[1] == countersign(folder, "matrix", "--runbooks", "other")[1]


@pytest.mark.usefixtures("no_umask")
def test_not_everybody_may_change_what_a_command_makes(tmp_path: Path) -> None:
    assert countersign(tmp_path, "init", "new/place")[0] == 0
    assert countersign(tmp_path, "keys", "init", COUNTERSIGN_STATE_DIR="srv/countersign/state")[0] == 0
    made = {path.relative_to(tmp_path): path.stat().st_mode for path in tmp_path.rglob("*")}
    assert Path("srv/countersign/state/log.key") in made
    assert [path for path, mode in made.items() if mode & 0o002] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "nowhere"), "There is no folder nowhere. Name the one that holds responsibility.yaml, or run"),
        (("matrix", "nowhere"), "There is no folder nowhere. Name the one"),
        (("explain", "x", "nowhere"), "There is no folder nowhere. Name the one"),
        (("explain", "x", "runbooks"), "There is no runbook 'x'. There are: account-unlock"),
        (("explain", "account-unlock", "--at", "noon"), "'noon' is not a time; write 2026-12-01T03:00."),
        (("log", "verify"), "There is no database at countersign.db. Set COUNTERSIGN_DATABASE_URL"),
        (("requests", "list"), "There is no database at countersign.db. Set COUNTERSIGN_DATABASE_URL"),
    ],
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_wrong_use_is_one_sentence_on_stderr_and_exit_2(
    folder: Path, words: tuple[str, ...], says: str, as_json: tuple[str, ...]
) -> None:
    code, out, err = countersign(folder, *words, *as_json)
    assert (code, out) == (2, "")
    assert err.startswith(says)
    assert err.count("\n") == 1
    assert "Usage" not in err


@pytest.fixture
async def slack() -> AsyncIterator[Sandbox]:
    async with Sandbox(WORKSPACE) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, 1, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, 1, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
        ({"SLACK_BOT_TOKEN": ""}, 2, "SLACK_BOT_TOKEN is not set"),
        ({"SLACK_BOT_TOKEN": "nonsense"}, 2, "SLACK_BOT_TOKEN: must start with xoxb-"),
    ],
)
async def test_run_and_doctor_agree_whose_fault_it_is(
    slack: Sandbox, folder: Path, changed: dict[str, str], code: int, says: str
) -> None:
    environment = {**slack.environment, "COUNTERSIGN_OPS_LISTEN": "127.0.0.1:0", **changed}
    ran = await asyncio.to_thread(countersign, folder, "run", **environment)
    assert ran[0] == code, ran
    assert says in ran[2]
    assert "Traceback" not in ran[2]
    examined = await asyncio.to_thread(countersign, folder, "doctor", **environment)
    assert examined[0] == code, examined
    assert says in examined[1]


async def test_a_token_that_slack_refuses_once_it_can_be_reached_ends_the_bot_too(slack: Sandbox, folder: Path) -> None:
    async with forwarded(slack.port, cuts=3) as port:  # the first look at the token, the watch over it, and a second look
        there = f"http://127.0.0.1:{port}/api/"
        environment = {**slack.environment, "SLACK_API_URL": there, "SLACK_BOT_TOKEN": "xoxb-wrong"}
        ran = await asyncio.to_thread(countersign, folder, "run", **environment, COUNTERSIGN_OPS_LISTEN="127.0.0.1:0")
    assert ran[0] == 1, ran
    assert ran[2].count("slack.unreachable") == 1
    assert "Slack refuses SLACK_BOT_TOKEN (invalid_auth)" in ran[2]


def test_doctor_says_that_slack_cannot_be_reached_where_run_waits_for_it(folder: Path) -> None:
    tokens = {"SLACK_BOT_TOKEN": "xoxb-any", "SLACK_APP_TOKEN": "xapp-any", "SLACK_API_URL": NONE}
    code, out, _ = countersign(folder, "doctor", **tokens)
    assert code == 1
    assert f"Slack cannot be reached at {NONE}" in out


def explained(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["explain", RUNBOOK, "--runbooks", str(EXAMPLE), *NIGHT, *words], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def moments(*words: str) -> list[tuple[int, str, list[str]]]:
    code, text = explained("--json", *words)
    assert code == 0, text
    told: dict[str, Any] = json.loads(text)
    return [(m["after"], m["what"], [p["id"] for p in m["people"]]) for m in told["moments"]]


class TestExplain:
    def test_everybody_there_is_the_plain_ladder(self) -> None:
        assert [(after, what) for after, what, _ in moments()] == [
            (0, "ask"), (180, "remind"), (300, "ask"), (600, "ask"), (900, "ask"), (2700, "expire"),
        ]  # fmt: skip

    @pytest.mark.parametrize("owner", ["olga", "U0OWNER", "T0HOME/U0OWNER"])
    def test_an_absent_owner_is_replaced(self, owner: str) -> None:
        assert moments("--absent", owner)[0] == (0, "ask", ["T0HOME/U0DEP1"])

    def test_several_absent_people_make_the_next_step_fire_at_once(self) -> None:
        told = moments("--absent", "olga", "--absent", "dev", "--absent", "U0DEP2")
        assert [what for after, what, _ in told if after == 0] == ["skip", "skip", "skip", "ask"]

    def test_a_sleeping_owner_keeps_the_card_and_the_deputies_are_asked_at_once(self) -> None:
        code, text = explained("--asleep", "olga")
        assert code == 0
        lines = text.splitlines()
        assert "      +0m  asks Olga Novak (U0OWNER), asleep" in [line[1:] for line in lines]
        assert "      +0m  asks Dev Rao (U0DEP1), Maeve Brennan (U0DEP2)" in [line[1:] for line in lines]
        assert lines[-1] == "a yes is possible from +0m on"

    @pytest.mark.parametrize("option", ["--absent", "--asleep"])
    @pytest.mark.parametrize("person", ["nobody", "U0NOBODY", "T0ELSE/U0OWNER", ""])
    def test_an_unknown_person_is_one_sentence(self, option: str, person: str) -> None:
        code, text = explained(option, person)
        assert code == 2
        assert f"{option}: the policy names nobody by {person!r}" in " ".join(text.replace("│", " ").split())
