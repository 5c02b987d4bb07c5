"""The durable queues: commands received, messages to send, calls of executors to make."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.case.model import Case
from bot.domain.case.transition import LogEvent
from bot.domain.policy.people import Person
from bot.ports.commands import Command
from bot.ports.records import ExecutorCall, InboxRow, MessageCopy, OutboxRow, UnreadableRow


class Inbox(Protocol):
    """Commands that were acknowledged. A row is unfinished until the transition that carries it out is committed."""

    async def take_in(self, key: str, act: Command, answer: Mapping[str, object]) -> Mapping[str, object]:
        """Writes a row durably, once for each `key`; returns the answer that the first one was given."""

    async def unfinished(self, limit: int, but: Collection[int] = ()) -> Sequence[InboxRow]:
        """Unfinished rows whose next attempt is due: everybody's oldest first, then everybody's next; of one person's rows in
        one lane (`commands.lane_of`) only the oldest. Without the rows `but`. What cannot be read is quarantined on the way."""

    async def unreadable(self) -> Sequence[UnreadableRow]:
        """The rows in quarantine, oldest first."""

    async def read_again(self) -> None:
        """At a start: ends every quarantine, because another program may read what the last one could not."""

    async def put_off(self, inbox_id: int, until: datetime) -> None:
        """Counts a failed attempt; the row is not due before `until`."""

    async def settle(self, inbox_id: int) -> None:
        """The row is refused because the log is stopped, whichever replica reads it next. It is unfinished until its author was
        told."""

    async def refuse(self, inbox_id: int, why: str) -> None:
        """Finishes a command of a host that was not carried out."""

    async def outcome(self, key: str) -> str | None:
        """What became of a command of a host: None while it waits, empty where it was carried out, else why not."""

    async def withdraw(self, key: str) -> bool:
        """Takes back a command of a host; False where it is finished already."""


class Outbox(Protocol):
    """Messages to send. A leased row is given to nobody else until its lease ends; `sent` or `undeliverable` finishes it."""

    async def lease(self, now: datetime, until: datetime, limit: int, *, pages: bool = False) -> Sequence[OutboxRow]:
        """Leases unsent rows that are due and not leased, by lane, oldest first within a lane.

        `pages`: those sent outside Slack; else those sent through it.
        """

    async def release(self, rows: Sequence[tuple[OutboxRow, datetime, str]]) -> None:
        """Gives leases back (rate limit, network): each row, when it is due again, and why."""

    async def slack_is_back(self, now: datetime) -> None:
        """Makes rows that were released because Slack did not answer due at `now`."""

    async def sent(
        self, outgoing: OutboxRow, channel: str, ts: str, drawn: int, entries: Sequence[LogEvent], *, plain: bool = False
    ) -> None:
        """Finishes a row: stores the copy (with `ts`), logs `entries`, and queues a redraw if the case is past version
        `drawn` already. A `plain` copy is redrawn only to be erased."""

    async def undeliverable(self, outgoing: OutboxRow, error: str, entries: Sequence[LogEvent]) -> None:
        """Finishes a row that will never be sent, with the reason."""

    async def redraw_open(self, authority: str) -> None:
        """Queues a redraw of every message about something open: a question, access, an act of an operator. Stores under which
        authority (a digest) they are drawn."""

    async def redrawn_for(self) -> str:
        """What the last `redraw_open` stored; empty where there was none."""

    async def found_again(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        """Stores another message of the same row, which was posted twice, and queues its redraw."""

    async def said_late(self, outgoing: OutboxRow, channel: str, ts: str, plain: bool) -> None:
        """A replica said it and does not lead any more: what it posted is kept, and whoever leads redraws it."""

    async def direct_channel(self, person: Person) -> str | None:
        """The conversation in which somebody's direct messages are; None while none of them is known."""

    async def copies(self, case_id: str) -> Sequence[MessageCopy]:
        """The messages about a case that are in Slack."""


class ExecutorCalls(Protocol):
    """Calls to executors. Of one case at most one is leased at a time."""

    async def lease(self, now: datetime, until: datetime, limit: int) -> Sequence[ExecutorCall]:
        """Leases waiting calls that are due, oldest first."""

    async def ended_aside(self) -> Sequence[Case]:
        """Cases whose grant ended while the log is stopped, so that no call is stored for it yet; mostly none."""

    async def release(self, call: ExecutorCall, not_before: datetime, error: str) -> None:
        """Ends an attempt; a call that still waits is due again at `not_before`."""
