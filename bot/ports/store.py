"""What the inside needs of the outside. Each port states its guarantees; storage and handlers keep them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from bot.domain.case.ask import AskKind
from bot.domain.case.lifecycle import AskState, RequestState
from bot.domain.case.model import Case, SystemCaseKind
from bot.domain.case.transition import Lane, LogEvent, Notification, Transition
from bot.domain.decision_log.verify.log import LogFinding
from bot.domain.failsafe.clock_jump import Mark
from bot.domain.policy.model import PolicyFile
from bot.domain.policy.people import Person, Profile
from bot.domain.workflow.absence import Absent
from bot.domain.workflow.autonomous_rights import Used
from bot.ports.commands import Command
from bot.ports_operator import OperatorStore


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A durable inbox row. `key` deduplicates; `answer` is what the acknowledgement said, given again to a repeat."""

    id: int
    key: str
    act: Command
    answer: Mapping[str, object]
    received_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class MessageCopy:
    """A message of ours that stands in Slack: who sees what where. `drawn` is the case version it shows."""

    id: int
    case: str
    purpose: str
    to: Person | None
    channel: str
    ts: str
    drawn: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A leased outbox row. `copy` is set for a refresh: the message to redraw. `created_at` orders within a lane."""

    id: int
    say: Notification
    attempts: int
    created_at: datetime
    copy: MessageCopy | None = None

    @property
    def aside(self) -> bool:
        """It stands in no outbox: what is said while the log is stopped. No checkpoint covers it."""
        return self.id < 0


@dataclass(frozen=True, slots=True)
class FilingLimits:
    """What earlier requests say about a new one (design, section 4)."""

    pending: int  # pending requests of this requester in this domain
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
    """A case that nobody filed, with the state of its newest ask: `subject` of a suspension, runbook of a right."""

    id: str
    kind: SystemCaseKind
    domain: str
    runbook: str
    sha256: str
    subject: Person | None
    state: AskState


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """An accepted set as stored: files sorted by path. `binds_until`: what was asked for before then needs its word too;
    None where it is in force or that is not known."""

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
    """A row of `log_entry` as it stands."""

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
    """A leased call to an executor: the `n`-th of its case. `attempts` counts this one."""

    case: str
    n: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: acts to carry out, words to say by lane, deadlines that have come, ends of grants that their executor
    has not confirmed. `log_size` in entries."""

    inbox: Waiting
    outbox: Mapping[Lane, Waiting]
    due: Waiting
    log_size: int
    unclosed: Waiting = Waiting(0, None)


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """As much of a case as says who may see it."""

    id: str
    requester: Person
    provider: str
    domain: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the sweeper was to look at a case."""

    at: datetime
    case: str


@dataclass(frozen=True, slots=True)
class Due:
    """A case whose time has come, and how many of its cards stand in Slack."""

    case: Case
    cards: int


@dataclass(frozen=True, slots=True)
class DecidedFor:
    """One answer that somebody gave on another's behalf, and what became of the question and of the request since."""

    case: str
    title: str
    kind: AskKind
    ask_state: AskState
    state: RequestState
    by: Person
    answer: str  # yes | no


@dataclass(frozen=True, slots=True)
class Lateness:
    """What should have happened by now: open questions past their deadline by domain, the oldest emergency message that is
    not sent, the oldest deadline that nobody looked at."""

    overdue: Mapping[str, Waiting]
    urgent: datetime | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One line of a list of requests: never target, reason or fields."""

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


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that stands stored: over how many entries, their root (32 bytes), and the signed note whole."""

    size: int
    root: bytes
    note: str


Cover: TypeAlias = Callable[[], Awaitable[SignedCheckpoint | LogFinding]]
"""The gate to the outside. Whoever is about to say or send something that follows from a commit awaits it, after reading
and before sending: a checkpoint then covers everything that was committed before the call. A Finding means that the log is
stopped: nothing that follows from a commit may leave. Raises StorageError where the disk refuses; then nothing is covered."""


