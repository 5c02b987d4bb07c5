"""What the engine would do with a request that nobody answers."""

from __future__ import annotations

from bot.domain.deciding import approve
from bot.domain.escalation import advance
from bot.domain.policy import Policy
from bot.domain.timeline import Timeline, explain, upcoming
from tests.bot.building import (
    DEP1,
    DEP2,
    HERE,
    MINUTE,
    ONC1,
    OWNER,
    RISK,
    T0,
    after,
    away,
    case_of,
    click,
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


def test_the_page_stands_at_its_step() -> None:
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


def test_what_comes_next_is_the_next_thing_that_somebody_hears() -> None:
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
    case = after(approve(case_of(base), base, click(OWNER), profile(OWNER), T0, 1))
    assert upcoming(case, base, HERE) is None
