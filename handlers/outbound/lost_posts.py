"""Finds a direct message that Slack took although we never learned of it, so that it is neither posted twice nor forgotten.

A connection that breaks before the answer, a 5xx, or a kill leave open whether a message stands in Slack. Each new message
carries a mark in its metadata; before a row in doubt is posted again, the conversation is read (`im:history`) for its mark.
A channel is not read: the app asks for no scope to read channels. A look that fails is no reason not to send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.domain.policy.people import Person
from bot.ports.queues import Outbox
from bot.ports.records import INTERRUPTED, OutboxRow
from handlers.outbound.api_calls import MessagePlace, SlackSender
from handlers.outbound.message_kinds import Job, NewMessage
from handlers.web_api.errors import CALL_ERRORS, REFUSED, UNANSWERED, verdict

IN_DOUBT = (UNANSWERED - REFUSED) | {INTERRUPTED, "unexpected", "unreadable_answer"}
"""The reasons of an attempt after which a message may stand in Slack."""
_SKEW = timedelta(minutes=5)  # between our clock and Slack's
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class LostPosts:
    """One for each sender."""

    outbox: Outbox
    clock: Clock
    _closed_until: float = 0.0  # Slack limits the reading of conversations; monotonic seconds

    async def earlier(self, row: OutboxRow, job: Job, sender: SlackSender) -> MessagePlace | None:
        """Where a row in doubt stands in Slack already; None if it does not, or nobody can tell."""
        if not (in_doubt(row) and isinstance(job, NewMessage) and row.say.to is not None):
            return None
        channel = job.channel if job.thread else await self.outbox.direct_channel(row.say.to)
        if channel is None:
            return None
        found = await self._marked(row, row.say.to, MessagePlace(channel, job.thread), sender)
        return MessagePlace(channel, found[0]) if found else None

    async def twins(self, row: OutboxRow, job: Job, posted: MessagePlace, sender: SlackSender) -> Sequence[MessagePlace]:
        """The other messages of a row in doubt, where its conversation was unknown until now."""
        if not (in_doubt(row) and isinstance(job, NewMessage) and row.say.to is not None) or job.thread:
            return ()
        if await self.outbox.direct_channel(row.say.to) is not None:
            return ()  # `earlier` looked
        found = await self._marked(row, row.say.to, MessagePlace(posted.channel), sender)
        return [MessagePlace(posted.channel, ts) for ts in found if ts != posted.ts]

    async def _marked(self, row: OutboxRow, to: Person, place: MessagePlace, sender: SlackSender) -> Sequence[str]:
        if self.clock.monotonic() < self._closed_until:
            return ()
        try:
            messages = await sender.read(place, row.created_at - _SKEW)
        except CALL_ERRORS as error:
            judged = verdict(error)
            self._closed_until = self.clock.monotonic() + judged.wait
            log.info("message.not_looked_for", error=judged.error)
            return ()
        return list(marked(messages, row.mark, to))


def in_doubt(row: OutboxRow) -> bool:
    """Whether an earlier attempt may have posted this row's message."""
    return row.copy is None and row.error in IN_DOUBT


def marked(messages: Iterable[Mapping[str, Any]], mark: str, to: Person) -> Iterable[str]:
    """The `ts` of the messages of ours that carry a mark; what the reader wrote themselves is none of ours."""
    for one in messages:
        metadata = one.get("metadata")
        payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
        carried = payload.get("mark") if isinstance(payload, Mapping) else None
        if carried == mark and one.get("user") != to.user and isinstance(ts := one.get("ts"), str):
            yield ts
