"""Every view stays within Slack's limits whatever people type, and shows nothing forged.

The judge is the sandbox's description of Block Kit, which knows nothing of our builders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.case.model import Case, FieldValue
from bot.domain.policy.model import FieldSpec
from bot.domain.policy.people import Person, Profile
from handlers.views import pages
from handlers.views import receipt as receipts
from handlers.views.answers import SENTENCES, say
from handlers.views.approval_card import card
from handlers.views.dialogs import DialogContext, deny_form, filed_page, filed_result, said_page
from handlers.views.kit.blocks import TEXT_MAX, Message
from handlers.views.request_form import FormDraft, form
from sandbox.blocks import check_message, check_view
from tests.bot.building import HOME, OWNER, PE1, T0, case_of, home, policy, runbook
from tests.handlers.views.kit.test_escaping import TYPED
from tests.handlers.views.test_approval_card import decided, scene

BASE = policy()
LONG = st.one_of(TYPED, TYPED.map(lambda t: (t or "x") * (10_000 // max(len(t), 1))))
KINDS = ("text", "multiline", "number", "date", "datetime", "select", "person", "email", "url", "boolean")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case in any state, with anything in every place that a person types into."""
    case = case_of(BASE, draw(st.sampled_from(["emergency", "double"])))
    case = draw(st.sampled_from([case, decided(case, OWNER), decided(case, OWNER, "deny")]))
    fields = tuple(FieldValue(f"f{n}", draw(LONG), draw(LONG)) for n in range(draw(st.integers(0, 12))))
    changed = replace(case.request, target=draw(LONG), reason=draw(LONG), title=draw(LONG), fields=fields)
    return replace(case, request=changed)


def ours(case: Case) -> Iterator[Message]:
    at = scene(minutes=1)
    yield card(case, OWNER, at)
    yield receipts.receipt(case, at)
    yield receipts.outcome(case, b"---\nx\n---\n" + b"b" * 11_000, at, case.request.reason)
    yield receipts.outcome(case, None, at)
    yield receipts.reminder(case, "<@U0OWNER>", at)
    yield receipts.announcement(case, at)
    yield receipts.alarm(case, case.request.reason, case.request.target)
    yield pages.show(case, at)
    yield pages.waiting([case] * 30, at)
    yield pages.queue([case] * 3, at)
    yield pages.mine([], at)


def assert_accepted(message: Message) -> None:
    assert 0 < len(message.text) <= TEXT_MAX
    assert check_message([*message.blocks]) == []
    forges_nothing(message.text)
    for text in mrkdwn_in(message.blocks):
        forges_nothing(text)


def mrkdwn_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            assert value.get("verbatim") is True
            yield value["text"]
        for inner in value.values():
            yield from mrkdwn_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from mrkdwn_in(inner)


KNOWN = {p.user for p in (*BASE.domains["directory"].deputies, OWNER, PE1)} | {
    "U0RISK",
    "U0ONC1",
    "U0ONC2",
    "U0MACH",
    "U0MDEP",
}


def forges_nothing(text: str) -> None:
    """Whatever is between < and > is a mention of somebody of the case, or a time."""
    for found in re.findall(r"<([^>]*)>?", text):
        mention = re.fullmatch(r"@(U[A-Z0-9]+)", found)
        time = re.fullmatch(
            r"!date\^\d+\^(\{ago\}|\{time\}|\{date_short_pretty\}, \{time\})\|\d{4}-\d\d-\d\d \d\d:\d\d UTC", found
        )
        assert time or (mention and mention[1] in KNOWN), found


