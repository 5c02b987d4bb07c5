"""The sentences of people's commonest moments, word by word: who reads them at three in the morning knows what happens next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.policy.field_values import wrong
from handlers.views import pages
from handlers.views.answers import say
from handlers.views.kit import wording
from handlers.views.kit.context import ViewContext
from tests.bot.building import T0, TICKET, policy, runbook


def scene(scale: float = 1.0) -> ViewContext:
    return ViewContext(policy(), T0, scale)


@pytest.mark.parametrize(
    ("sentence", "params", "said"),
    [
        (
            "away",
            {"until": 1772614800000, "deputies": ["T0HOME/U0DEP1"]},
            "You are away until <!date^1772614800^{time}|2026-03-04 09:00 UTC>. Questions to you go to <@U0DEP1>.",
        ),
        ("posted", {}, "Button posted. Pin it so people can find it."),
        ("unknown", {"argument": ""}, "Name the request, for example `/countersign show R-7K3M9QX2`."),
        ("unknown", {"argument": "zz"}, "There is no request zz that you may see."),
        (
            "unverified",
            {"missing": ["manager_callback"], "requester": "T0HOME/U0PE1"},
            "You can't approve yet. Waiting for <@U0PE1> to confirm: ",
        ),
    ],
)
def test_an_answer_says_what_happens_next(sentence: str, params: dict[str, object], said: str) -> None:
    assert say(sentence, params, scene()).text.startswith(said)


def test_empty_lists_are_short_and_name_the_commands() -> None:
    assert pages.waiting([], scene()).text == "You're all caught up. Commands: /countersign help"
    assert pages.queue([], scene()).text == "No open requests."
    assert pages.review([], [], scene()).text == "Nothing is due from you."


def test_the_form_says_how_many_must_approve_and_who_must_be_one() -> None:
    two = runbook("two", approvals=2, requires=("risk_owner",))
    said = wording.consequence(two, "<@U0OWNER>", "risk owner <@U0RISK>", None, "")
    assert said == "Two approvals needed: <@U0OWNER> first; risk owner <@U0RISK> must be one."


@pytest.mark.parametrize(
    ("label", "hint", "said"),
    [
        ("Incident ticket", "e.g. INC0012345", "That isn't a valid ticket. Example: INC0012345."),
        ("Incident ticket", "Eight digits", "That isn't a valid ticket. Eight digits."),
        ("Number of the change", "", "That isn't a valid number of the change. It must match "),
        ("ID", "For example: A1", "That isn't a valid ID. Example: A1."),
    ],
)
def test_what_is_typed_wrongly_is_called_by_its_name_with_an_example(label: str, hint: str, said: str) -> None:
    found = wrong(replace(TICKET, label=label, hint=hint, matcher=None), "INC1")
    assert found is not None
    assert found.startswith(said)


def test_a_last_day_is_a_day_in_words_and_the_demo_says_when_it_comes() -> None:
    days = 30 * 86400
    assert scene().day(T0 + timedelta(days=30), T0, days) == "3 Apr 2026"
    assert scene(20).day(T0 + timedelta(days=2), T0, days) == "3 Apr 2026 (in this demo: 6 Mar)"
