"""A case: one request with its asks and its grant, as values.

A case is read whole and written by transitions (`transition`). `version` counts its acts: a transition that was judged
on another version than the stored one is stale and changes nothing. Times are aware UTC; `seconds` are policy time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.case.ask import OWN, Ask
from bot.domain.case.lifecycle import CaseState, FindingState, GrantState, RequestState
from bot.domain.policy.model import Kind, Right
from bot.domain.policy.people import Person
from bot.domain.policy.signing import Signature

SystemCaseKind = Literal["", "suspension", "right", "provider"]
DutyKind = Literal["evidence", "rotation", "verification"]
FindingOutcome = Literal["", "approved_elsewhere", "removed", "accepted"]
CallKind = Literal["open", "close"]
CallState = Literal["waiting", "opened", "closed", "failed", "dropped"]


NOBODY = Person("-", "-")  # who asks where nobody does, in a drill or a review of a right: no account has this id


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One answer to a runbook's own field, with the label it was asked under."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The runbook's terms for the time after the approval, at the filing. Seconds are policy time, `scale` divides them.

    `ends_at` is the real end of a policy exception (`dated`); None for everything that lasts a time instead.
    """

    max_duration: int = 0
    evidence: tuple[str, ...] = ()
    rotate_within: int | None = None
    review_within: int | None = None
    scale: float = 1.0
    ends_at: datetime | None = None
    max_renewals: int = 0
    risk: Literal["low", "medium", "high"] = "low"
    audience: str = ""  # the system that accepts the permit
    webhook: str = ""  # `env:NAME` of the executor's address, and of its secret
    secret: str = ""
    not_before: int | None = None  # nothing opens earlier than this after the filing
    signature: Signature = "none"  # what every yes must be signed with

    def real(self, seconds: int) -> timedelta:
        """How long `seconds` of policy last on the wall's clock."""
        return timedelta(seconds=seconds / self.scale)


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
    state: CaseState = RequestState.PENDING
    version: int = 0
    subject: Person | None = None
    closed_at: datetime | None = None  # when the request left `pending`
    closed_by: Person | None = None  # who clicked last; None where the clock did it
    asks_before: int = 0  # of this provider for this runbook in the 7 days before
    last_outcome: str = ""  # of the last of them
    denied_lately: bool = False  # the same target was denied within a day
    terms: Terms = Terms()
    drill: Drill | None = None  # nothing is asked for: it never gives anything
    matter: SystemCaseKind = ""  # a case that nobody filed (`matters`)
    by_host: bool = False  # the host's operator filed it for the requester, while Slack was down

    @property
    def waits(self) -> bool:
        """Nobody has decided it yet, or acknowledged it."""
        return self.state in (RequestState.PENDING, FindingState.OPEN)


@dataclass(frozen=True, slots=True)
class Finding:
    """The fields of a finding besides its request, whose target is *where* and whose reason is *what*.

    `noticed_at` is as somebody stated it, and can be corrected. `within`: filed later than these seconds of policy after it, the
    finding is late. `source`: of the list that a reconciliation read, where that opened it. `outcome`: how such a one was closed.
    """

    noticed_at: datetime
    within: int | None = None
    shared: bool = False  # the owner shows it to the leads of the runbook's providers, although the organisation filed it
    source: str = ""
    outcome: FindingOutcome = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a yes opened. `seconds` are the policy's; `not_after` is real and checked at every use."""

    seconds: int
    opened_at: datetime
    not_after: datetime
    state: GrantState = GrantState.OPEN
    ended_at: datetime | None = None
    ended_by: Person | None = None  # None where the clock or the host did it
    warned: bool = False  # the requester was warned that it ends soon
    remind_at: datetime | None = (
        None  # the next reminder of an exception's end to the people accountable for it; None: no more
    )


@dataclass(frozen=True, slots=True)
class Duty:
    """What the provider owes: after the end of a grant, or before an approval the attestation that the subject was verified (`name`: how).

    `chase_at`: when it is asked for next; None once it came, and where nobody is chased.
    """

    kind: DutyKind
    name: str
    since: datetime
    due_at: datetime
    chase_at: datetime | None
    missed: bool = False  # the log has an entry that it did not come in time
    done_at: datetime | None = None
    done_by: Person | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the executor, one for every opening, prolongation and end of the grant; see `bot.domain.workflow.executor`."""

    kind: CallKind
    asked_at: datetime
    not_after: datetime
    state: CallState = "waiting"
    answered_at: datetime | None = None
    alarmed_at: datetime | None = None  # the last notification that it does not succeed


@dataclass(frozen=True, slots=True)
class Case:
    """Request, asks and grant together: what one act reads and changes."""

    request: Request
    asks: tuple[Ask, ...]
    grant: Grant | None = None
    duties: tuple[Duty, ...] = ()
    calls: tuple[Call, ...] = ()
    finding: Finding | None = None

    @property
    def id(self) -> str:
        return self.request.id

    @property
    def approval(self) -> Ask:
        """The question whether the request may be executed; of a break-glass, whether it should have been."""
        return self.asks[0]

    def with_approval(self, ask: Ask) -> Case:
        return replace(self, asks=(ask, *self.asks[1:]))

    @property
    def dated(self) -> bool:
        """A policy exception, whose end is a date."""
        return self.request.terms.ends_at is not None

    @property
    def late(self) -> bool:
        """A finding that was filed later after it was noticed than its runbook allows."""
        finding = self.finding
        if finding is None or finding.within is None:
            return False
        return self.request.filed_at - finding.noticed_at > self.request.terms.real(finding.within)

    @property
    def sealed(self) -> bool:
        """A use of the sealed path, recorded afterwards: nobody asked, nobody approved (`sealing`)."""
        return self.asks[0].kind == "review"

    @property
    def later(self) -> tuple[Ask, ...]:
        """The asks after the yes: all but the one for the approval, or the drill."""
        return tuple(ask for ask in self.asks if ask.kind not in OWN)

    @property
    def break_glass(self) -> bool:
        """It opened before any approval, and its ratification is due."""
        return self.asks[0].kind == "ratification"

    @property
    def cut_short(self) -> str:
        """Why the clock closed the request, or ended its grant, before its time: the provider may not ask any more. Else empty."""
        grant = self.grant
        early = grant is not None and grant.ended_at is not None and grant.ended_at < grant.not_after
        if self.request.state is not RequestState.EXPIRED and not (early and grant and grant.state is GrantState.LAPSED):
            return ""
        return next((note.text for note in reversed(self.approval.noted("revocation")) if note.person == NOBODY), "")

    def question(self, version: int) -> Ask | None:
        """The ask that a button with this version belongs to."""
        return next((ask for ask in self.asks if ask.version == version), None)

    def with_ask(self, ask: Ask) -> Case:
        """The case with `ask` in the place of the one of its version, or added where there is none."""
        if self.question(ask.version) is None:
            return replace(self, asks=(*self.asks, ask))
        return replace(self, asks=tuple(ask if a.version == ask.version else a for a in self.asks))

    def owed(self) -> tuple[Duty, ...]:
        """What has not come yet of what is owed after the end."""
        return tuple(duty for duty in self.duties if duty.done_at is None and duty.kind != "verification")

    def verifications(self) -> tuple[Duty, ...]:
        """How the subject's identity is to be verified before a yes, attested or not."""
        return tuple(duty for duty in self.duties if duty.kind == "verification")

    def unverified(self) -> tuple[str, ...]:
        """The methods that nobody has attested yet: no yes is possible before."""
        return tuple(duty.name for duty in self.verifications() if duty.done_at is None)
