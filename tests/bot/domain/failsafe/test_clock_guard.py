"""What giving is, judged by what an act changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.case.ask import Vote
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.model import Case, Grant
from bot.domain.case.transition import Transition
from bot.domain.failsafe import clock_guard
from bot.domain.workflow import refusals, timers
from bot.domain.workflow.asks import approval
from tests.bot.building import (
    HERE,
    HOUR,
    MINUTE,
    OWNER,
    PE1,
    T0,
    after,
    case_of,
    click,
    decide,
    filing_of,
    policy,
    profile,
    said,
)

BASE = policy()


def approved(runbook: str = "emergency") -> Transition:
    case = case_of(BASE, runbook)
    return decide(case, BASE, click(OWNER), profile(OWNER), T0 + MINUTE)


def opened(state: RequestState = RequestState.OPENED) -> Case:
    """As an autonomous or break-glass filing leaves it."""
    case = case_of(BASE)
    return replace(case, request=replace(case.request, state=state), grant=Grant(3600, T0, T0 + HOUR))


@pytest.mark.parametrize("runbook", ["emergency", "pair", "double"])
def test_every_yes_gives_whether_it_completes_the_quorum_or_not(runbook: str) -> None:
    assert clock_guard.gives(approved(runbook))


def test_an_answer_yes_gives_even_where_no_access_hangs_on_it() -> None:
    case = after(approved())
    ask = replace(case.approval, kind="ratification", votes=(Vote(OWNER, "yes", "owner", T0, 0),))  # type: ignore[arg-type]
    assert clock_guard.gives(Transition(case, replace(case, asks=(*case.asks, ask))))


def test_opening_at_once_gives() -> None:
    assert clock_guard.gives(Transition(None, opened()))


def test_a_grant_that_ends_later_or_opens_again_gives() -> None:
    case = opened()
    assert case.grant is not None
    assert clock_guard.gives(Transition(case, replace(case, grant=replace(case.grant, not_after=T0 + 2 * HOUR))))
    closed = replace(case, grant=replace(case.grant, state=GrantState.REVOKED))
    assert clock_guard.gives(Transition(closed, case))


def test_what_asks_takes_away_or_only_informs_gives_nothing() -> None:
    case, granted = case_of(BASE), after(approved())
    assert granted.grant is not None
    shorter = replace(granted, grant=replace(granted.grant, not_after=T0 + MINUTE))
    late = T0 + 2 * HOUR
    acts = [
        filing_of(BASE),
        decide(case, BASE, click(OWNER, "deny", reason="no"), profile(OWNER), T0 + MINUTE),
        approval.withdraw(case, BASE, click(PE1, "withdraw"), T0 + MINUTE),
        decide(case, BASE, click(PE1), profile(PE1), T0 + MINUTE),
        timers.sweep(case, BASE, HERE, T0 + 5 * MINUTE, 0),
        timers.sweep(case, BASE, HERE, late, 0),
        timers.sweep(granted, BASE, HERE, late, 0),
        Transition(granted, shorter),
        Transition(None, None),
    ]
    assert [clock_guard.gives(act) for act in acts if act is not None] == [False] * len(acts)


def test_instead_of_giving_the_clicker_gets_a_sentence_and_one_entry_is_written() -> None:
    act = replace(approved(), inbox=7)
    held = clock_guard.refuse(act)
    assert (held.after, held.inbox, [d.type for d in held.entries]) == (None, 7, ["decision.refused"])
    assert said(held, "answer") == [OWNER]
    refusal = refusals.refuse(case_of(BASE), BASE, click(OWNER), refusals.DOUBTED)
    assert clock_guard.refuse(replace(act, otherwise=refusal)) == replace(refusal, inbox=7)
