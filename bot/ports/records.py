"""Rows that the ports take and return, as values. Times are aware UTC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from bot.domain.case.ask import AskKind
from bot.domain.case.lifecycle import AskState, CaseState
from bot.domain.case.model import Case, SystemCaseKind
from bot.domain.case.transition import Lane, Notification
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.policy.model import PolicyFile
from bot.domain.policy.people import Person
from bot.ports.commands import Command


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A durable inbox row. `key` deduplicates; `answer` is the acknowledgement, returned again to a repeat. `refused`: it is
    never carried out any more, and only its author is still to be told (`Inbox.settle`)."""

    id: int
    key: str
    act: Command
    answer: Mapping[str, object]
    received_at: datetime
    attempts: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class MessageCopy:
    """A message that we posted in Slack: who sees what where. `drawn` is the case version it shows."""

    id: int
    case: str
    purpose: str
    to: Person | None
    channel: str
    ts: str
    drawn: int


INTERRUPTED = "interrupted"  # the process that sent it was killed, or its lease ran out


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A leased outbox row. `copy` is set for a refresh: the message to redraw. `created_at` orders within a lane. `error`:
    why it was not sent before; INTERRUPTED after a kill or a lease that ran out."""

    id: int
    say: Notification
    attempts: int
    created_at: datetime
    copy: MessageCopy | None = None
    error: str = ""

    @property
    def mark(self) -> str:
        """What distinguishes its message from every other in Slack. The time, because a restored database gives an id again."""
        return f"{self.id}-{int(self.created_at.timestamp() * 1000)}"

    @property
    def aside(self) -> bool:
        """It is in no outbox: a message sent while the log is stopped. No checkpoint covers it."""
        return self.id < 0


@dataclass(frozen=True, slots=True)
class FilingLimits:
    """What earlier requests say about a new one (design, section 4)."""

    pending: Mapping[str, int]  # how many requests of this requester are pending in this domain, by runbook
    same_pending: str | None  # id of a pending one: same requester, runbook and target
    denied_by: Person | None  # who denied (provider, runbook, target) within 24 h
    denied_as: str | None
    expired_recently: bool  # the same three expired within 2 h
    asks_in_week: int  # of this provider for this runbook in 7 days
    last_outcome: str | None


@dataclass(frozen=True, slots=True)
class BreakGlassUsage:
    """Break-glass of one provider in one domain: how many were opened lately, and whether an answer to one is overdue."""

    opened: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class SystemCase:
    """A case that nobody filed, with the state of its newest ask: `subject` of a suspension, runbook of a right, `provider`
    that is suspended."""

    id: str
    kind: SystemCaseKind
    domain: str
    runbook: str
    sha256: str
    subject: Person | None
    state: AskState
    provider: str = ""


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """An accepted set as stored: files sorted by path. Requests filed before `binds_until` need its word too; None where it
    is in force or that is not known."""

    digest: str
    accepted_at: datetime
    files: tuple[PolicyFile, ...]
    binds_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CachedCalendar:
    """A calendar as it was when it could last be read."""

    body: bytes = field(repr=False)
    read_at: datetime


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row of `log_entry` as stored."""

    idx: int
    leaf: bytes
    data: bytes | None
    type: str
    case: str | None
    ts_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many, and since when the oldest; None where there is none."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class ExecutorCall:
    """A leased call to an executor: the `n`-th of its case. `attempts` counts this one, `refusals` the answers `failed`."""

    case: str
    n: int
    attempts: int
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: acts to carry out, words to say by lane, deadlines that have come, ends of grants that their executor
    has not confirmed, rows of the inbox that this program cannot read, open questions by kind. `log_size` in entries, `signed` of
    them below the newest checkpoint."""

    inbox: Waiting
    outbox: Mapping[Lane, Waiting]
    due: Waiting
    log_size: int
    unclosed: Waiting = Waiting(0, None)
    unreadable: Waiting = Waiting(0, None)
    asks: Mapping[str, Waiting] = field(default_factory=dict)
    signed: int = 0


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """As much of a case as says who may see it, and whether it may be one that its reader is barred from: whose access it is
    about, and whether the reader has said yes in it."""

    id: str
    requester: Person
    provider: str
    domain: str
    subject: Person | None = None
    said_yes: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the sweeper was to look at a case."""

    at: datetime
    case: str


@dataclass(frozen=True, slots=True)
class Due:
    """A case with a due deadline, and how many of its cards are posted in Slack."""

    case: Case
    cards: int


@dataclass(frozen=True, slots=True)
class DecidedFor:
    """One answer that somebody gave on another's behalf, and what became of the question and of the request since."""

    case: str
    title: str
    kind: AskKind
    ask_state: AskState
    state: CaseState
    by: Person
    answer: str  # yes | no


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row of the inbox that this program cannot read: `person` as `TEAM/USER` ("" where an older version wrote it), since when it
    is in quarantine, and its text."""

    id: int
    person: str
    received_at: datetime
    since: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Lateness:
    """What should have happened by now: open questions past their deadline by domain, the oldest emergency message that is
    not sent, the oldest deadline that nobody looked at. `unreadable`: rows of the inbox that this program cannot read."""

    overdue: Mapping[str, Waiting]
    urgent: datetime | None
    due: datetime | None
    unreadable: Waiting = Waiting(0, None)

    def quarantine(self) -> tuple[str, ...]:
        """The finding about rows of the inbox that cannot be read, for `/readyz` and `doctor`; none where all can be."""
        count = self.unreadable.count
        if not count:
            return ()
        rows = "1 row of the inbox" if count == 1 else f"{count} rows of the inbox"
        return (
            f"Quarantine: {rows} cannot be read by this version. They are kept and hold up nothing;"
            " start the version that wrote them, or see `countersign inbox list`.",
        )


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One line of a list of requests: never reason or fields."""

    id: str
    kind: str
    state: str
    grant: str | None  # the state of its grant, if it has one
    title: str
    domain: str
    provider: str
    requester: Person
    filed_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    not_after: datetime | None
    drill: bool = False
    runbook: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A stored checkpoint: over how many entries, their root (32 bytes), and the signed note whole."""

    size: int
    root: bytes
    note: str


Cover: TypeAlias = Callable[[], Awaitable[SignedCheckpoint | LogFinding]]
"""The gate to the outside. Whoever is about to say or send something that follows from a commit awaits it, after reading
and before sending: a checkpoint then covers everything that was committed before the call. A Finding means that the log is
stopped: nothing that follows from a commit may leave. Raises StorageError where the disk refuses; then nothing is covered."""
