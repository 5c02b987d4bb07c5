"""Which calls an act puts down, and which may still go out."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.case.lifecycle import GrantState
from bot.domain.case.model import Case, Grant
from bot.domain.workflow.executor import planned, sendable
from tests.bot.building import HOUR, MINUTE, T0, case_of, policy


def opened(runbook: str = "executed") -> Case:
    filed = case_of(policy(), runbook)
    return planned(filed, replace(filed, grant=Grant(3600, T0, T0 + HOUR)), T0)


def ended(case: Case, state: GrantState = GrantState.LAPSED) -> Case:
    assert case.grant is not None
    return planned(case, replace(case, grant=replace(case.grant, state=state, ended_at=T0)), T0 + HOUR)


def calls(case: Case) -> list[tuple[str, str]]:
    return [(call.kind, call.state) for call in case.calls]


def test_every_way_of_ending_puts_one_close_down() -> None:
    for state in (GrantState.FINISHED, GrantState.UNUSED, GrantState.REVOKED, GrantState.LAPSED):
        over = ended(opened(), state)
        assert calls(over) == [("open", "dropped"), ("close", "waiting")]
        assert planned(over, over, T0 + HOUR) is over


def test_a_grant_that_opens_and_ends_in_one_act_is_only_closed() -> None:
    filed = case_of(policy(), "executed")
    over = Grant(3600, T0, T0 + HOUR, GrantState.REVOKED, T0)
    assert calls(planned(filed, replace(filed, grant=over), T0)) == [("close", "waiting")]


def test_a_grant_that_opens_at_the_filing_is_sent_too() -> None:
    filed = case_of(policy(), "executed")
    assert calls(planned(None, replace(filed, grant=Grant(3600, T0, T0 + HOUR)), T0)) == [("open", "waiting")]


def test_what_changes_nothing_of_the_access_calls_nobody() -> None:
    case = opened()
    assert case.grant is not None
    assert calls(planned(case, replace(case, grant=replace(case.grant, warned=True)), T0)) == [("open", "waiting")]
    longer = planned(case, replace(case, grant=replace(case.grant, not_after=T0 + 2 * HOUR)), T0)
    assert calls(longer) == [("open", "dropped"), ("open", "waiting")]
    assert calls(opened("emergency")) == []


def test_an_open_goes_out_under_an_open_grant_only_and_a_close_always() -> None:
    case = opened()
    assert sendable(case, 0, T0 + HOUR - MINUTE)
    assert not sendable(case, 0, T0 + HOUR)
    assert not sendable(replace(case, grant=replace(case.grant, state=GrantState.REVOKED)), 0, T0)  # type: ignore[type-var]
    over = ended(case)
    assert [sendable(over, n, T0 + 9 * HOUR) for n in (-1, 0, 1, 2)] == [False, False, True, False]
