"""At most one governance message a week for each person: reviews, agreements and whatever else asks without a request.

It counts what begins something for its reader, and reminders. A notice that something falls tomorrow, an answer to a press and a
redraw are not counted and not held back. Source: governance-contract.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from bot.domain.case.transition import Notification

COUNTED = frozenset(
    {"agreement", "campaign", "campaign_reminder", "month", "roster"}
)  # the purposes of messages that count
WEEK = 7 * 86_400  # seconds of policy time


def counted(says: Iterable[Notification]) -> Iterator[Notification]:
    """The governance messages among them; one that its reader asked for is none."""
    yield from (say for say in says if say.purpose in COUNTED and say.to is not None and not say.data.get("wanted"))


def may_send(last: datetime | None, now: datetime, scale: float) -> bool:
    """Whether another governance message may go to somebody who got the last one at `last` (None: never)."""
    return last is None or now >= last + timedelta(seconds=WEEK / scale)
