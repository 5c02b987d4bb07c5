"""Nothing that leaves for a terminal can move its cursor, turn its text around or break its encoding."""

from __future__ import annotations

import ast
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import terminal
from bot.terminal import say, say_json, visible

ROOT = Path(__file__).parents[2]
HOSTILE = "a\x1b[2Jb\x9bc\u202ed\u2066e\x00f\x7fg\ud800h\U000e0041i\u2028j\rk"


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert visible(HOSTILE) == (
        "a\\u001b[2Jb\\u009bc\\u202ed\\u2066e\\u0000f\\u007fg\\ud800h\\udb40\\udc41i\\u2028j\\u000dk"
    )


def test_line_breaks_tabs_and_letters_stay() -> None:
    text = "Zoë Åström\tİstanbul\r\n北京 👩‍⚕️ نسخة\n"
    assert visible(text) == text


@given(st.text())
def test_no_character_that_a_terminal_obeys_is_left(text: str) -> None:
    left = visible(text).replace("\r\n", "").replace("\n", "").replace("\t", "")
    assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 or 0x202A <= ord(sign) <= 0x202E for sign in left)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_keeps_its_value(value: object) -> None:
    assert json.loads(visible(json.dumps(value, ensure_ascii=False))) == value


def test_json_with_halves_of_characters_is_ascii_safe(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"name": HOSTILE})
    assert json.loads(capsys.readouterr().out) == {"name": HOSTILE}


def test_an_encoding_that_lacks_a_letter_gets_its_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    say("Zoë", flush=True)
    assert stream.buffer.getvalue() == b"Zo\\xeb\n"  # type: ignore[attr-defined]


def test_errors_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("wrong \x1b[31m", error=True)
    assert capsys.readouterr() == ("", "wrong \\u001b[31m\n")


def test_no_module_prints_beside_the_one_door() -> None:
    """`ruff` bans print (T20); nothing else writes to the standard streams either."""
    for path in (p for folder in ("bot", "handlers", "storage", "runbooks") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("write", "writelines", "echo", "secho"):
                assert ast.unparse(node.value) not in ("sys.stdout", "sys.stderr", "typer", "click"), path


ROWS = [
    (
        "R-7K3M9QX2",
        "open until 2026-11-30 10:48:00 UTC",
        "Emergency admin on the corporate directory",
        "dc-core-01",
        "Pavel Horak, northgate",
    )
]
HEADS = ("Request", "State", "What", "Target", "Who")
PLAIN = "R-7K3M9QX2  open until 2026-11-30 10:48:00 UTC  Emergency admin on the corporate directory on dc-core-01"


def table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, **environment: str) -> str:
    """What a person sees at a terminal so wide."""
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "xterm-256color"} | environment).items():
        monkeypatch.setenv(name, value)
    terminal.say_table(HEADS, ROWS, PLAIN, {"open": "green"})
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_is_as_wide_as_the_terminal_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    shown = table(monkeypatch, capsys, columns, NO_COLOR="1")
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.splitlines()) <= columns
    squeezed = "".join(shown.split())
    for cell in (*HEADS, "R-7K3M9QX2", "dc-core-01"):
        assert cell in squeezed
    snapshot = Path(__file__).parent / "screens" / f"requests-{columns}.txt"
    assert [line.rstrip() for line in shown.splitlines()] == snapshot.read_text().splitlines()


def test_colours_are_a_terminals_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b[" in table(monkeypatch, capsys, 120)
    monkeypatch.setattr(terminal, "is_terminal", lambda: False)
    terminal.say_table(HEADS, ROWS, PLAIN, {"open": "green"})
    assert capsys.readouterr().out == PLAIN + "\n"


def test_a_hostile_cell_moves_no_cursor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.say_table(("A",), [("x\x1b[2Jy [red]z",)], "", {})
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]z" in shown


def test_the_severity_of_a_finding_is_coloured_at_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "runbooks/a.md:3:1: error: no \x1b[2J such key"
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    terminal.say_finding(line, "error")
    assert capsys.readouterr().out == "runbooks/a.md:3:1:\x1b[31m error:\x1b[0m no \\u001b[2J such key\n"
    monkeypatch.setattr(terminal, "is_terminal", lambda: False)
    terminal.say_finding(line, "error")
    assert "\x1b" not in capsys.readouterr().out
