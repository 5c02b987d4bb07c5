"""The effects of one act, as one value: the case after it, log entries, messages, when to evaluate again.

Judgement (`filing`, `deciding`, `escalation`) returns a Transition or a refusal and touches nothing. `storage` carries
one out in a single transaction: compare-and-swap on `case.request.version`, log entries, outbox, deadline (rule 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal, TypeAlias

from bot.domain.case.campaign import CampaignChange
from bot.domain.case.model import Case
from bot.domain.case.operator_action import OperatorChange
from bot.domain.policy.people import Person

Value: TypeAlias = "str | int | bool | Person | tuple[Value, ...] | list[Value] | Mapping[str, Value] | Disclosed"


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, as the data of notifications carries times."""
    return round(at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Stands in `data` for the digest of the private value of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Private:
    """Personal data or free text: the entry holds its salted digest, `log_private` the disclosure."""

    name: str
    value: str | Mapping[str, str]
    subject: Person


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted. `person` only with kind "person"; `party` is "home" or a provider id."""

    kind: Literal["person", "clock", "system", "operator"]
    person: Person | None = None
    party: str = "home"


CLOCK = Actor("clock")
SYSTEM = Actor("system")
OPERATOR = Actor("operator")


@dataclass(frozen=True, slots=True)
class FileDigest:
    """`{"id", "sha256"}` of a runbook or of the policy set."""

    id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A log entry before it has its place. Persons in `data` become pseudonyms when it is sealed."""

    type: str
    actor: Actor
    case: str | None = None
    data: Mapping[str, Value] = field(default_factory=dict)
    on_behalf_of: Person | None = None
    runbook: FileDigest | None = None
    policy: FileDigest | None = None
    private: tuple[Private, ...] = ()


class Lane(IntEnum):
    """Who goes first when Slack lets us say only so much: lower numbers."""

    URGENT = 0  # cards and answers of emergencies
    CARD = 1  # other cards, answers, outcomes
    REMINDER = 2
    EDIT = 3  # refreshed copies
    HOME = 4  # App Homes: nobody is rung, and a later one holds all of an earlier


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to send. It is drawn when it is sent, from the state of that moment.

    `purpose` names the view. Exactly one of `to` (a direct message), `channel`, or `reply` in `data` (an ephemeral
    answer) says where. `key` other than "" lets a later one with the same key replace an unsent earlier one. `at`: it is said
    then and not before, and an unsent earlier one with its key stays instead.
    """

    purpose: str
    lane: Lane
    case: str | None = None
    to: Person | None = None
    channel: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    key: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """A person is away until `until`; None: they are back. `was`: the end of the absence that is over; another is Stale."""

    person: Person
    until: datetime | None
    was: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A person looks at a page (from 1) of their App Home: from now on it is drawn again when something in it changes."""

    person: Person
    page: int


@dataclass(frozen=True, slots=True)
class Waking:
    """Whose pages an act sends: the requester's user ids, the domain, and since when their wakings count."""

    users: tuple[str, ...]
    domain: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """What an assertion came to. `key` is that of its inbox row, by which a repeat finds `answer`; `nonce` is used up; `count` is the
    sign count of `credential`, where its signature holds. `unconfirmed`: case, version and signer of a yes whose account Slack could
    not confirm."""

    key: str
    nonce: str
    answer: Mapping[str, object]
    credential: str = ""
    count: int = 0
    unconfirmed: tuple[str, int, Person] | None = None


@dataclass(frozen=True, slots=True)
class Endorsed:
    """Somebody endorsed a change of the signing keys for these domains. `until`: where that completes it, until when the set before
    binds now."""

    old: str
    new: str
    domains: tuple[str, ...]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One act on one case.

    `before` is None for a filing; otherwise the act counts only on that very version. `valid_before`: the transaction
    must begin before this instant (a decision), else TooLate. `wake_at`: when the sweeper must look at the case again;
    None: never. `inbox`: the inbox row that this act finishes. `refresh`: every copy of the case's messages is redrawn.
    `operated`: an operator's act or a hold that it changes (`operating`); then `refresh` is about that act's messages.
    `reviewed`: a campaign that it changes; then `refresh` is about the campaign's messages.
    `otherwise`: how an act that gives is refused while the clock is doubted (`giving`). `also`: cases that begin in the same
    transaction. `while_stopped`: it is carried out while the log is stopped although it takes nothing away: the confirmations of a
    new epoch. `wakes`: it pages somebody, and counts only while the requester has not woken enough (else WokenEnough).
    `signed`: the answer to the signer on the page.
    """

    before: Case | None
    after: Case | None
    entries: tuple[LogEvent, ...] = ()
    says: tuple[Notification, ...] = ()
    wake_at: datetime | None = None
    valid_before: datetime | None = None
    inbox: int | None = None
    refresh: bool = False
    absence: Absence | None = None
    operated: OperatorChange | None = None
    visit: Visit | None = None
    otherwise: Transition | None = None
    also: tuple[Transition, ...] = ()
    while_stopped: bool = False
    signed: SignedAnswer | None = None
    wakes: Waking | None = None
    reviewed: CampaignChange | None = None
    endorsed: Endorsed | None = None
