"""One line a fact, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import configure, scrub

SECRETS = [
    "xoxb-111-222-abcDEF",
    "xoxp-1-2",
    "xapp-1-A1-2-abc",
    "https://hooks.slack.com/actions/T0/1/abc",
    "https://hooks.slack.com/services/T0/B0/xyz",
    "whsec_c2VjcmV0/+=",
]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leaves logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_in_a_line_wherever_it_was(secret: str) -> None:
    line = scrub(None, "info", {"event": f"failed: {secret}", "nested": {"a": [secret, {"b": (secret, 1)}]}, "n": 3})
    assert secret not in repr(line)
    assert line["n"] == 3
    assert "[hidden]" in line["event"]


@given(st.text(max_size=30), st.sampled_from(SECRETS), st.text(" \n\"'.,;", min_size=1, max_size=3))
def test_a_secret_is_hidden_whatever_is_around_it(around: str, secret: str, gap: str) -> None:
    line = scrub(None, "info", {"event": f"{around}{gap}{secret}{gap}{around}"})
    assert secret not in line["event"]


def test_what_is_no_secret_stays() -> None:
    event = {"event": "sweep.failed", "case": "R-00000001", "error": "The disk is full.", "url": "https://example.org/a"}
    assert scrub(None, "info", dict(event)) == event


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    structlog.get_logger("x").info("said\nthat", case="R-1", token="xoxb-1-2")
    (line,) = capsys.readouterr().err.splitlines()
    told: dict[str, Any] = json.loads(line)
    assert (told["event"], told["case"], told["level"], told["token"]) == ("said\nthat", "R-1", "info", "[hidden]")
    assert told["timestamp"].endswith("Z")


def test_a_library_that_warns_is_written_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    logging.getLogger("slack_sdk").warning("token %s refused", "xoxb-1-2")
    logging.getLogger("slack_sdk").info("chatter")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "token [hidden] refused"


def test_an_exception_is_in_its_line_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    try:
        raise ValueError("xoxb-1-2 is wrong")
    except ValueError:
        structlog.get_logger("x").exception("act.failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "xoxb-1-2" not in line
    assert "ValueError" in json.loads(line)["exception"]


def test_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console")
    structlog.get_logger("x").info("started")
    text = capsys.readouterr().err
    assert "started" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_without_a_terminal_the_default_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure(None)
    structlog.get_logger("x").info("started")
    assert json.loads(capsys.readouterr().err)["event"] == "started"


def test_a_line_that_cannot_be_written_is_dropped_and_the_next_one_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, full = sys.stderr.write, [True]

    def write(text: str) -> int:
        if full:
            raise OSError(28, "No space left on device")
        return real(text)

    monkeypatch.setattr(sys.stderr, "write", write)
    configure("json")
    structlog.get_logger("x").warning("lost")
    logging.getLogger("x").warning("lost too")
    full.clear()
    structlog.get_logger("x").warning("written")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "written"
