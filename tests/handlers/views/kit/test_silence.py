"""The line that says what happens without an answer names whom the engine will really ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.policy.model import Policy, Suspended, TakenAway
from bot.domain.policy.people import Humans
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import timers
from bot.domain.workflow.timeline import ahead
from handlers.views.kit.context import ViewContext
from handlers.views.kit.silence import silence
from tests.bot.building import DEP1, DEP2, HERE, HOUR, MINUTE, PE1, T0, after, away, case_of, policy

BASE = policy()
DEPUTIES = TakenAway(suspended=frozenset({Suspended("directory", dep, "R-00000009") for dep in (DEP1, DEP2)}))


def said(base: Policy, presence: Presence = HERE, minutes: int = 0) -> str:
    case = case_of(BASE)
    if minutes:
        case = after(timers.sweep(case, BASE, HERE, T0 + minutes * MINUTE, 1))
    at = T0 + timedelta(minutes=minutes)
    return silence(case, ViewContext(base, at, ahead={case.id: ahead(case, base, presence)}))


@pytest.mark.parametrize(
    ("presence", "begins"),
    [
        (HERE, "Without an answer, <@U0DEP1>, <@U0DEP2> will be asked at <!date^"),
        (away(U0DEP1="absent"), "Without an answer, <@U0DEP2> will be asked at <!date^"),
        (away(U0DEP1="deactivated", U0DEP2="deactivated"), "Without an answer, <@U0ONC1> will be asked at <!date^"),
        (Presence({}, {DEP1: T0 + HOUR, DEP2: T0 + HOUR}), "Without an answer, <@U0DEP1>, <@U0DEP2> will be asked at <!date^"),
    ],
    ids=["here", "one away", "both gone", "asleep"],
)  # fmt: skip
def test_it_names_who_is_there(presence: Presence, begins: str) -> None:
    assert said(BASE, presence).startswith(begins)


def test_it_says_because_of_whom_and_of_nobody_else() -> None:
    assert ", because <@U0DEP1>, <@U0DEP2> are away; at " in said(BASE, away(U0DEP1="absent", U0DEP2="absent"))
    one_gone = said(BASE, away(U0DEP1="deactivated", U0DEP2="absent"))
    assert ", because the account of <@U0DEP1> is deactivated; at " in one_gone


@pytest.mark.parametrize("barred", [replace(BASE, standing=DEPUTIES),
                                    replace(BASE, humans=Humans.joined([[PE1.user, DEP1.user, DEP2.user]]))])  # fmt: skip
def test_it_names_nobody_who_is_barred(barred: Policy) -> None:
    assert said(barred).startswith("Without an answer, <@U0ONC1> will be asked at ")


def test_where_nobody_is_left_it_names_the_end_only() -> None:
    assert said(BASE, minutes=15).startswith("Without an answer, at <!date^")
    case = case_of(BASE)
    assert silence(case, ViewContext(BASE, T0)).startswith("Without an answer, at <!date^")
