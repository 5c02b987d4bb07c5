"""The judges are foreign, up to date, and do object."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from handlers.web_api.manifest import SCOPES
from tests.slack import judges

REPOSITORY = Path(__file__).parents[2]
BUTTON = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}, "value": "R-1:1"}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}
ACTIONS = {"type": "actions", "block_id": "decide", "elements": [BUTTON]}
INPUT = {
    "type": "input", "block_id": "reason", "label": {"type": "plain_text", "text": "Reason"},
    "element": {"type": "plain_text_input", "action_id": "reason"},
}  # fmt: skip
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Ask"}, "blocks": [INPUT]}


@pytest.mark.timeout(300)
def test_the_schemas_are_those_of_the_pinned_types(tmp_path: Path) -> None:
    subprocess.run(["node", "tools/node/generate.mjs", str(tmp_path)], cwd=REPOSITORY, check=True, timeout=280)
    for file in sorted(tmp_path.iterdir()):
        assert (judges.SCHEMAS / file.name).read_text() == file.read_text(), (
            f"run `make slack-schemas`: {file.name} differs"
        )


def test_every_method_that_we_call_is_described() -> None:
    assert [method for method in SCOPES if not judges.knows(method)] == []


def test_a_sound_message_and_form_pass() -> None:
    assert judges.call("chat.postMessage", {"channel": "C1", "text": "hello", "blocks": [SECTION, ACTIONS]}) == []
    assert judges.call("views.open", {"trigger_id": "1.2", "view": {**MODAL, "submit": MODAL["title"]}}) == []


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "plain_text"),
        ([{**SECTION, "colour": "red"}], "colour"),
        ([{"type": "sektion"}], "sektion"),
        ([ACTIONS, ACTIONS], "block_id decide twice"),
        ([{**ACTIONS, "elements": [BUTTON, BUTTON]}], "action_id approve twice"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "3000"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2800}}] * 5, "14000 characters"),
        ([{**ACTIONS, "elements": [{**BUTTON, "style": "loud"}]}], "style"),
    ],
)
def test_what_slack_would_refuse_is_objected_to(blocks: list[Any], said: str) -> None:
    assert said in "\n".join(judges.message(blocks, "hello"))


def test_a_message_without_text_and_an_unknown_argument_are_objected_to() -> None:
    assert judges.message([SECTION], " ") == ["text has 1 characters"]
    assert judges.call("chat.postMessage", {"channel": "C1", "text": "x", "blocks": [SECTION], "mood": "good"})


def test_an_input_without_a_submit_is_objected_to() -> None:
    assert "an input without a submit" in judges.view(MODAL)


def test_a_payload_without_what_slack_always_sends_is_objected_to() -> None:
    assert judges.payload("/breakglass", {"command": "/breakglass", "text": ""})
    assert judges.payload("view_submission", {"type": "view_submission"})