class Store(OperatorStore, Protocol):
    """Durable state. Every method is one transaction, run to its end even if its caller is cancelled."""

    async def commit(self, act: Transition) -> Case | None:
        """Carries one act out, wholly or not at all, durably before it returns: the case as stored, with its new version.

        Raises Stale (the case is no longer `act.before`, a filing's id exists, or `act.inbox` is already finished),
        TooLate (the transaction began at or after `act.valid_before`), Frozen (it gives, and the clock is doubted), EntryError (a value has no place in the log).
        """

    async def commit_each(self, acts: Sequence[Transition]) -> Sequence[Exception | None]:
        """The same for acts of different cases, heard of together: None for each that stands written, else what `commit`
        would raise. One that is refused undoes only itself."""

    async def absences(self, now: datetime) -> Mapping[Person, datetime]:
        """Who is away at `now`, and until when."""

    async def absence(self, person: Person) -> Absent | None:
        """Somebody's absence that nobody has ended yet, passed or not."""

    async def absences_over(self, now: datetime) -> Sequence[Person]:
        """Whose absence has passed at `now` and is not ended yet."""

    async def decided_for(self, person: Person, since: datetime, until: datetime) -> Sequence[DecidedFor]:
        """What others answered on this person's behalf, both ends included, oldest first."""

    async def with_open_asks(self, domain: str, limit: int) -> Sequence[str]:
        """Ids of a domain's cases that still have an open question, also after the yes; never a drill."""

    async def case(self, case_id: str) -> Case | None: ...
    async def due(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Deadline]:
        """Cases whose `wake_at` has come, most overdue first; those behind `after` in that order, where it is given."""

    async def wake_on_call(self, now: datetime) -> None:
        """Who is on call may have changed: pending requests that on-call was asked in are due at `now`."""

    async def glass_debt(self, provider: str, domain: str, now: datetime, since: datetime) -> BreakGlassUsage:
        """Break-glass openings since `since`, and whether a ratification or review of one is overdue at `now`."""

    async def matters(self) -> Sequence[SystemCase]:
        """Every case that nobody filed, closed ones included."""

    async def uses(self, provider: str, runbook: str, since: datetime) -> Used:
        """How often a provider used a runbook since then (strictly after), refused, denied and expired requests aside."""

    async def autonomous_since(self, domains: Sequence[str], since: datetime, limit: int) -> Sequence[Case]:
        """What was opened under autonomous rights of these domains since then, the oldest first."""

    async def due_cases(self, now: datetime, limit: int, after: Deadline | None = None) -> Sequence[Due]:
        """The same cases whole, in the same order, read together in as many statements as one."""

    async def brakes(
        self,
        requester: Person,
        domain: str,
        provider: str,
        runbook: str,
        target: str,
        now: datetime,
        *,
        denied_within: timedelta = timedelta(hours=24),
        expired_within: timedelta = timedelta(hours=2),
        week: timedelta = timedelta(days=7),
        also: Collection[str] = (),
    ) -> FilingLimits:
        """What earlier requests say, `target` compared exactly. For counting, a user id is one human whatever the workspace;
        `also`: the other user ids of this one. The windows are real time: divide them by TIME_SCALE."""

    async def open_cases(self, domains: Sequence[str], providers: Sequence[str], limit: int) -> Sequence[Case]:
        """Pending cases of any of these domains or providers, the next to expire first; never a drill."""

    async def cases_of(self, requester: Person, limit: int) -> Sequence[Case]:
        """Newest first."""

    async def waiting_for(self, person: Person, limit: int) -> Sequence[Case]:
        """Pending cases whose open ask has reached the person, the next to expire first; never a drill."""

    async def home_page(self, person: Person) -> int:
        """The page of their App Home that somebody looked at last, from 1."""

    async def home_waiting(self, person: Person, limit: int) -> Sequence[CaseSummary]:
        """What waits for this person's answer, the next to expire first; never a drill."""

    async def home_live(self, person: Person, domains: Sequence[str], limit: int) -> Sequence[Case]:
        """Open grants that a person asked for or that are in one of the domains, the next to end first."""

    async def home_owing(self, requester: Person, limit: int) -> Sequence[Case]:
        """Cases for which the requester owes evidence or a rotation, the most overdue first."""

    async def redraw_homes(self, people: Iterable[Person] | None) -> None:
        """The App Homes of these people, of everybody with None, are drawn again if they were opened within 30 days."""

    async def owing_of(self, provider: str, limit: int) -> Sequence[Case]:
        """Cases of a provider for which evidence or a rotation is owed, the most overdue first."""

    async def exceptions(self, limit: int, *, ended_too: bool = True) -> Sequence[Case]:
        """Policy exceptions that were opened, or only those that are open; the next to end first."""

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        """Writes an inbox row durably, once per `key`; returns the answer of the first one."""

    async def inbox(self, limit: int) -> Sequence[InboxRow]:
        """Unfinished rows, oldest first, whose next attempt is due."""

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        """The row failed for now: it counts an attempt and waits."""

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        """Takes unsent rows, lanes first, oldest first within a lane, whose time has come and that nobody holds.

        `pages`: those that leave beside Slack; else those that leave through it.
        """

    async def release(self, outgoing: OutboxRow, not_before: datetime, error: str) -> None:
        """It could not be sent now (rate limit, network): try again from `not_before` on."""

    async def slack_is_back(self, now: datetime) -> None:
        """What was given back because Slack did not answer is due at `now`."""

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        """It stands in Slack. Remembers the copy (with `ts`), logs `entries`, and asks for a redraw if the case moved on
        past version `drawn`. A `plain` copy is never redrawn but to be erased."""

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        """It will never be sent: recorded with the reason."""

    async def lease_calls(self, now: datetime, until: datetime, limit: int) -> Sequence[ExecutorCall]:
        """Takes waiting calls to executors whose time has come, oldest first; of one case only one at a time."""

    async def ended_aside(self) -> Sequence[Case]:
        """Cases whose grant ended while the log is stopped, so that no call of it is stored yet; mostly none."""

    async def release_call(self, call: ExecutorCall, not_before: datetime, error: str) -> None:
        """An attempt is over; if the call still waits it is tried again from `not_before` on."""

    async def copies(self, case_id: str) -> Sequence[MessageCopy]: ...
    async def accept_policy(
        self,
        policy: StoredPolicy,
        entries: Sequence[LogEvent],
        says: Sequence[Notification] = (),
        *,
        replaced_binds_until: datetime | None = None,
    ) -> None:
        """Stores an accepted set (idempotent by digest), makes it the last accepted, logs `entries`, queues `says`. The set
        that it replaces binds until `replaced_binds_until`."""

    async def binding_policies(self, now: datetime) -> Sequence[StoredPolicy]:
        """The sets that bind what is asked for at `now`, or any open question, oldest first; the last one is in force.
        However many were accepted since: what binds is a matter of time."""

    async def last_policy(self) -> StoredPolicy | None: ...
    async def policy_files(self, digest: str) -> StoredPolicy | None: ...
    async def file_by_hash(self, sha256: str) -> bytes | None:
        """The bytes of any file of any accepted set: a frozen runbook is found again by its digest."""

    async def kept_feeds(self) -> Mapping[str, CachedCalendar]:
        """Calendars as they were last kept, by what `keep_feed` called them."""

    async def keep_feed(self, address: str, feed: CachedCalendar, since: datetime) -> None:
        """Keeps a calendar, and forgets those that were read before `since`."""

    async def case_log(self, case_id: str) -> Sequence[LogRow]:
        """The entries of one case, oldest first."""

    async def backlog(self, now: datetime) -> Backlog:
        """What waits, as of one moment."""

    async def lateness(self, before: datetime) -> Lateness:
        """What is late; `before` is the latest deadline at which an open question counts as overdue."""

    async def prove_writable(self) -> None:
        """Writes durably without changing anything. Raises StorageError, or SchemaError (another program's version)."""

    async def running_drill(self, runbook: str) -> str | None:
        """The id of the drill of a runbook that is under way; None where there is none."""

    async def time_mark(self) -> Mark | None:
        """How far time has come, the log's last entry included; None where nobody ever kept it."""

    async def keep_time(self, mark: Mark, entries: Sequence[LogEvent] = ()) -> None:
        """Stores the mark and logs `entries`. A jump that is stored stays until it is accepted."""

    async def wish_time_accepted(self) -> bool:
        """An operator accepts the stored jump; False where there is none. Whoever keeps the time does it."""

    async def time_wished(self) -> bool:
        """Whether a stored jump is accepted and still stands."""

    async def accept_time(self, accept: Callable[[], Mark], entry: LogEvent) -> None:
        """Logs `entry` and lifts the stored jump. `accept` is called inside the transaction and sets the clock, so that
        no entry falls between; where time thereby steps back, open grants end that much earlier."""

    async def requests(self, limit: int, *, closed_too: bool) -> Sequence[RequestLine]:
        """Requests oldest first: those pending or with an open grant, or all."""

    async def log_file(self, name: str) -> bytes | None:
        """A file of the log's tree, as `tlog-tiles` names it, or `proof/<idx>.tlog-proof`; None where there is none."""

    async def disclosed_by(self, index: int) -> Sequence[str]:
        """What the digests of an entry disclose, as far as it was not erased."""

    async def log_rows(self, start: int, limit: int) -> Sequence[LogRow]: ...


class Directory(Protocol):
    """Slack's word on who somebody is."""

    async def profile(self, person: Person, max_age: float) -> Profile:
        """At most `max_age` seconds old. Raises LookupFailed: never guess a yes from it."""

    async def quiet_until(self, person: Person, max_age: float) -> datetime | None:
        """Until when their notifications are paused now; None: they ring. Raises LookupFailed."""

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message. Raises LookupFailed."""

    async def members(self, channel: str) -> Sequence[str]:
        """User ids of everybody in a channel. Raises LookupFailed."""
