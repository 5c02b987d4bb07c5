"""What an operator files on the host and two people confirm (`operating` holds the rules), and holds, as values.

One rule: an act changes through the table ACT only, and a state without moves is final.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.domain.errors import IllegalMove
from bot.domain.policy.people import Person

PREFIX = "O-"
ActKind = Literal["erase", "hold_release", "prune", "new_epoch", "provider_end"]
KINDS: tuple[ActKind, ...] = ("erase", "hold_release", "prune", "new_epoch", "provider_end")


class OperatorActionState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    EXPIRED = "expired"
    DONE = "done"
    FAILED = "failed"


ACT: Mapping[OperatorActionState, Mapping[str, OperatorActionState]] = {
    OperatorActionState.OPEN: {
        "confirm": OperatorActionState.CONFIRMED,
        "refuse": OperatorActionState.REFUSED,
        "expire": OperatorActionState.EXPIRED,
    },
    OperatorActionState.CONFIRMED: {"run": OperatorActionState.DONE, "fail": OperatorActionState.FAILED},
    OperatorActionState.REFUSED: {},
    OperatorActionState.EXPIRED: {},
    OperatorActionState.DONE: {},
    OperatorActionState.FAILED: {},
}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One person's Confirm or Refuse."""

    person: Person
    answer: Literal["confirm", "refuse"]
    at: datetime


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """What was filed on the host, and what became of it. `subject`, `hold` and `before` as the kind needs them; of
    `provider_end` the provider's id is in `hold`.

    `result` is its result in words, once it has run.
    """

    id: str
    kind: ActKind
    reason: str
    filed_at: datetime
    expires_at: datetime
    subject: Person | None = None
    hold: str = ""
    before: datetime | None = None
    state: OperatorActionState = OperatorActionState.OPEN
    version: int = 0
    voices: tuple[Confirmation, ...] = ()
    closed_at: datetime | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing about or by `subject` is erased while this hold is in force, including what is written later."""

    id: str
    subject: Person
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class OperatorChange:
    """How a transition changes an act or a hold. `before` None files `after`; else the act counts on that version only."""

    before: OperatorAction | None = None
    after: OperatorAction | None = None
    places: Hold | None = None
    releases: str = ""


def is_act(about: str | None) -> bool:
    """Whether a message is about an operator's act rather than a request."""
    return about is not None and about.startswith(PREFIX)


def move_act(state: OperatorActionState, event: str) -> OperatorActionState:
    """The state after `event`; raises IllegalMove where the table has none."""
    try:
        return ACT[state][event]
    except KeyError:
        raise IllegalMove(f"{state} has no move “{event}”") from None
