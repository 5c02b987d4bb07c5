"""What the engine would do with a request that nobody answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.case.transition import Transition
from bot.domain.policy.model import EscalationPolicy, Hours, NamedPerson, Policy, PolicyStep, Role
from bot.domain.policy.people import Person
from bot.domain.timing.escalation import Away, Presence, advance
from bot.domain.workflow.timeline import Moment, Timeline, ahead, explain, upcoming
from bot.domain.workflow.timers import sweep
from tests.bot.building import (
    DEP1,
    DEP2,
    HERE,
    MINUTE,
    ONC1,
    ONC2,
    OWNER,
    RISK,
    T0,
    after,
    away,
    case_of,
    click,
    decide,
    filing_of,
    policy,
    profile,
    runbook,
    with_domain,
)


def told(timeline: Timeline) -> list[tuple[float, str, object]]:
    return [
        ((m.at - timeline.filed_at) / MINUTE, m.what, m.why if m.what == "skip" else set(m.people))
        for m in timeline.moments
    ]


def explained(base: Policy, runbook_id: str = "emergency", **how: object) -> Timeline:
    return explain(base, base.runbooks[runbook_id], T0, how.get("presence", HERE), 1)  # type: ignore[arg-type]


def test_a_plain_request_runs_up_the_whole_ladder() -> None:
    timeline = explained(policy())
    assert told(timeline) == [
        (0, "ask", {OWNER}),
        (3, "remind", {OWNER}),
        (5, "ask", {DEP1, DEP2}),
        (10, "ask", {ONC1}),
        (15, "ask", {RISK}),
        (45, "expire", set()),
    ]
    assert timeline.earliest_yes == T0


def test_the_page_is_at_its_step() -> None:
    assert [m.page for m in explained(policy()).moments] == [False, False, False, True, False, False]


def test_an_immediate_request_shows_its_skipped_steps() -> None:
    assert told(explained(policy(), "contain"))[2:4] == [(5, "skip", "already_asked"), (10, "skip", "already_asked")]


def test_the_earliest_yes_is_when_everybody_asked_so_far_would_be_enough() -> None:
    gone = away(U0DEP1="deactivated", U0DEP2="deactivated")
    assert explained(policy(), "pair", presence=HERE).earliest_yes == T0
    assert explained(policy(), "pair", presence=gone).earliest_yes == T0 + 5 * MINUTE


def test_where_no_moment_could_bring_the_quorum_it_says_so() -> None:
    base = with_domain(policy(runbooks=[runbook(approvals=6)]))
    assert explained(base).earliest_yes is None


def test_without_a_ladder_there_is_nothing_to_wait_for() -> None:
    timeline = explained(policy(), "unlock")
    assert (timeline.moments, timeline.earliest_yes) == ((), T0)


def test_what_comes_next_is_the_next_message_to_somebody() -> None:
    base = policy()
    plain, immediate = upcoming(case_of(base), base, HERE), upcoming(case_of(base, "contain"), base, HERE)
    assert plain is not None
    assert (plain.what, plain.at, plain.people) == ("remind", T0 + 3 * MINUTE, (OWNER,))
    assert immediate is not None
    assert immediate.what == "remind"


def test_steps_that_will_be_skipped_are_passed_over() -> None:
    base = with_domain(policy(), risk_owner=None, deputies=(), on_call=None)
    case = case_of(base)
    case = case.with_approval(advance(case, case.approval, base, HERE, T0 + 3 * MINUTE).ask)
    following = upcoming(case, base, HERE)
    assert following is not None
    assert (following.what, following.at) == ("expire", T0 + 45 * MINUTE)


def test_on_a_decided_case_nothing_comes_next() -> None:
    base = policy()
    case = after(decide(case_of(base), base, click(OWNER), profile(OWNER), T0))
    assert upcoming(case, base, HERE) is None


def test_what_is_ahead_of_a_pending_case_is_the_rest_of_its_timeline() -> None:
    base = policy()
    whole = explained(base)
    assert ahead(case_of(base), base, HERE) == whole.moments[1:]
    denied = after(decide(case_of(base), base, click(OWNER, "deny", reason="no"), profile(OWNER), T0))
    assert ahead(denied, base, HERE) == ()


def test_sleepers_keep_the_card_and_the_next_step_fires_at_once() -> None:
    base = policy()
    told_ = explain(base, base.runbooks["emergency"], T0, HERE, asleep={OWNER, DEP1, DEP2})
    assert [((m.at - T0) / MINUTE, m.what, m.people, m.asleep) for m in told_.moments if m.what == "ask"] == [
        (0, "ask", (OWNER,), (OWNER,)), (0, "ask", (DEP1, DEP2), (DEP1, DEP2)), (0, "ask", (ONC1,), ()),
        (15, "ask", (RISK,), ()),
    ]  # fmt: skip
    assert told_.earliest_yes == T0


def test_one_of_a_step_who_is_awake_is_enough() -> None:
    base = policy()
    told_ = explain(base, base.runbooks["pair"], T0, HERE, asleep={OWNER})
    assert [(m.at - T0) / MINUTE for m in told_.moments if m.what == "ask"] == [0, 5, 10, 15]


def test_a_page_address_wakes_a_sleeper() -> None:
    base = policy(people=(NamedPerson("olga", OWNER, "Olga", page="env:PAGE"),))
    told_ = explain(base, base.runbooks["emergency"], T0, HERE, asleep={OWNER})
    assert [(m.at - T0) / MINUTE for m in told_.moments if m.what == "ask"] == [0, 5, 10, 15]


def really(base: Policy, runbook_id: str, at: datetime, presence: Presence, scale: float) -> list[Moment]:
    """What the engine does when its clock is run through sweeps at the times that it asks for."""
    book = base.runbooks[runbook_id]
    act: Transition | None = filing_of(
        base, runbook_id, at=at, presence=presence, scale=scale, seconds=book.default_duration
    )
    moments, now = [], at
    while act is not None:
        case = after(act)
        for entry in act.entries:
            if entry.data.get("action") == "handover":
                moments.append(Moment(now, "ask", "on_call", entry.data["to"]))  # type: ignore[arg-type]
            elif entry.type in ("step.fired", "step.skipped"):
                fired = entry.type == "step.fired"
                what = ("ask" if entry.data["action"] == "notify" else "remind") if fired else "skip"
                step = next(s for s in case.approval.steps if s.index == entry.data["step"])
                people = entry.data["to"] if fired else ()
                why = "" if fired else str(entry.data["why"])
                moments.append(Moment(now, what, step.role, people, why, fired and step.page))  # type: ignore[arg-type]
            elif entry.type == "request.expired":
                moments.append(Moment(now, "expire"))
        if act.wake_at is None:
            return moments
        now = act.wake_at
        act = sweep(case, base, presence, now, 0)
    return moments


ROLES = st.sampled_from(["owner", "deputies", "on_call", "risk_owner"])
LADDERS = st.lists(
    st.tuples(st.integers(0, 3600), st.sampled_from(["notify", "notify", "remind"]), ROLES, st.booleans()), max_size=7
)
EVERYBODY = (OWNER, DEP1, DEP2, ONC1, ONC2, RISK)
ABSENCES = st.dictionaries(st.sampled_from(EVERYBODY), st.sampled_from(["absent", "deactivated", "undeliverable"]))
OFFICE = Hours(frozenset(range(5)), 9 * 60, 17 * 60, "Europe/London")


@given(
    ladder=LADDERS, absences=ABSENCES, at=st.integers(0, 7 * 24 * 3600), scale=st.sampled_from([1, 60]),
    right=st.sampled_from(["approval", "immediate"]), approvals=st.integers(1, 3), risk=st.booleans(), hours=st.booleans(),
)  # fmt: skip
@example(
    ladder=[(0, "remind", "deputies", False)], absences={}, at=0, scale=1, right="approval", approvals=1, risk=False,
    hours=False,
)  # fmt: skip
@example(ladder=[], absences={}, at=439101, scale=1, right="immediate", approvals=1, risk=False, hours=False)
def test_the_timeline_is_what_the_engine_does(
    ladder: list[tuple[int, Literal["notify", "remind"], Role, bool]], absences: dict[Person, Away], at: int, scale: float,
    right: Literal["approval", "immediate"], approvals: int, risk: bool, hours: bool,
) -> None:  # fmt: skip
    rungs = (PolicyStep(0, "notify", "owner"), *(PolicyStep(*rung) for rung in sorted(ladder)))
    drawn = EscalationPolicy("drawn", 3700, rungs, OFFICE if hours else None)
    book = runbook(right=right, approvals=approvals, requires=("risk_owner",) if risk else (), escalation="drawn")
    base = policy(runbooks=[book], escalation_policies=[drawn])
    moment, presence = T0 + timedelta(seconds=at), Presence(absences)
    told_ = explain(base, book, moment, presence, scale)
    assert list(told_.moments) == really(base, book.id, moment, presence, scale)
