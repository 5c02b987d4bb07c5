"""Every pair of state and event, against the diagram of section 4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from bot.domain.case.lifecycle import (
    ASK,
    GRANT,
    REQUEST,
    AskState,
    GrantState,
    RequestState,
    move_ask,
    move_grant,
    move_request,
)
from bot.domain.errors import IllegalMove

DRAWN: dict[type[StrEnum], dict[tuple[str, str], str]] = {
    RequestState: {
        ("pending", "approve"): "approved",
        ("pending", "open"): "opened",
        ("pending", "deny"): "denied",
        ("pending", "expire"): "expired",
        ("pending", "withdraw"): "withdrawn",
    },
    GrantState: {
        ("open", "finish"): "finished",
        ("open", "not_used"): "unused",
        ("open", "revoke"): "revoked",
        ("open", "lapse"): "lapsed",
    },
    AskState: {("open", "yes"): "yes", ("open", "no"): "no", ("open", "expire"): "expired"},
}
MACHINES = [(RequestState, REQUEST, move_request), (GrantState, GRANT, move_grant), (AskState, ASK, move_ask)]
EVENTS = sorted({event for moves in DRAWN.values() for _, event in moves} | {"reopen", "", "approved"})
Move = Callable[[Any, str], StrEnum]


@pytest.mark.parametrize(("states", "table", "move"), MACHINES)
def test_exactly_the_drawn_moves_exist_and_every_other_raises(
    states: type[StrEnum], table: Mapping[Any, Mapping[str, Any]], move: Move
) -> None:
    drawn = DRAWN[states]
    for state, event in product(states, EVENTS):
        if (state, event) in drawn:
            assert move(state, event) == drawn[state, event]
        else:
            with pytest.raises(IllegalMove, match=state):
                move(state, event)


@pytest.mark.parametrize(("states", "table", "move"), MACHINES)
def test_every_state_is_a_row_of_its_table(
    states: type[StrEnum], table: Mapping[Any, Mapping[str, Any]], move: Move
) -> None:
    assert set(table) == set(states)


@pytest.mark.parametrize(("states", "table", "move"), MACHINES)
def test_a_final_state_is_a_row_without_moves_and_only_the_first_state_has_any(
    states: type[StrEnum], table: Mapping[Any, Mapping[str, Any]], move: Move
) -> None:
    assert [state for state in table if table[state]] == [next(iter(states))]
