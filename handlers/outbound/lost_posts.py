"""Finds a direct message that Slack took although we never learned of it, so that it is neither posted twice nor forgotten.

A connection that breaks before the answer, a 5xx, or a kill leave open whether a message is in Slack. Each new message
carries a mark in its metadata; before a row in doubt is posted again, the conversation is read (`im:history`) for its mark.
A channel is not read: the app asks for no scope to read channels. While Slack does not answer the look, the row waits a few
times, for its message would not arrive either; a look that Slack refuses is no reason not to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.domain.policy.people import Person
from bot.ports.queues import Outbox
from bot.ports.records import INTERRUPTED, OutboxRow
from handlers.outbound.api_calls import MessagePlace, SlackSender
from handlers.web_api.errors import CALL_ERRORS, RATE_LIMITED, REFUSED, UNANSWERED, verdict

IN_DOUBT = (UNANSWERED - REFUSED) | {INTERRUPTED, "unexpected", "unreadable_answer"}
"""The reasons of an attempt after which a message may be in Slack."""
_LOOKS, _TOO_LONG = 5, 5.0  # looks without an answer, and seconds, that a message is kept waiting for them
_SKEW = timedelta(minutes=5)  # between our clock and Slack's
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the messages of one row are already; the first is taken for the row's own."""

    places: Sequence[MessagePlace]


class LookAgain(Exception):
    """Slack did not answer a look: the row waits `wait` seconds, because of `error`."""

    def __init__(self, wait: float, error: str) -> None:
        super().__init__(error)
        self.wait, self.error = wait, error


@dataclass(slots=True)
class LostPosts:
    """One for each sender."""

    outbox: Outbox
    clock: Clock
    _closed_until: float = 0.0  # Slack limits the reading of conversations; monotonic seconds
    _looks: dict[int, int] = field(default_factory=dict)  # by row id, how often a look had no answer

    async def standing(self, row: OutboxRow, thread: MessagePlace, sender: SlackSender) -> Sequence[MessagePlace] | None:
        """Where the messages of a row in doubt are in Slack; None while its conversation is unknown. `thread`: that it is
        a reply to. Raises LookAgain."""
        to = row.say.to
        if not in_doubt(row) or to is None:
            return ()
        channel = thread.channel or await self.outbox.direct_channel(to)
        if channel is None:
            return None
        return await self._marked(row, to, MessagePlace(channel, thread.ts), sender)

    async def anywhere(self, row: OutboxRow, sender: SlackSender) -> Sequence[MessagePlace] | None:
        """The same of a row that is not drawn any more: perhaps it was a reply to a message about the same case. Raises LookAgain."""
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
        while True:
            try:
                found = await self._marked(row, to, MessagePlace(posted.channel), sender)
            except LookAgain as again:
                await asyncio.sleep(again.wait)
            else:
                return [place for place in found if place.ts != posted.ts]

    async def _marked(self, row: OutboxRow, to: Person, place: MessagePlace, sender: SlackSender) -> Sequence[MessagePlace]:
        here = self.clock.monotonic()
        if here < self._closed_until:
            return self._not_now(row, self._closed_until - here, RATE_LIMITED)
        try:
            messages = await sender.read(place, row.created_at - _SKEW)
        except CALL_ERRORS as error:
            judged = verdict(error)
            self._closed_until = here + judged.wait
            log.info("message.not_looked_for", error=judged.error)
            unanswered = judged.error in UNANSWERED - REFUSED
            wait = judged.wait if judged.kind == "limited" else 1.0 if unanswered else _TOO_LONG
            return self._not_now(row, wait, judged.error)
        self._looks.pop(row.id, None)
        return [MessagePlace(place.channel, ts) for ts in marked(messages, row.mark, to)]

    def _not_now(self, row: OutboxRow, wait: float, error: str) -> Sequence[MessagePlace]:
        """Raises LookAgain while it is worth to wait; afterwards it counts as not found."""
        looks = self._looks[row.id] = self._looks.get(row.id, 0) + 1
        if wait < _TOO_LONG and looks <= _LOOKS:
            raise LookAgain(wait, error)
        self._looks.pop(row.id, None)
        return ()


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
