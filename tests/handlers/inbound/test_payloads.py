"""Slack's JSON becomes values once; another shape is a sentence, never a crash."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy.people import Person
from bot.ports.commands import ReplyAddress
from handlers import ids
from handlers.inbound import payloads
from handlers.inbound.payloads import PayloadError
from tests.bot.building import COLLEAGUE, HOME, OWNER, PE1, PROV
from tests.handlers.shapes import HOOK, choose, click, picked, shortcut, slash, submit, view_of

PARSERS = (payloads.command, payloads.press, payloads.submission, payloads.shortcut)


def test_a_command_is_its_person_its_text_and_where_the_answer_goes() -> None:
    read = payloads.command(slash(PE1, "/breakglass", "emergency disk &amp; fan &lt;full&gt;"))
    assert read.person == PE1
    assert (read.name, read.text, read.trigger) == ("breakglass", "emergency disk & fan <full>", "12.34.ab")
    assert read.reply == ReplyAddress(PE1, HOOK, "C0ANY")
    assert read.key == "command:12.34.ab"


def test_a_mention_in_a_command_is_its_id_and_in_a_reason_its_name() -> None:
    read = payloads.command(slash(PE1, "/countersign", "whoami <@U0OWNER|olga> <@W0X1> <#C0A|ops> <http://a.b|a.b>"))
    assert read.mentioned == ("U0OWNER", "W0X1")
    assert read.text == "whoami @olga @W0X1 #ops a.b"


def test_a_person_is_of_their_own_team_where_slack_sends_it_else_of_the_payloads() -> None:
    assert payloads.press(click(COLLEAGUE, "approve")).person == COLLEAGUE
    bare = {"id": "U0OWNER", "username": "olga"}
    assert payloads.press(click(OWNER, "approve", user=bare)).person == Person(HOME, "U0OWNER")
    organisation = click(OWNER, "approve", user=bare, team=None, view={"team_id": PROV, "id": "V1"})
    assert payloads.press(organisation).person == Person(PROV, "U0OWNER")


def test_names_and_mail_addresses_in_a_payload_carry_nothing() -> None:
    told = {"id": "U0NOBODY", "team_id": HOME, "username": "U0OWNER", "name": "Olga Novak", "email": "olga@example.org"}
    assert payloads.press(click(OWNER, "approve", user=told)).person == Person(HOME, "U0NOBODY")


def test_a_click_and_a_form_have_different_keys_even_for_one_trigger() -> None:
    view = view_of({"blocks": [], "callback_id": "ask"}, {})
    bodies = (click(OWNER, "approve", trigger_id="1"), submit(OWNER, view, trigger_id="1"))
    assert [p(b).key for p, b in zip((payloads.press, payloads.submission), bodies, strict=True)] == [
        "action:1",
        "submission:1",
    ]


def test_every_kind_of_input_is_read_and_an_empty_one_is_absent() -> None:
    states = {
        "a": {"type": "plain_text_input", "value": "text"},
        "b": picked("chosen"),
        "c": {"type": "users_select", "selected_user": "U0PE1"},
        "d": {"type": "datepicker", "selected_date": "2026-12-31"},
        "e": {"type": "datetimepicker", "selected_date_time": 1764000000},
        "f": {"type": "plain_text_input", "value": None},
        "g": {"type": "static_select", "selected_option": None},
    }
    view = {"id": "V1", "blocks": [], "state": {"values": {f"block-{k}": {k: v} for k, v in states.items()}}}
    assert payloads.submission(submit(PE1, view)).sheet.entered == {
        "a": "text", "b": "chosen", "c": "U0PE1", "d": "2026-12-31", "e": "1764000000",
    }  # fmt: skip


def test_a_choice_in_a_form_brings_the_form_along() -> None:
    view = view_of({"blocks": [], "callback_id": "ask", "private_metadata": "{}"}, {})
    read = payloads.choice(choose(PE1, view, "emergency"))
    assert (read.action, read.value) == ("runbook", "emergency")
    assert read.sheet is not None
    assert (read.sheet.id, read.sheet.hash, read.sheet.callback) == ("V0FORM", "1.x", "ask")
    assert read.reply == ReplyAddress(PE1)


@pytest.mark.parametrize("type_", ["static_select", "overflow", "workflow_button", "of_a_later_release", 7])
def test_an_element_that_is_no_button_decides_nothing(type_: object) -> None:
    body = click(PE1, "approve", "R-ABCD1234:1")
    body["actions"][0]["type"] = type_
    with pytest.raises(payloads.PayloadError, match="not from this app"):
        payloads.press(body)


def test_an_address_for_answers_is_only_taken_where_it_is_one() -> None:
    for url in ("javascript:alert(1)", "file:///etc/passwd", "ftp://a", 7, None, ""):
        assert payloads.command(slash(PE1, "/x", response_url=url)).reply.response_url == ""


def test_half_a_character_is_shown_as_one_that_is_missing() -> None:
    assert payloads.command(slash(PE1, "/x", "a\ud800b\0c 👩🏽‍⚕️")).text == "a\ufffdb\ufffdc 👩🏽‍⚕️"
    view = {"id": "V1", "blocks": [], "state": {"values": {"r": {"reason": {"type": "x", "value": "\udfff"}}}}}
    assert payloads.submission(submit(PE1, view)).sheet.entered == {"reason": "\ufffd"}


def test_a_shortcut_is_answered_in_the_direct_message() -> None:
    assert payloads.shortcut(shortcut(PE1)).reply == ReplyAddress(PE1)


@pytest.mark.parametrize("text", ["R-ABCD1234:1", "r-abcd1234:1", " abcd-1234:1", "R-ABCDI234:1".replace("I", "1")])
def test_a_buttons_value_is_read_leniently(text: str) -> None:
    assert ids.read_question(text) == ("R-ABCD1234", 1)


@pytest.mark.parametrize("text", ["", ":", "R-ABCD:1", "approve", "R-ABCD12345:1", "<@U0OWNER>:1", "R-ABCDU234:1"])
def test_a_value_that_names_no_request_is_none(text: str) -> None:
    assert ids.read_question(text) is None


def test_a_value_without_a_version_can_only_be_stale() -> None:
    for text in ("R-ABCD1234", "R-ABCD1234:", "R-ABCD1234:x", "R-ABCD1234:-1", "R-ABCD1234:99999999999", "R-ABCD1234:²"):
        assert ids.read_question(text) == ("R-ABCD1234", 0)


def test_a_field_is_found_again_in_its_action_id() -> None:
    assert ids.field_of(ids.field_action("a.b", "text")) == "a.b"
    assert [ids.field_of(x) for x in ("reason", "field", "field.text", "field.text.", "x.text.a")] == [None] * 5


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_SHAPES = (
    slash(PE1, "/x"), click(PE1, "approve", "R-ABCD1234:1"), shortcut(PE1),
    submit(PE1, view_of({"blocks": [{"type": "input", "block_id": "r", "element": {"action_id": "a", "type": "x"}}]}, {})),
)  # fmt: skip


@given(data=st.data())
def test_no_payload_of_another_shape_crashes(data: st.DataObject) -> None:
    body = json.loads(json.dumps(data.draw(st.sampled_from(_SHAPES))))
    _spoil(body, data)
    for parse in PARSERS:
        with contextlib.suppress(PayloadError):
            assert isinstance(parse(body).person, Person)


def _spoil(value: Any, data: st.DataObject) -> None:
    """Replaces or drops one thing somewhere inside."""
    while isinstance(value, dict | list) and value:
        key = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else list(range(len(value)))))
        if isinstance(value[key], dict | list) and value[key] and data.draw(st.booleans()):
            value = value[key]
            continue
        if isinstance(value, dict) and data.draw(st.booleans()):
            del value[key]
        else:
            value[key] = data.draw(_JSON)
        return
