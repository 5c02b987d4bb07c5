"""A case: one request with its asks and its grant, as values.

A case is read whole and written by transitions (`transition`). `version` counts its acts: a transition that was judged
on another version than the stored one is stale and changes nothing. Times are aware UTC; `seconds` are policy time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.domain.lifecycle import AskState, GrantState, RequestState
from bot.domain.people import Person
from bot.domain.policy import Kind, Right, Role

AskKind = Literal["approval", "drill"]
StepState = Literal["waiting", "fired", "skipped"]


class Refusal(StrEnum):
    """Why a click does not count, as the log's `decision.refused` writes it."""

    UNAUTHORISED = "unauthorised"
    PARTY = "party"
    LATE = "late"
    LOST = "lost"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One answer to a runbook's own field, with the label it was asked under."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Drill:
    """The case only rehearses (`drilling`). `fast`: steps follow within half a minute; `only_me`: who gets every card."""

    fast: bool = False
    only_me: Person | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What was filed, frozen. `runbook_sha256` and `policy_sha256` name the bytes in force at the filing."""

    id: str
    kind: Kind
    right: Right
    runbook: str
    runbook_sha256: str
    policy_sha256: str
    title: str
    domain: str
    provider: str
    requester: Person
    target: str
    reason: str
    fields: tuple[FieldValue, ...]
    seconds: int
    filed_at: datetime
    expires_at: datetime
    state: RequestState = RequestState.PENDING
    version: int = 0
    subject: Person | None = None
    closed_at: datetime | None = None  # when the request left `pending`
    closed_by: Person | None = None  # who clicked last; None where the clock did it
    asks_before: int = 0  # of this provider for this runbook in the 7 days before
    last_outcome: str = ""  # of the last of them
    denied_lately: bool = False  # the same target was denied within a day
    drill: Drill | None = None  # nothing is asked for: it never gives anything


@dataclass(frozen=True, slots=True)
class Step:
    """One frozen step of an ask. `also` are the roles that the first step asks beside `role` (the minute-0 set)."""

    index: int
    action: Literal["notify", "remind"]
    role: Role
    due_at: datetime
    page: bool = False
    also: tuple[Role, ...] = ()
    state: StepState = "waiting"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """A step, or an absence, put the question to this person. `for_owner`: in the owner's stead."""

    person: Person
    role: Role
    step: int
    at: datetime
    for_owner: bool = False
    failed: str = ""  # Slack's word why the question never reached them


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's click. The recorded decider is who clicked, never who was asked (rule 2)."""

    person: Person
    answer: Literal["yes", "no", "here"]  # `here` decides nothing: a drill reached them
    role: Role
    at: datetime
    seconds: int
    on_behalf_of: Person | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something said or done beside deciding. `text` is free text; `advice` only with kind "advice"."""

    kind: Literal["question", "answer", "advice", "pass", "hold", "push"]
    person: Person
    at: datetime
    text: str = ""
    advice: Literal["", "for", "against"] = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to accountable people. `version` changes only when the question does."""

    kind: AskKind
    version: int
    need: int
    requires: tuple[Role, ...]
    opened_at: datetime
    expires_at: datetime
    state: AskState = AskState.OPEN
    steps: tuple[Step, ...] = ()
    reached: tuple[Reached, ...] = ()
    votes: tuple[Vote, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def asked(self) -> tuple[Person, ...]:
        """Everybody who was asked, first asked first, each once."""
        return tuple(dict.fromkeys(r.person for r in self.reached))

    def noted(self, kind: str) -> tuple[Note, ...]:
        """The notes of one kind, in order."""
        return tuple(n for n in self.notes if n.kind == kind)

    def vote_of(self, person: Person) -> Vote | None:
        return next((v for v in self.votes if v.person == person), None)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a yes opened. `seconds` are the policy's; `not_after` is real and checked at every use."""

    seconds: int
    opened_at: datetime
    not_after: datetime
    state: GrantState = GrantState.OPEN
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Request, asks and grant together: what one act reads and changes."""

    request: Request
    asks: tuple[Ask, ...]
    grant: Grant | None = None

    @property
    def id(self) -> str:
        return self.request.id

    @property
    def approval(self) -> Ask:
        """The question whether the request may be executed."""
        return self.asks[0]

    def with_approval(self, ask: Ask) -> Case:
        return replace(self, asks=(ask, *self.asks[1:]))
