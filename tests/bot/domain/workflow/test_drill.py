"""A drill: real ladder, real people, nothing to decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.authority.authorization import conflicted
from bot.domain.case.click import Refusal, Rejected
from bot.domain.case.model import NOBODY, Case, Drill
from bot.domain.case.transition import Transition
from bot.domain.policy.model import Policy
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Presence
from bot.domain.workflow import discussion, drill, grant_end, refusals, timers
from bot.domain.workflow.asks import approval
from tests.bot.building import (
    DEP1,
    DEP2,
    HERE,
    HOME,
    LEAD,
    MINUTE,
    ONC1,
    OWNER,
    PE1,
    RISK,
    STRANGER,
    T0,
    after,
    asked,
    away,
    case_of,
    click,
    decide,
    policy,
    profile,
    runbook,
    said,
    types,
)

PACE = drill.PACE
ME = Person(HOME, "U0CALLER")


def drill_of(base: Policy, runbook_id: str = "emergency", *, fast: bool = False, only_me: Person | None = None) -> Case:
    """A drill whose first step has fired."""
    begun = after(drill.start(base, base.runbooks[runbook_id], "R-0000000D", Drill(fast, only_me), T0, 1))
    return after(timers.sweep(begun, base, HERE, T0, 0))


def here(base: Policy, case: Case, person: Person, at: datetime, presence: Presence = HERE) -> Transition:
    return drill.here(case, base, click(person, "here"), presence, at)


def swept(base: Policy, case: Case, until: datetime, presence: Presence = HERE) -> list[tuple[datetime, Transition]]:
    """Every act of the clock up to `until`, each at its own time."""
    told = []
    while (due := drill.wake_at(case, base, T0)) is not None and due <= until:
        act = timers.sweep(case, base, presence, due, 0)
        assert act is not None
        told.append((due, act))
        case = after(act)
    return told


def test_it_starts_on_the_host_and_the_clock_asks_the_first() -> None:
    base = policy()
    begun = drill.start(base, base.runbooks["emergency"], "R-0000000D", Drill(), T0, 1)
    assert types(begun) == ["drill.started"]
    assert begun.entries[0].actor.kind == "operator"
    assert (begun.says, begun.wake_at) == ((), T0)
    first = timers.sweep(after(begun), base, HERE, T0, 0)
    assert types(first) == ["step.fired"]
    assert said(first, "card") == [OWNER]
    assert said(first, "receipt") == said(first, "lead") == []


def test_it_runs_the_ladder_of_the_runbook_at_its_own_times() -> None:
    base = policy()
    acts = swept(base, drill_of(base), T0 + 44 * MINUTE)
    assert [((at - T0) / MINUTE, said(act, "card") or said(act, "reminder")) for at, act in acts] == [
        (3, [OWNER]), (5, [DEP1, DEP2]), (10, [ONC1]), (15, [RISK]),
    ]  # fmt: skip


def test_the_minute_0_set_is_that_of_the_real_request() -> None:
    base = policy()
    assert asked(drill_of(base, "double")) == {OWNER, RISK}
    assert asked(drill_of(base, "pair")) == {OWNER, DEP1}
    assert asked(drill_of(base, "contain")) == {OWNER, DEP1, DEP2, ONC1}


def test_an_answer_is_recorded_with_role_and_time_and_the_ladder_goes_on() -> None:
    base = policy()
    act = here(base, drill_of(base), OWNER, T0 + timedelta(seconds=42.5))
    assert types(act) == ["drill.reached"]
    entry = act.entries[0]
    assert (entry.actor.person, entry.data) == (OWNER, {"step": 0, "role": "owner", "ms": 42500})
    assert after(act).request.state.value == "pending"
    [(_, remind), (at, deputies), *_] = swept(base, after(act), T0 + 20 * MINUTE)
    assert types(remind) == ["step.skipped"]  # whoever answered is not reminded
    assert (at, said(deputies, "card")) == (T0 + 5 * MINUTE, [DEP1, DEP2])


def test_a_repeated_answer_gets_an_answer_and_changes_nothing() -> None:
    base = policy()
    once = after(here(base, drill_of(base), OWNER, T0 + MINUTE))
    again = here(base, once, OWNER, T0 + 2 * MINUTE)
    assert (again.after, types(again)) == (None, ["decision.refused"])
    assert again.says[0].data["sentence"] == "drill_again"
    assert again.says[0].data["at"] == round((T0 + MINUTE).timestamp() * 1000)


def test_only_those_asked_answer() -> None:
    base = policy()
    for person in (DEP1, STRANGER, PE1):
        act = here(base, drill_of(base), person, T0 + MINUTE)
        assert (act.after, types(act)) == (None, ["decision.refused"])
        assert act.entries[0].data["why"] == "unauthorised"


def test_it_ends_when_all_steps_are_done_and_everybody_answered() -> None:
    base = policy()
    case = drill_of(base)
    for _, act in swept(base, case, T0 + 15 * MINUTE):
        case = after(act)
    now = T0 + 16 * MINUTE
    for person in (OWNER, DEP1, DEP2, ONC1):
        act = here(base, case, person, now)
        case = after(act)
        assert "drill.ended" not in types(act)
    last = here(base, case, RISK, now)
    assert types(last) == ["drill.reached", "drill.ended"]
    assert last.entries[1].data["missed"] == ()
    assert (after(last).approval.state, after(last).request.closed_at, last.wake_at) == ("yes", now, None)
    assert said(last, "drill_report") == ["C0DIRECTORY", OWNER]
    assert timers.sweep(after(last), base, HERE, T0 + 60 * MINUTE, 0) is None


def test_at_its_deadline_it_ends_and_says_who_was_missed() -> None:
    base = policy()
    case = after(here(base, drill_of(base), OWNER, T0 + MINUTE))
    at, last = swept(base, case, T0 + 60 * MINUTE)[-1]
    assert at == T0 + 45 * MINUTE
    assert types(last) == ["drill.ended"]
    assert last.entries[0].data["missed"] == (DEP1, DEP2, ONC1, RISK)
    assert after(last).approval.state == "expired"
    late = here(base, after(last), DEP1, T0 + 46 * MINUTE)
    assert (late.after, late.says[0].data["sentence"]) == (None, "drill_over")


def test_nobody_waits_for_somebody_whom_no_card_can_reach() -> None:
    base = policy(runbooks=[runbook(escalation="short")])
    case = after(here(base, drill_of(base), OWNER, T0))
    failed = timers.card_failed(case, base, HERE, OWNER, "user_not_found", T0)
    assert failed is not None
    case = after(timers.sweep(after(failed), base, HERE, T0 + 30 * MINUTE, 0))
    gone = after(timers.card_failed(case, base, HERE, DEP1, "user_not_found", T0 + 30 * MINUTE))
    assert types(here(base, gone, DEP2, T0 + 31 * MINUTE)) == ["drill.reached", "drill.ended"]


def test_absent_and_deactivated_people_are_skipped_as_ever() -> None:
    base = policy()
    begun = after(drill.start(base, base.runbooks["emergency"], "R-0000000D", Drill(), T0, 1))
    gone = away(U0OWNER="deactivated", U0DEP1="absent")
    first = timers.sweep(begun, base, gone, T0, 0)
    assert types(first) == ["step.skipped", "step.skipped", "step.fired"]
    assert said(first, "card") == [DEP2]
    alone = away(U0OWNER="deactivated", U0DEP1="absent", U0DEP2="absent")
    pulled = timers.sweep(begun, base, alone, T0, 0)
    assert types(pulled) == ["step.skipped", "step.skipped", "step.skipped", "step.fired"]
    assert said(pulled, "card") == [ONC1]
    assert said(pulled, "alarm") == ["C0DIRECTORY", RISK]


def test_fast_fires_a_step_every_pace() -> None:
    base = policy()
    acts = swept(base, drill_of(base, fast=True), T0 + 60 * MINUTE)
    assert [((at - T0) / PACE, types(act)[0]) for at, act in acts] == [
        (1, "step.fired"), (2, "step.fired"), (3, "step.fired"), (4, "step.fired"), (6, "drill.ended"),
    ]  # fmt: skip


def test_fast_fires_the_next_step_on_the_first_answer_and_keeps_the_pace_from_there() -> None:
    base = policy()
    now = T0 + timedelta(seconds=4)
    act = here(base, drill_of(base, fast=True), OWNER, now)
    assert types(act) == ["drill.reached", "step.skipped", "step.fired"]
    assert said(act, "card") == [DEP1, DEP2]
    assert act.wake_at == now + PACE
    first = here(base, after(act), DEP1, now + timedelta(seconds=1))
    assert said(first, "card") == [ONC1]
    second = here(base, after(first), DEP2, now + timedelta(seconds=2))
    assert types(second) == ["drill.reached"]  # the newest step is the on-call's now


def test_a_scaled_clock_shortens_the_pace() -> None:
    base = policy()
    begun = after(drill.start(base, base.runbooks["emergency"], "R-0000000D", Drill(fast=True), T0, 60))
    assert begun.approval.steps[1].due_at == T0 + timedelta(seconds=0.5)
    assert begun.request.expires_at == T0 + timedelta(seconds=3)


def test_only_me_answers_the_caller_alone() -> None:
    base = policy()
    case = drill_of(base, "contain", only_me=ME)
    heard = [(at, say) for at, act in swept(base, case, T0 + 60 * MINUTE) for say in act.says]
    assert heard
    assert {say.to for _, say in heard} == {ME}
    assert {say.channel for _, say in heard} == {None}
    begun = after(drill.start(base, base.runbooks["contain"], "R-0000000D", Drill(only_me=ME), T0, 1))
    first = timers.sweep(begun, base, HERE, T0, 0)
    assert said(first, "card") == [ME]  # one card for the whole step


def test_only_me_answers_for_everybody_asked_so_far() -> None:
    base = policy()
    act = here(base, drill_of(base, "contain", only_me=ME), ME, T0 + MINUTE)
    reached = [e for e in act.entries if e.type == "drill.reached"]
    assert {e.actor.person for e in reached} == {ME}
    assert [e.data["to"] for e in reached] == [(OWNER,), (DEP1,), (DEP2,), (ONC1,)]
    again = here(base, after(act), ME, T0 + 2 * MINUTE)
    assert again.says[0].data["sentence"] == "drill_again"
    later = swept(base, after(act), T0 + 15 * MINUTE)[-1][1]
    assert [e.data["to"] for e in here(base, after(later), ME, T0 + 16 * MINUTE).entries[:1]] == [(RISK,)]
    assert here(base, drill_of(base, only_me=ME), OWNER, T0).entries[0].data["why"] == "unauthorised"


def test_an_alarm_of_only_me_goes_to_nobody_else() -> None:
    base = policy()
    begun = after(drill.start(base, base.runbooks["emergency"], "R-0000000D", Drill(only_me=ME), T0, 1))
    alone = away(U0OWNER="deactivated", U0DEP1="deactivated", U0DEP2="deactivated")
    act = timers.sweep(begun, base, alone, T0, 0)
    assert act is not None
    assert {(say.to, say.channel) for say in act.says} == {(ME, None)}


def test_no_door_decides_a_drill() -> None:
    base = policy()
    case, fresh = drill_of(base, "double"), profile
    acts = [
        decide(case, base, click(OWNER), fresh(OWNER), T0),
        decide(case, base, replace(click(RISK), seconds=60), fresh(RISK), T0),
        decide(case, base, click(OWNER, "deny", reason="x"), fresh(OWNER), T0),
        approval.withdraw(case, base, click(NOBODY, "withdraw"), T0),
        approval.withdraw(case, base, click(LEAD, "withdraw"), T0),
        discussion.hold(case, base, click(OWNER, "hold"), fresh(OWNER), T0, 1),
        discussion.defer(case, base, click(OWNER, "pass"), fresh(OWNER), HERE, T0),
        discussion.question(case, base, click(OWNER, "question", reason="x"), fresh(OWNER), T0),
        discussion.answer(case, base, click(NOBODY, "answer"), T0),
        discussion.escalate_now(case, base, click(NOBODY, "push"), HERE, T0),
        discussion.recommend(case, base, click(LEAD, "for"), T0),
    ]
    for act in acts:
        assert (act.after, types(act)) == (None, ["decision.refused"])
    assert isinstance(approval.deny_on_host(case, base, "x", T0), Rejected)
    assert isinstance(grant_end.revoke_on_host(case, base, "x", T0), Rejected)
    assert refusals.closed(case, T0) == Rejected(Refusal.STALE, "drill", {})


def test_the_button_means_nothing_on_a_request_or_an_old_card() -> None:
    base = policy()
    for act in (
        here(base, case_of(base), OWNER, T0),
        drill.here(drill_of(base), base, click(OWNER, "here", version=0), HERE, T0),
    ):
        assert (act.after, act.entries[0].data["why"]) == (None, "stale")


def test_nobody_named_is_its_requester() -> None:
    base = policy()
    case = drill_of(base)
    assert not any(conflicted(case, base, p) for p in (OWNER, DEP1, DEP2, ONC1, RISK))
    assert base.provider_of(NOBODY) is None


@pytest.mark.parametrize(
    ("runbook_id", "running", "word"), [("unlock", None, "nobody is asked"), ("emergency", "R-1", "R-1")]
)
def test_what_cannot_be_drilled_is_refused_with_a_sentence(runbook_id: str, running: str | None, word: str) -> None:
    base = policy()
    assert word in (drill.refusal(base.runbooks[runbook_id], base, running) or "")
    assert drill.refusal(base.runbooks["emergency"], base, None) is None
