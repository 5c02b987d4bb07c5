"""How a request, a finding, a grant and an ask live. Four small machines, each one table.

Two rules. A state changes through its table only; a move that is not in it raises and changes nothing. And a final state
is a row without moves: nothing ever leaves it (design, sections 4 and 5, rule 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias, TypeVar

from bot.domain.errors import IllegalMove

S = TypeVar("S", bound=StrEnum)


class RequestState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    OPENED = "opened"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class FindingState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class GrantState(StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    UNUSED = "unused"
    REVOKED = "revoked"
    LAPSED = "lapsed"


class AskState(StrEnum):
    OPEN = "open"
    YES = "yes"
    NO = "no"
    EXPIRED = "expired"


REQUEST: Mapping[RequestState, Mapping[str, RequestState]] = {
    RequestState.PENDING: {
        "approve": RequestState.APPROVED,
        "open": RequestState.OPENED,
        "deny": RequestState.DENIED,
        "expire": RequestState.EXPIRED,
        "withdraw": RequestState.WITHDRAWN,
    },
    RequestState.APPROVED: {},
    RequestState.OPENED: {},
    RequestState.DENIED: {},
    RequestState.EXPIRED: {},
    RequestState.WITHDRAWN: {},
}

FINDING: Mapping[FindingState, Mapping[str, FindingState]] = {
    FindingState.OPEN: {"acknowledge": FindingState.ACKNOWLEDGED},
    FindingState.ACKNOWLEDGED: {"close": FindingState.CLOSED},
    FindingState.CLOSED: {},
}

CaseState: TypeAlias = RequestState | FindingState
CASE_STATES: Mapping[str, CaseState] = {state.value: state for states in (RequestState, FindingState) for state in states}

GRANT: Mapping[GrantState, Mapping[str, GrantState]] = {
    GrantState.OPEN: {
        "finish": GrantState.FINISHED,
        "not_used": GrantState.UNUSED,
        "revoke": GrantState.REVOKED,
        "lapse": GrantState.LAPSED,
    },
    GrantState.FINISHED: {},
    GrantState.UNUSED: {},
    GrantState.REVOKED: {},
    GrantState.LAPSED: {},
}

ASK: Mapping[AskState, Mapping[str, AskState]] = {
    AskState.OPEN: {"yes": AskState.YES, "no": AskState.NO, "expire": AskState.EXPIRED},
    AskState.YES: {},
    AskState.NO: {},
    AskState.EXPIRED: {},
}


def move_request(state: CaseState, event: str) -> RequestState:
    """The state after `event`; raises IllegalMove where the table has none, as for a finding."""
    if not isinstance(state, RequestState):
        raise IllegalMove(f"{state} is no state of a request")
    return _move(REQUEST, state, event)


def move_finding(state: CaseState, event: str) -> FindingState:
    """The state after `event`; raises IllegalMove where the table has none, or where it is no finding's state."""
    if not isinstance(state, FindingState):
        raise IllegalMove(f"{state} is no state of a finding")
    return _move(FINDING, state, event)


def move_grant(state: GrantState, event: str) -> GrantState:
    """The state after `event`; raises IllegalMove where the table has none."""
    return _move(GRANT, state, event)


def move_ask(state: AskState, event: str) -> AskState:
    """The state after `event`; raises IllegalMove where the table has none."""
    return _move(ASK, state, event)


def _move(table: Mapping[S, Mapping[str, S]], state: S, event: str) -> S:
    try:
        return table[state][event]
    except KeyError:
        raise IllegalMove(f"{state} has no move “{event}”") from None
