"""The message on which somebody used a shortcut."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import ids
from handlers.inbound.message_shortcut import SlackMessage, message_of, place_of, reason_of
from handlers.inbound.payloads import PayloadError
from tests.bot.building import PE1
from tests.handlers.shapes import shortcut

ABOUT: dict[str, Any] = {
    "type": "message_action", "channel": {"id": "C0OPS", "name": "ops"},
    "message": {"type": "message", "ts": "1772614800.000100", "text": "key &lt;AKIA&gt;"},
}  # fmt: skip


def test_a_message_is_read() -> None:
    assert message_of(shortcut(PE1) | ABOUT) == SlackMessage("C0OPS", "ops", "1772614800.000100", "key <AKIA>", "home")
    assert message_of(shortcut(PE1)) is None


@pytest.mark.parametrize("missing", ["channel", "message"])
def test_a_payload_without_it_is_refused(missing: str) -> None:
    body = shortcut(PE1) | ABOUT
    with pytest.raises(PayloadError):
        message_of({key: value for key, value in body.items() if key != missing})


def test_the_form_of_a_finding_holds_the_place_and_not_the_text() -> None:
    found = message_of(shortcut(PE1) | ABOUT)
    assert found is not None
    assert place_of(found) == {ids.TARGET_TEXT: "Slack message in #ops (C0OPS/1772614800.000100)"}


def test_the_form_of_a_request_holds_link_and_text_as_the_reasons_draft() -> None:
    found = message_of(shortcut(PE1) | ABOUT | {"team": {"id": "T0HOME", "domain": "example-health"}})
    assert found is not None
    link = "https://example-health.slack.com/archives/C0OPS/p1772614800000100"
    assert reason_of(found) == {ids.REASON: f"{link}\nkey <AKIA>"}


def test_a_domain_that_is_none_makes_no_link_of_its_own() -> None:
    found = message_of(shortcut(PE1) | ABOUT | {"team": {"id": "T0HOME", "domain": "evil.example/x?"}})
    assert found is not None
    assert reason_of(found)[ids.REASON].startswith("https://slack.com/archives/C0OPS/p")
