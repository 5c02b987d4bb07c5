"""What people are told when an access that was approved has ended, because a no had been said before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.case.transition import Transition
from bot.domain.policy.people import Person
from bot.domain.workflow.grant_end import revoke_on_host
from handlers.views.grant import overtaken
from handlers.views.kit.context import ViewContext
from tests.bot.building import DEP1, MINUTE, OWNER, PE1, T0, after, case_of, click, decide, policy, profile

BASE = policy()
SCENE = ViewContext(BASE, T0 + 9 * MINUTE, 1)


@pytest.mark.parametrize(("what", "by", "said"), [
    ("denied", DEP1, "<@U0DEP1> said no"), ("withdrawn", PE1, "<@U0PE1> took the request back"),
    ("denied", None, "Somebody on the host said no"),
])  # fmt: skip
def test_a_no_names_who_said_it_when_and_what_has_ended(what: str, by: Person | None, said: str) -> None:
    opened = after(decide(case_of(BASE), BASE, click(OWNER), profile(OWNER), T0 + 4 * MINUTE))
    ended = revoke_on_host(opened, BASE, "", T0 + 5 * MINUTE)
    assert isinstance(ended, Transition)
    case = after(ended)
    no_at = T0 + 3 * MINUTE
    drawn = overtaken(case, OWNER, what, by, round(no_at.timestamp() * 1000), SCENE)
    assert drawn.text == (
        f"<@U0OWNER> R-00000001 · 🚨 The emergency runbook: {said} at {SCENE.at(no_at)}, while the decision log could not be"
        f" reached. The access that <@U0OWNER> approved at {SCENE.at(T0 + 4 * MINUTE)} has ended."
    )


def test_an_end_says_that_more_time_was_given_in_vain() -> None:
    opened = after(decide(case_of(BASE), BASE, click(OWNER), profile(OWNER), T0 + 4 * MINUTE))
    ended = replace(opened, request=replace(opened.request, version=3))
    drawn = overtaken(ended, PE1, "ended", OWNER, round(T0.timestamp() * 1000), SCENE)
    assert "<@U0OWNER> ended the access at" in drawn.text
    assert drawn.text.endswith("It has ended, although more time was given since.")
