"""`countersign explain` as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import runbooks
from bot.cli.main import app

FOLDER = str(Path(runbooks.__file__).parent)
RUNBOOK = "directory-admin-emergency"
NIGHT = ("--at", "2026-12-25T03:00")


def typed(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["explain", RUNBOOK, "--runbooks", FOLDER, *NIGHT, *words], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def moments(*words: str) -> list[tuple[int, str, list[str]]]:
    code, text = typed("--json", *words)
    assert code == 0, text
    told: dict[str, Any] = json.loads(text)
    return [(m["after"], m["what"], [p["id"] for p in m["people"]]) for m in told["moments"]]


def test_everybody_there_is_the_plain_ladder() -> None:
    assert [(after, what) for after, what, _ in moments()] == [
        (0, "ask"), (180, "remind"), (300, "ask"), (600, "ask"), (900, "ask"), (2700, "expire"),
    ]  # fmt: skip


@pytest.mark.parametrize("owner", ["olga", "U0OWNER", "T0HOME/U0OWNER"])
def test_an_absent_owner_is_stood_in_for(owner: str) -> None:
    assert moments("--absent", owner)[0] == (0, "ask", ["T0HOME/U0DEP1"])


def test_several_absent_people_make_the_next_step_fire_at_once() -> None:
    told = moments("--absent", "olga", "--absent", "dev", "--absent", "U0DEP2")
    assert [what for after, what, _ in told if after == 0] == ["skip", "skip", "skip", "ask"]


def test_a_sleeping_owner_keeps_the_card_and_the_deputies_are_asked_at_once() -> None:
    code, text = typed("--asleep", "olga")
    assert code == 0
    lines = text.splitlines()
    assert "      +0m  asks Olga Novak (U0OWNER), asleep" in [line[1:] for line in lines]
    assert "      +0m  asks Dev Rao (U0DEP1), Maeve Brennan (U0DEP2)" in [line[1:] for line in lines]
    assert lines[-1] == "a yes is possible from +0m on"


@pytest.mark.parametrize("option", ["--absent", "--asleep"])
@pytest.mark.parametrize("person", ["nobody", "U0NOBODY", "T0ELSE/U0OWNER", ""])
def test_an_unknown_person_is_one_sentence(option: str, person: str) -> None:
    code, text = typed(option, person)
    assert code == 2
    assert f"{option}: the policy names nobody by {person!r}" in " ".join(text.replace("│", " ").split())
