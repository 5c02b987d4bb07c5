"""What takes away, how it overrides what is stored, and that it survives as text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.decision_log.emergency_json import from_plain, to_plain
from bot.domain.case.lifecycle import GrantState, RequestState
from bot.domain.case.transition import SYSTEM, LogEvent, Transition
from bot.domain.errors import EntryError
from bot.domain.failsafe.late_entry import entered
from bot.domain.failsafe.revocation import Revocation, apply_to, goes_on, taken, takes_away
from tests.storage.making import MINUTE, OWNER, T0, approval, denial, expiry, filing, lapse, new_case

CASE = new_case("R-00000001")
OPEN = approval(CASE).after
assert OPEN is not None
NOW = T0 + 5 * MINUTE


def later(act: Transition) -> Transition:
    """The same after one more act on the case."""
    assert act.before is not None
    return replace(act, before=replace(act.before, request=replace(act.before.request, version=7)))


@pytest.mark.parametrize("act", [denial(CASE), expiry(CASE), lapse(OPEN, NOW)])
def test_an_end_takes_away(act: Transition) -> None:
    assert takes_away(act)
    assert goes_on(act)


@pytest.mark.parametrize("act", [filing(CASE), approval(CASE), Transition(CASE, CASE), Transition(None, None)])
def test_nothing_else_does(act: Transition) -> None:
    assert not goes_on(act)


def test_a_shorter_grant_takes_away_and_a_longer_gives() -> None:
    assert OPEN is not None
    assert OPEN.grant is not None
    for by, takes in ((-MINUTE, True), (MINUTE, False), (timedelta(), False)):
        after = replace(OPEN, grant=replace(OPEN.grant, not_after=OPEN.grant.not_after + by))
        assert takes_away(Transition(OPEN, after)) is takes


def test_the_confirmation_of_a_new_epoch_goes_on_too() -> None:
    assert goes_on(Transition(None, None, (LogEvent("operator.confirmed", SYSTEM),), while_stopped=True))


def test_on_the_same_version_the_case_is_as_it_was_judged() -> None:
    line = taken(denial(CASE), NOW)
    found = apply_to(CASE, line)
    assert (found.request.state, found.request.version) == (RequestState.DENIED, CASE.request.version + 1)
    assert found.approval.votes == line.act.after.approval.votes  # type: ignore[union-attr]


def test_on_another_version_only_the_no_is_imposed_with_its_author() -> None:
    moved = later(denial(CASE)).before
    assert moved is not None
    found = apply_to(moved, taken(denial(CASE), NOW))
    assert (found.request.state, found.request.version) == (RequestState.DENIED, 7)
    assert [(vote.person, vote.answer) for vote in found.approval.votes] == [(OWNER, "no")]
    assert found.approval.steps == moved.approval.steps


def test_a_grant_that_ended_without_the_log_is_over_whatever_else_changed() -> None:
    assert OPEN is not None
    line = taken(lapse(OPEN, NOW), NOW)
    found = apply_to(replace(OPEN, request=replace(OPEN.request, version=9)), line)
    assert found.grant is not None
    assert found.grant.state is GrantState.LAPSED


def test_what_is_ended_already_is_entered_no_second_time() -> None:
    line = taken(denial(CASE), NOW)
    assert entered(line, apply_to(CASE, line), NOW) is None
    assert entered(line, None, NOW) is None
    act = entered(line, CASE, NOW)
    assert act is not None
    assert act.entries[0].data["taken_at"] == "2026-03-04T09:05:00.000Z"


@pytest.mark.parametrize("act", [denial(CASE), approval(CASE), lapse(OPEN, NOW), filing(CASE)])
def test_an_act_survives_as_text(act: Transition) -> None:
    line = taken(act, NOW)
    text = json.dumps(to_plain(line.act))
    assert Revocation(from_plain(json.loads(text)), line.version, NOW) == line


@pytest.mark.parametrize(
    "value", [{"~": "Path", "v": "/"}, {"~": "Person"}, {"~": "at", "v": "soon"}, {"~": "GrantState", "v": "x"}]
)
def test_what_no_program_of_ours_wrote_is_not_read(value: object) -> None:
    with pytest.raises(EntryError):
        from_plain(value)


def test_what_is_no_value_of_the_domain_is_not_written() -> None:
    with pytest.raises(EntryError):
        to_plain({"x": object()})
