"""What each message showed when it was last sent, so that a redraw that would change nothing calls nobody.

Only what this process itself saw Slack accept counts. After a restart or a change of leader every message is sent again, and
a restored database cannot claim what Slack shows. An edit whose outcome is unknown makes its message unknown. So do ten
minutes, because another holder of the token may have edited the message.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.clock import Clock
from bot.domain.case.lifecycle import AskState, GrantState
from bot.domain.case.model import Case
from bot.ports.records import OutboxRow
from handlers.outbound.api_calls import MessagePlace
from handlers.outbound.message_kinds import MessageEdit, NewMessage
from handlers.views.kit.blocks import Message

LASTS = 600.0  # seconds
_MOST = 5_000  # messages remembered


class _Shown(NamedTuple):
    digest: str
    settled: bool
    at: float  # monotonic seconds


@dataclass(slots=True)
class ShownMessages:
    """One for each sender."""

    clock: Clock
    _last: dict[MessagePlace, _Shown] = field(default_factory=dict)

    def unchanged(self, edit: MessageEdit, decision: bool) -> bool:
        """Whether the message already shows what an edit would show. Checkpoints do not count: the one that stands there covers
        the same state."""
        last = self._last.get(MessagePlace(edit.channel, edit.ts))
        if last is None or self.clock.monotonic() - last.at > LASTS:
            return False
        return last.digest == digest(edit.message, decision)

    def is_settled(self, row: OutboxRow) -> bool:
        """Whether a redraw is of a message that offered nothing and whose case had nothing open when it was last sent."""
        if row.copy is None:
            return False
        last = self._last.get(MessagePlace(row.copy.channel, row.copy.ts))
        return last is not None and last.settled

    def sending(self, job: NewMessage | MessageEdit) -> None:
        """Until the answer is there nobody knows what the message shows."""
        if isinstance(job, MessageEdit):
            self._last.pop(MessagePlace(job.channel, job.ts), None)

    def sent(self, place: MessagePlace, job: NewMessage | MessageEdit, case: Case | None) -> None:
        """Slack accepted it. A message without `digest` is not remembered."""
        if job.digest:
            while len(self._last) >= _MOST:
                del self._last[next(iter(self._last))]
            self._last[place] = _Shown(job.digest, _settled(job.message, case), self.clock.monotonic())


def digest(message: Message, decision: bool) -> str:
    """Of what people see, before a checkpoint is added; `decision`: whether one is."""
    shown = json.dumps([message.text, message.blocks, message.note, decision], sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()


def _settled(message: Message, case: Case | None) -> bool:
    if case is None or any(block["type"] == "actions" for block in message.blocks):
        return False
    open_ = case.grant is not None and case.grant.state is GrantState.OPEN
    return not open_ and all(ask.state is not AskState.OPEN for ask in case.asks)
