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
from handlers.web_api.errors import CALL_ERRORS, REFUSED, UNANSWERED, verdict

IN_DOUBT = (UNANSWERED - REFUSED) | {INTERRUPTED, "unexpected", "unreadable_answer"}
"""The reasons of an attempt after which a message may stand in Slack."""
_SKEW = timedelta(minutes=5)  # between our clock and Slack's
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the messages of one row stand already; the first is taken for the row's own."""

    places: Sequence[MessagePlace]


@dataclass(slots=True)
class LostPosts:
    """One for each sender."""

    outbox: Outbox
    clock: Clock
    _closed_until: float = 0.0  # Slack limits the reading of conversations; monotonic seconds

    async def standing(self, row: OutboxRow, thread: MessagePlace, sender: SlackSender) -> Sequence[MessagePlace] | None:
        """Where the messages of a row in doubt stand in Slack; None while its conversation is unknown. `thread`: that it is
        a reply to."""
        to = row.say.to
        if not in_doubt(row) or to is None:
            return ()
        channel = thread.channel or await self.outbox.direct_channel(to)
        if channel is None:
            return None
        return await self._marked(row, to, MessagePlace(channel, thread.ts), sender)

    async def anywhere(self, row: OutboxRow, sender: SlackSender) -> Sequence[MessagePlace] | None:
        """The same of a row that is not drawn any more: perhaps it was a reply to a message about the same case."""
        found = await self.standing(row, MessagePlace(), sender)
        if found is None or found or row.say.case is None:
            return found
        copies = await self.outbox.copies(row.say.case)
        for copy in (copy for copy in copies if copy.to == row.say.to):
            if found := await self.standing(row, MessagePlace(copy.channel, copy.ts), sender):
                return found
        return ()

    async def twins(self, row: OutboxRow, posted: MessagePlace, sender: SlackSender) -> Sequence[MessagePlace]:
        """The other messages of a row in doubt whose conversation was unknown until it was posted again."""
        to = row.say.to
        if not in_doubt(row) or to is None or await self.outbox.direct_channel(to) is not None:
            return ()
        found = await self._marked(row, to, MessagePlace(posted.channel), sender)
        return [place for place in found if place.ts != posted.ts]

    async def _marked(self, row: OutboxRow, to: Person, place: MessagePlace, sender: SlackSender) -> Sequence[MessagePlace]:
        if self.clock.monotonic() < self._closed_until:
            return ()
        try:
            messages = await sender.read(place, row.created_at - _SKEW)
        except CALL_ERRORS as error:
            judged = verdict(error)
            self._closed_until = self.clock.monotonic() + judged.wait
            log.info("message.not_looked_for", error=judged.error)
            return ()
        return [MessagePlace(place.channel, ts) for ts in marked(messages, row.mark, to)]


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
