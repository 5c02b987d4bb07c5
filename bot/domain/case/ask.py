"""An ask: one question to accountable people, with its frozen steps, the people it reached and their answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot.domain.case.lifecycle import AskState
from bot.domain.policy.model import Role
from bot.domain.policy.people import Person

AskKind = Literal[
    "approval", "extension", "renewal", "review", "ratification", "drill", "restore", "right", "finding", "lift", "closing"
]

# What rules below `workflow.asks` must know of kinds; the rest is in `workflow.asks.kinds`.
OWN: frozenset[AskKind] = frozenset(
    {"approval", "drill", "finding"}
)  # the request's own question; all others come after the yes
DIES_WITH_GRANT: frozenset[AskKind] = frozenset({"extension", "renewal"})
ENDS_WITH_GRANT: frozenset[AskKind] = DIES_WITH_GRANT | {"closing"}  # they close when it ends; those say so in an entry
NOT_BY_ONLY_APPROVER: frozenset[AskKind] = frozenset({"review"})  # where somebody else of the domain can answer
AT_ANY_HOUR: frozenset[AskKind] = frozenset({"ratification"})  # of the asks after the yes; the others wait for the morning


StepState = Literal["waiting", "fired", "skipped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One frozen step of an ask. `also` are the roles that the first step asks in addition to `role` (the minute-0 set)."""

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
    failed: str = ""  # Slack's error code: why the question never reached them
    paged: bool = False  # outside Slack as well


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's click. The recorded decider is who clicked, never who was asked (rule 2).

    `credential`: of the passkey that signed it, base64url; "" for a vote that nobody signed.
    """

    person: Person
    answer: Literal["yes", "no", "here"]  # `here` decides nothing: a drill reached them
    role: Role
    at: datetime
    seconds: int
    on_behalf_of: Person | None = None
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A question, answer or other action around the decision. `text` is free text; `advice` only with kind "advice".

    `verified` is how the subject's identity was checked. `evidence` and `review` belong to the time after the yes: what was
    handed in, what the reviewer wrote. `denial` and `revocation` hold the reason of a no and of a revoke; where the host gave
    it, `person` is NOBODY. `joined` is a repeat of a finding, `closed` what was done about it.
    """

    kind: Literal[
        "question",
        "answer",
        "advice",
        "pass",
        "hold",
        "push",
        "verified",
        "evidence",
        "review",
        "denial",
        "revocation",
        "joined",
        "closed",
    ]
    person: Person
    at: datetime
    text: str = ""
    advice: Literal["", "for", "against"] = ""


@dataclass(frozen=True, slots=True)
class Brake:
    """The requester has woken enough people of the domain: this would have been the `nth` waking, at `at`, and nobody is paged
    before `until` (`bot.domain.timing.waking`)."""

    nth: int
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to accountable people. `version` changes only when the question does; each ask of a case has its own.

    `seconds` is the policy time that an extension asks for. `due_at` is when an answer to an ask after the yes is owed.
    `braked`: the last time that somebody was asked without a page, because the requester had woken enough people.
    `opens_at`: the quorum is met, and what it opens waits until then (`cooling`); None before, and where nothing waits.
    """

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
    notes: tuple[Remark, ...] = ()
    seconds: int = 0
    due_at: datetime | None = None
    warn_at: datetime | None = (
        None  # when people who have not answered are warned of the end, or it is overdue; None once that is done
    )
    opens_at: datetime | None = None
    braked: Brake | None = None

    @property
    def asked(self) -> tuple[Person, ...]:
        """Everybody who was asked, first asked first, each once."""
        return tuple(dict.fromkeys(r.person for r in self.reached))

    def noted(self, kind: str) -> tuple[Remark, ...]:
        """The notes of one kind, in order."""
        return tuple(n for n in self.notes if n.kind == kind)

    def because(self, kind: Literal["denial", "revocation"], person: Person, at: datetime, reason: str) -> Ask:
        """The ask with the reason of a no, or of a revoke; unchanged where none was given."""
        return replace(self, notes=(*self.notes, Remark(kind, person, at, reason))) if reason.strip() else self

    def vote_of(self, person: Person) -> Vote | None:
        return next((v for v in self.votes if v.person == person), None)
