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