@settings(max_examples=max(settings().max_examples // 2, 20))
@given(cases())
def test_every_message_is_accepted_and_shows_nothing_forged(case: Case) -> None:
    for message in ours(case):
        assert_accepted(message)
        for block in message.blocks:
            for element in block.get("elements", ()) if block["type"] == "actions" else ():
                assert re.fullmatch(r"R-[0-9A-Z]{8}:\d+", element["value"])


@given(st.sampled_from(sorted(SENTENCES)), st.dictionaries(
    st.sampled_from(["text", "state", "by", "at", "have", "need", "id", "argument"]), st.one_of(LONG, st.integers())
))  # fmt: skip
def test_every_sentence_is_accepted_whatever_its_parameters(name: str, params: dict[str, Any]) -> None:
    params = {**params, "by": f"{HOME}/U0OWNER"} if "by" in params else params
    assert_accepted(say(name, params, scene()))


def test_a_sentence_that_is_unknown_is_still_answered() -> None:
    assert "#identity-help" in say("of a later release", {}, scene()).text


@given(st.lists(LONG, min_size=1, max_size=20), LONG)
def test_pages_of_names_are_accepted(names: list[str], argument: str) -> None:
    profiles = [Profile(Person(HOME, f"U0X{n}"), name) for n, name in enumerate(names)]
    assert_accepted(pages.whoami(profiles, BASE))
    assert_accepted(pages.help_page(argument, scene()))


@given(st.data())
def test_every_form_is_accepted_whatever_was_typed_and_whatever_the_runbook_asks(data: st.DataObject) -> None:
    specs = tuple(
        FieldSpec(
            f"f{n}", data.draw(LONG), kind, data.draw(st.booleans()),
            options=tuple(f"{n}-{data.draw(LONG)}" for _ in range(1)) if kind == "select" else (),
            hint=data.draw(st.none() | LONG), minimum=data.draw(st.none() | st.integers(0, 50)),
            maximum=data.draw(st.none() | st.integers(50, 9000)),
        )
        for n, kind in enumerate(KINDS)
    )  # fmt: skip
    targets = tuple(f"t{n}{'x' * 180}" for n in range(data.draw(st.sampled_from([0, 1, 100, 101, 250]))))
    chosen = runbook(
        "own", title=data.draw(LONG), fields=specs, targets=targets, subject_verification=("manager_callback",)
    )
    offered = [chosen, *(runbook(f"r{n}") for n in range(data.draw(st.sampled_from([0, 1, 120]))))]
    typed = {f"field.{kind}.f{n}": data.draw(LONG) for n, kind in enumerate(KINDS)}
    typed |= {key: data.draw(LONG) for key in ("reason", "target_text", "target_choice", "duration")}
    draft = FormDraft(
        data.draw(st.sampled_from([None, "reset"])),
        data.draw(st.sampled_from(["own", "", "gone"])),
        typed,
        data.draw(st.booleans()),
    )
    view = form(draft, offered, scene(policy(runbooks=offered)))
    assert check_view(view, "modal") == []
    assert len(view["private_metadata"]) <= 3000
    for text in mrkdwn_in(view["blocks"]):
        forges_nothing(text)


@given(cases())
def test_the_other_pages_of_forms_are_accepted(case: Case) -> None:
    at = scene()
    shown = [
        deny_form(DialogContext("R-00000001:1", "D0"), case.id),
        filed_page(case.id),
        filed_result(case, at),
        said_page("x"),
    ]
    for view in shown:
        assert check_view(view, "modal") == []
        assert len(json.dumps(view)) < 250_000


def test_a_ten_thousand_character_reason_is_a_card_that_slack_takes() -> None:
    for typed in ("A" * 10_000, "&" * 10_000, "\n" * 10_000 + "x", "<!channel>\n" * 900, "👩🏽‍⚕️" * 2000):
        case = case_of(BASE)
        case = replace(case, request=replace(case.request, reason=typed, target=typed))
        for message in ours(case):
            assert_accepted(message)


def test_a_whole_matrix_is_accepted_and_a_strangers_is_empty() -> None:
    assert_accepted(pages.matrix(tuple(BASE.domains.values()), tuple(BASE.runbooks.values()), scene()))
    assert_accepted(pages.matrix((), (), scene()))
    many = tuple(
        replace(BASE.domains["directory"], id=f"d{n}", name="n" * 500, deputies=(home("U0DEP1"),) * 40) for n in range(60)
    )
    assert_accepted(pages.matrix(many, (), scene()))
    assert T0.tzinfo is not None
